//! The heads of rows that each bring their own columns.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Form, Head};

/// Shapes that are remembered. A file with more is no table; its heads are made anew.
const SHAPES: usize = 256;

/// Bytes of all remembered shapes.
const BYTES: usize = 4 << 20;

/// Finds the head for a row's shape: equal shapes have the same head. A shape is any bytes that tell
/// lists of columns apart.
pub(super) struct Heads {
    known: HashMap<Vec<u8>, Arc<Head>>,
    bytes: usize,
    next: u32,
    current: Arc<Head>,
    shape: Vec<u8>,
}

impl Heads {
    pub(super) fn new() -> Self {
        Self {
            known: HashMap::new(),
            bytes: 0,
            next: 0,
            current: Arc::new(Head {
                number: 0,
                columns: Vec::new(),
                form: Form::Json,
                part: None,
            }),
            shape: Vec::new(),
        }
    }

    /// The head of the last row.
    pub(super) fn current(&self) -> &Arc<Head> {
        &self.current
    }

    /// Goes to the head for `shape`, whose columns are asked for only if it is not known. An error
    /// leaves the head as it was.
    #[inline]
    pub(super) fn find<E>(
        &mut self,
        shape: &[u8],
        columns: impl FnOnce() -> Result<Vec<String>, E>,
    ) -> Result<(), E> {
        // Mostly a row is like the one before.
        if self.next > 0 && self.shape == shape {
            return Ok(());
        }
        self.find_other(shape, columns)
    }

    #[inline(never)]
    fn find_other<E>(
        &mut self,
        shape: &[u8],
        columns: impl FnOnce() -> Result<Vec<String>, E>,
    ) -> Result<(), E> {
        if let Some(head) = self.known.get(shape) {
            self.current = Arc::clone(head);
        } else {
            let columns = columns()?;
            self.current =
                Arc::new(Head { number: self.next, columns, form: Form::Json, part: None });
            // Four billion shapes later a number comes again: what is next to it differs still.
            self.next = self.next.wrapping_add(1).max(1);
            if self.known.len() < SHAPES && self.bytes + shape.len() <= BYTES {
                self.bytes += shape.len();
                self.known.insert(shape.to_vec(), Arc::clone(&self.current));
            }
        }
        self.shape.clear();
        self.shape.extend_from_slice(shape);
        Ok(())
    }

    /// Where the first row cannot be read, its head has no columns.
    pub(super) fn none(&mut self) {
        if self.next == 0 {
            let Ok(()) = self.find(b"", || Ok::<_, std::convert::Infallible>(Vec::new()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(heads: &mut Heads, shape: &str) -> u32 {
        let columns = || Ok::<_, ()>(vec![shape.to_owned()]);
        heads.find(shape.as_bytes(), columns).expect("columns");
        assert_eq!(heads.current().columns, [shape]);
        heads.current().number
    }

    #[test]
    fn equal_shapes_have_one_head_and_others_another() {
        let mut heads = Heads::new();
        assert_eq!(
            ["a", "b", "a", "a", "b", "c"].map(|s| number(&mut heads, s)),
            [0, 1, 0, 0, 1, 2]
        );
        assert_eq!(heads.find(b"d", || Err("no")), Err("no"));
        assert_eq!(heads.current().columns, ["c"]);
    }

    #[test]
    fn endless_shapes_need_no_endless_memory() {
        let mut heads = Heads::new();
        for n in 0..1000 {
            assert_eq!(number(&mut heads, &n.to_string()), n);
        }
        assert_eq!(heads.known.len(), SHAPES);
        assert_eq!(number(&mut heads, "7"), 7, "remembered");
        assert_eq!(number(&mut heads, "999"), 1000, "made anew");
        let long = "x".repeat(BYTES + 1);
        number(&mut heads, &long);
        assert!(heads.bytes <= BYTES);
    }
}
