//! The pages of a Parquet file, and the memory that they may take.

use std::collections::HashMap;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

use super::super::Spool;
use super::deltas::{self, Levels};
use super::expansion::Unbounded;
use super::footer::{self, PageHeader};

/// Bytes of memory for each entry of a dictionary, besides its page.
const ENTRY: u64 = 40;
/// Bytes of the header of a page.
const HEADER: u64 = 1 << 20;
/// Bytes of memory for each level and value that a page announces.
const LEVEL: u64 = 4;

/// How much memory the pages of all columns take.
pub(super) struct Budget {
    taken: AtomicU64,
    most: u64,
    passed: AtomicBool,
    /// The footer was read: what is read on from a place begins with the header of a page. Some have no
    /// bound of their own.
    only_pages: OnceLock<Unbounded>,
}

impl Budget {
    pub(super) fn new(most: u64) -> Self {
        Self {
            taken: AtomicU64::new(0),
            most,
            passed: AtomicBool::new(false),
            only_pages: OnceLock::new(),
        }
    }

    /// From now on only pages are read.
    pub(super) fn begin_pages(&self, unbounded: Unbounded) {
        self.only_pages.get_or_init(|| unbounded);
    }

    /// The most that they may take.
    pub(super) fn most(&self) -> u64 {
        self.most
    }

    /// Whether more was asked for than there is.
    pub(super) fn is_passed(&self) -> bool {
        self.passed.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: u64) -> Result<()> {
        let taken = self.taken.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if taken > self.most {
            self.passed.store(true, Ordering::Relaxed);
            return Err(ParquetError::General("the pages take too much memory".to_owned()));
        }
        Ok(())
    }

    fn give_back(&self, bytes: u64) {
        self.taken.fetch_sub(bytes, Ordering::Relaxed);
    }

    fn left(&self) -> u64 {
        self.most.saturating_sub(self.taken.load(Ordering::Relaxed))
    }
}

/// The file at any place, for the crate `parquet`.
pub(super) struct Source(Arc<Shared>);

struct Shared {
    spool: Mutex<Spool>,
    length: u64,
    budget: Arc<Budget>,
    /// The headers that were read, by the place at which what follows them begins, until that is read, too.
    /// (Columns that overlap, as none do, have several of a place.)
    headers: Mutex<HashMap<u64, Vec<PageHeader>>>,
}

impl Source {
    pub(super) fn new(spool: Spool, budget: Arc<Budget>) -> Self {
        let length = spool.len();
        let headers = Mutex::default();
        Self(Arc::new(Shared { spool: Mutex::new(spool), length, budget, headers }))
    }
}

impl Shared {
    fn at(self: &Arc<Self>, offset: u64) -> At {
        At { file: Arc::clone(self), offset, at_end: 0 }
    }

    /// Looks at the header that begins at a place, before the crate makes room for what it says.
    fn check_header(self: &Arc<Self>, start: u64, bytes: &[u8]) -> Result<()> {
        let mut header = footer::page_header(bytes);
        if header.length.is_none() && !header.has_list {
            // The least and the greatest value of a page may be long.
            let mut longer = Vec::new();
            self.at(start).take(HEADER).read_to_end(&mut longer)?;
            header = footer::page_header(&longer);
        }
        let refused = |problem: &str| Err(ParquetError::General(problem.to_owned()));
        match (header.size, header.length) {
            (Some(size), _) if size > self.budget.left() => Err(self.too_large(size)),
            _ if header.has_list => refused("the header of a page has a list, which none has"),
            (Some(_), Some(length)) => {
                let mut headers = self.headers.lock().unwrap_or_else(PoisonError::into_inner);
                headers.entry(start.saturating_add(length)).or_default().push(header);
                Ok(())
            }
            _ => refused("the header of a page cannot be read"),
        }
    }

    /// Whether a page becomes as large as its header says, and no larger.
    fn check_expansion(&self, start: u64, page: &[u8]) -> Result<()> {
        let Some(unbounded) = self.budget.only_pages.get() else { return Ok(()) };
        let mut headers = self.headers.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(of_place) = headers.get_mut(&start) else {
            return Err(ParquetError::General("a page has no header of its own".to_owned()));
        };
        for header in &*of_place {
            let levels = usize::try_from(header.levels).unwrap_or(usize::MAX).min(page.len());
            let stated = header.size.unwrap_or(self.budget.left()).min(self.budget.left());
            if unbounded.is_larger(start, &page[levels..], stated) {
                let problem =
                    format!("a page expands to more than the {stated} bytes that it states");
                return Err(ParquetError::General(problem));
            }
        }
        of_place.pop();
        if of_place.is_empty() {
            headers.remove(&start);
        }
        Ok(())
    }

    fn too_large(&self, size: u64) -> ParquetError {
        self.budget.passed.store(true, Ordering::Relaxed);
        ParquetError::General(format!("a page has {size} bytes"))
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        self.0.length
    }
}

impl ChunkReader for Source {
    type T = ReadOn;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let reader = BufReader::with_capacity(4 << 10, self.0.at(start));
        Ok(ReadOn { reader, start, began: false })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let file = &*self.0;
        if length as u64 > file.budget.left() {
            return Err(file.too_large(length as u64));
        }
        if start.checked_add(length as u64).is_none_or(|end| end > file.length) {
            return Err(ParquetError::EOF("a place beyond the end of the file".to_owned()));
        }
        let mut bytes = vec![0; length];
        let mut spool = file.spool.lock().unwrap_or_else(PoisonError::into_inner);
        spool.seek(SeekFrom::Start(start))?;
        spool.read_exact(&mut bytes)?;
        drop(spool);
        file.check_expansion(start, &bytes)?;
        Ok(bytes.into())
    }
}

/// What is read on from a place. Once the footer was read that is the header of a page, and nothing else: where
/// the crate knows the header already, it asks for such a reader, too, and does not read.
pub(super) struct ReadOn {
    reader: BufReader<At>,
    start: u64,
    began: bool,
}

impl Read for ReadOn {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !std::mem::replace(&mut self.began, true) {
            let file = Arc::clone(&self.reader.get_ref().file);
            if file.budget.only_pages.get().is_some() {
                let bytes = io::BufRead::fill_buf(&mut self.reader)?;
                file.check_header(self.start, bytes).map_err(io::Error::other)?;
            }
        }
        self.reader.read(into)
    }
}

/// The bytes from a place on.
struct At {
    file: Arc<Shared>,
    offset: u64,
    /// How often there was nothing more.
    at_end: u32,
}

/// Reads beyond the end from which on they are an error: the crate goes on and on where a count of elements is
/// larger than the file.
const AT_END: u32 = 100;

impl Read for At {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut spool = self.file.spool.lock().unwrap_or_else(PoisonError::into_inner);
        spool.seek(SeekFrom::Start(self.offset))?;
        let n = spool.read(into)?;
        self.offset += n as u64;
        self.at_end += u32::from(n == 0 && !into.is_empty());
        match self.at_end {
            ..AT_END => Ok(n),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// What the pages of one column take.
#[derive(Default)]
pub(super) struct Held {
    dictionary: AtomicU64,
    /// The page that is read, and those before it whose values may be in use.
    last: AtomicU64,
    before: AtomicU64,
}

impl Held {
    /// The values that were read before are not in use any more.
    pub(super) fn release(&self, budget: &Budget) {
        budget.give_back(self.before.swap(0, Ordering::Relaxed));
    }

    /// The column has ended.
    pub(super) fn release_all(&self, budget: &Budget) {
        self.release(budget);
        budget.give_back(self.last.swap(0, Ordering::Relaxed));
        budget.give_back(self.dictionary.swap(0, Ordering::Relaxed));
    }
}

/// The pages of one column, within the budget.
pub(super) struct Pages {
    pages: Box<dyn PageReader>,
    levels: Levels,
    budget: Arc<Budget>,
    held: Arc<Held>,
}

impl Pages {
    pub(super) fn new(
        pages: Box<dyn PageReader>,
        levels: Levels,
        budget: Arc<Budget>,
        held: Arc<Held>,
    ) -> Self {
        Self { pages, levels, budget, held }
    }
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        // A page without values says nothing, and some writers end a column with one; the crate takes it
        // for the end of the column. Whether rows are missing the row group tells.
        let page = loop {
            match self.pages.get_next_page()? {
                Some(page) if page.num_values() == 0 && !page.is_dictionary_page() => {}
                Some(page) => break page,
                None => return Ok(None),
            }
        };
        if !deltas::fits(&page, self.levels) {
            let problem = "a page announces more values than it has";
            return Err(ParquetError::General(problem.to_owned()));
        }
        let size = page.buffer().len() as u64;
        if page.is_dictionary_page() {
            let size = size + u64::from(page.num_values()) * ENTRY;
            self.budget.take(size)?;
            self.held.dictionary.fetch_add(size, Ordering::Relaxed);
        } else {
            let size = size + u64::from(page.num_values()) * LEVEL;
            self.budget.take(size)?;
            let before = self.held.last.swap(size, Ordering::Relaxed);
            self.held.before.fetch_add(before, Ordering::Relaxed);
        }
        Ok(Some(page))
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.pages.at_record_boundary()
    }
}

#[cfg(test)]
mod tests {
    use parquet::basic::Encoding;

    use super::*;
    use crate::format::Limits;
    use crate::format::input::Input;

    /// Pages with these numbers of values; a negative one is a dictionary.
    struct Given(std::vec::IntoIter<i32>);

    impl Iterator for Given {
        type Item = Result<Page>;

        fn next(&mut self) -> Option<Self::Item> {
            self.get_next_page().transpose()
        }
    }

    impl PageReader for Given {
        fn get_next_page(&mut self) -> Result<Option<Page>> {
            Ok(self.0.next().map(|values| match u32::try_from(values) {
                Ok(num_values) => Page::DataPageV2 {
                    buf: Bytes::from_static(b"abcd"),
                    num_values,
                    encoding: Encoding::PLAIN,
                    num_nulls: 0,
                    num_rows: num_values,
                    def_levels_byte_len: 0,
                    rep_levels_byte_len: 0,
                    is_compressed: false,
                    statistics: None,
                },
                Err(_) => Page::DictionaryPage {
                    buf: Bytes::new(),
                    num_values: 0,
                    encoding: Encoding::PLAIN,
                    is_sorted: false,
                },
            }))
        }

        fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
            Ok(None)
        }

        fn skip_next_page(&mut self) -> Result<()> {
            Ok(())
        }
    }

    fn spooled(bytes: &[u8]) -> Spool {
        let limits = Limits::default();
        let bytes = Box::new(io::Cursor::new(bytes.to_vec()));
        Spool::fill(Input::open(bytes, limits).expect("bytes").0, &limits).expect("bytes")
    }

    #[test]
    fn a_header_that_is_long_or_damaged_hides_no_page_that_is_too_large() {
        let most = 100_000;
        let check = |bytes: &[u8]| {
            let budget = Arc::new(Budget::new(most));
            budget.begin_pages(Unbounded::default());
            let source = Source::new(spooled(bytes), Arc::clone(&budget));
            let read = source.get_read(0).expect("a place").read(&mut [0; 9]);
            (read.err().map(|error| error.to_string()), budget.is_passed())
        };
        // A data page (field 5) whose statistics (field 5) have a text of 60,000 bytes; then the sizes.
        let text = vec![b'x'; 60_000];
        let long = [&[0x5c, 0x5c, 0x18, 0xe0, 0xd4, 0x03][..], &text, &[0, 0]].concat();
        let small = [&long[..], &[0x05, 4, 48, 0x15, 48, 0]].concat();
        assert_eq!(check(&small), (None, false));
        let large = [&long[..], &[0x05, 4, 0xfe, 0xff, 0x7f, 0x15, 48, 0]].concat();
        assert!(check(&large).1, "{:?}", check(&large));
        assert!(check(&[0x15, 0, 0x1d]).0.is_some_and(|error| error.contains("cannot be read")));
    }

    #[test]
    fn where_columns_overlap_what_is_a_page_to_one_is_a_header_to_the_other() {
        let budget = Arc::new(Budget::new(1000));
        budget.begin_pages(Unbounded::default());
        let header = [0x15, 0, 0x15, 48, 0x15, 48, 0];
        // Behind the header of a page, one of a page of a million bytes.
        let other = [0x15, 0, 0x15, 0x80, 0x89, 0x7a, 0x15, 48, 0];
        let source = Source::new(spooled(&[&header[..], &other, &[0; 60]].concat()), budget);
        let read = |start| source.get_read(start).expect("a place").read(&mut [0; 9]);
        assert!(read(0).is_ok());
        // The crate knows the header of what begins there, and asks for a reader, which it does not read.
        assert!(source.get_read(7).is_ok());
        assert!(read(7).is_err(), "a header that is too large");
        assert!(source.get_bytes(7, 24).is_ok());
        assert!(source.get_bytes(7, 24).is_err(), "a page without a header");
    }

    #[test]
    fn a_page_without_values_is_passed_over_and_does_not_end_its_column() {
        let budget = Arc::new(Budget::new(1000));
        let given = Given(vec![0, -1, 0, 3, 0, 0, 1, 0].into_iter());
        let pages =
            Pages::new(Box::new(given), Levels::default(), Arc::clone(&budget), Arc::default());
        let counts: Result<Vec<_>> = pages.map(|page| page.map(|page| page.num_values())).collect();
        assert_eq!(counts.expect("pages"), [0, 3, 1]);
        assert_eq!(budget.left(), 1000 - 2 * 4 - 4 * LEVEL, "what is passed over takes nothing");
    }
}
