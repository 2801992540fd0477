//! The parts of an xlsx workbook.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{Bounded, ENTRY, Measured, Problem, STYLE, TEXT};

/// What is seen of a part.
pub(super) enum Seen<'a> {
    Begins(&'a BytesStart<'a>),
    /// Bytes of text, in any form.
    Text(u64),
    Ends,
}

/// Goes through the elements of a part. What is between the ends of two elements at most `depth`
/// deep may not be longer than the limit of `reader`.
///
/// The reader of workbooks does not look whether tags fit one another; this one does, so that
/// nothing can hide how deep it is.
pub(super) fn walk<R: BufRead>(
    reader: Bounded<R>,
    depth: usize,
    mut see: impl FnMut(Seen<'_>, usize) -> Result<(), Problem>,
) -> Result<u64, Problem> {
    let mut reader = Reader::from_reader(reader);
    reader.config_mut().expand_empty_elements = true;
    let (mut level, mut before, mut longest) = (0usize, 0, 0);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer)?;
        match &event {
            Event::Start(tag) => {
                level += 1;
                see(Seen::Begins(tag), level)?;
            }
            Event::End(_) => {
                see(Seen::Ends, level)?;
                level = level.saturating_sub(1);
            }
            Event::Eof if level > 0 => {
                return Err(Problem::Damaged("a part of it is cut short".to_owned()));
            }
            Event::Eof => return Ok(longest),
            other => see(Seen::Text(other.len() as u64), level)?,
        }
        let ended = matches!(event, Event::End(_));
        drop(event);
        let position = reader.buffer_position();
        longest = longest.max(position - before);
        before = position;
        if (ended && level < depth) || level == 0 {
            reader.get_mut().restart();
        }
    }
}

/// The texts that cells share.
pub(super) fn shared_strings(member: &mut Measured<'_>, most: u64) -> Result<u64, Problem> {
    let size = member.size();
    let mut texts = 0;
    walk(member.bounded(most), 2, |seen, level| {
        let Seen::Begins(tag) = seen else { return Ok(()) };
        if level == 1 {
            check_count(tag, size)?;
        }
        texts += u64::from(is(tag, "si"));
        Ok(())
    })?;
    Ok(texts * TEXT + size)
}

/// Room is made for as many texts as the part announces.
fn check_count(tag: &BytesStart<'_>, size: u64) -> Result<(), Problem> {
    for attribute in tag.attributes().with_checks(false).flatten() {
        if AsRef::<[u8]>::as_ref(attribute.key.local_name().as_ref()) != b"uniqueCount" {
            continue;
        }
        let digits: &[u8] = AsRef::<[u8]>::as_ref(&*attribute.value);
        let count = std::str::from_utf8(digits).ok().and_then(|digits| digits.trim().parse().ok());
        // A number beyond 64 bits is passed over. Each text has at least `<si/>`.
        if count.is_some_and(|count: u64| count > size / 4) {
            return Err(Problem::Damaged("it announces more texts than it has".to_owned()));
        }
    }
    Ok(())
}

/// The formats of cells, each of which has copies of the texts of its font and number format.
pub(super) fn styles(member: &mut Measured<'_>, most: u64) -> Result<u64, Problem> {
    let size = member.size();
    let mut formats = 0;
    let longest = walk(member.bounded(most), usize::MAX, |seen, _| {
        if let Seen::Begins(tag) = seen {
            formats += u64::from(is(tag, "xf"));
        }
        Ok(())
    })?;
    Ok(formats * (STYLE + longest) + size * 2)
}

/// A sheet is read cell by cell, each of which may be as long as a row; the lists of sheets, names and
/// relations are kept whole.
pub(super) fn part(member: &mut Measured<'_>, most: u64) -> Result<u64, Problem> {
    const ENTRIES: [&str; 5] = ["sheet", "definedName", "Relationship", "Override", "Default"];
    let size = member.size();
    let mut entries = 0;
    walk(member.bounded(most), 4, |seen, _| {
        if let Seen::Begins(tag) = seen {
            entries += u64::from(ENTRIES.iter().any(|name| is(tag, name)));
        }
        Ok(())
    })?;
    Ok(if entries > 0 { entries * ENTRY + size } else { 0 })
}

fn is(tag: &BytesStart<'_>, name: &str) -> bool {
    AsRef::<[u8]>::as_ref(tag.local_name().as_ref()) == name.as_bytes()
}
