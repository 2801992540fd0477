//! The errors that formulas of an xlsb workbook came to.
//!
//! The crate `calamine` passes over these cells as if they were blank, which would be a value lost in
//! silence. So they are looked for here, and put among the others.

use std::collections::HashMap;
use std::io::{BufReader, Read};

use zip::ZipArchive;

use super::super::Spool;
use super::container;
use super::guard::{Problem, SHEETS, record_number};

/// Cells with an error in all of a workbook.
const MOST: usize = 1 << 20;

/// A cell with an error: row and column from 0.
pub(super) type Errors = Vec<(u32, u32, &'static str)>;

const ROW: u64 = 0x0000;
const FORMULA_ERROR: u64 = 0x000b;
const SHEET: u64 = 0x019c;

/// The cells with an error of each sheet, by its name, in their order.
pub(super) fn of(spool: &mut Spool) -> Result<HashMap<String, Errors>, Problem> {
    let damaged = |error: zip::result::ZipError| Problem::Damaged(error.to_string());
    let mut archive = ZipArchive::new(spool).map_err(damaged)?;
    let mut members = HashMap::new();
    for (index, name) in archive.file_names().enumerate() {
        members.insert(container::plain_name(&name.map_err(damaged)?), index);
    }
    let mut relations = String::new();
    if let Some(index) = members.get("xl/_rels/workbook.bin.rels") {
        archive.by_index(*index).map_err(damaged)?.read_to_string(&mut relations)?;
    }
    let mut sheets = Vec::new();
    if let Some(index) = members.get("xl/workbook.bin") {
        let mut reader = BufReader::new(archive.by_index(*index).map_err(damaged)?);
        records(&mut reader, |kind, data| {
            if kind == SHEET
                && let Some((relation, rest)) = data.get(8..).and_then(wide_text)
                && let Some((name, _)) = wide_text(rest)
            {
                sheets.push((name, relation));
            }
            Ok(())
        })?;
    }
    let mut found = HashMap::new();
    let mut count = 0;
    for (name, relation) in sheets {
        let Some(target) = target(&relations, &relation)? else { continue };
        let path = container::plain_name(&format!("xl/{target}"));
        // Of any other part nobody has looked how long its records are.
        if !SHEETS.iter().any(|folder| path.starts_with(&format!("xl/{folder}"))) {
            return Err(Problem::Damaged(format!("the sheet \"{name}\" lies where none does")));
        }
        let Some(index) = members.get(&path) else { continue };
        let mut reader = BufReader::new(archive.by_index(*index).map_err(damaged)?);
        let mut row = 0;
        let mut errors = Errors::new();
        records(&mut reader, |kind, data| {
            match (kind, data) {
                (ROW, [a, b, c, d, ..]) => row = u32::from_le_bytes([*a, *b, *c, *d]),
                (FORMULA_ERROR, [a, b, c, d, _, _, _, _, code, ..]) => {
                    errors.push((row, u32::from_le_bytes([*a, *b, *c, *d]), shown(*code)));
                    count += 1;
                }
                _ => {}
            }
            if count > MOST {
                return Err(Problem::Damaged(format!("more than {MOST} cells hold an error")));
            }
            Ok(())
        })?;
        errors.sort_by_key(|(row, column, _)| (*row, *column));
        found.insert(name, errors);
    }
    Ok(found)
}

fn shown(code: u8) -> &'static str {
    match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0f => "#VALUE!",
        0x17 => "#REF!",
        0x1d => "#NAME?",
        0x24 => "#NUM!",
        0x2a => "#N/A",
        _ => "#ERROR!",
    }
}

/// Goes through the records of a part; the guard has looked that none is too long.
fn records(
    reader: &mut impl Read,
    mut see: impl FnMut(u64, &[u8]) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut data = Vec::new();
    while let Some(kind) = record_number(reader, 2)? {
        let length = record_number(reader, 4)?.unwrap_or(0);
        data.clear();
        reader.by_ref().take(length).read_to_end(&mut data)?;
        see(kind, &data)?;
    }
    Ok(())
}

/// A text with its length before it, and what follows.
fn wide_text(data: &[u8]) -> Option<(String, &[u8])> {
    let length = u32::from_le_bytes(data.first_chunk().copied()?);
    let (text, rest) = data[4..].split_at_checked(usize::try_from(length).ok()?.checked_mul(2)?)?;
    let units = text.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    let text: String =
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    Some((text, rest))
}

/// Where a relation leads.
pub(super) fn target(relations: &str, id: &str) -> Result<Option<String>, Problem> {
    use quick_xml::events::Event;
    let mut reader = quick_xml::Reader::from_str(relations);
    loop {
        match reader.read_event()? {
            Event::Start(tag) | Event::Empty(tag) => {
                let attribute = |name: &str| {
                    tag.attributes().flatten().find_map(|found| {
                        let is_named = AsRef::<[u8]>::as_ref(found.key.as_ref()) == name.as_bytes();
                        let value: &[u8] = AsRef::<[u8]>::as_ref(&*found.value);
                        is_named.then(|| String::from_utf8_lossy(value).into_owned())
                    })
                };
                if attribute("Id").as_deref() == Some(id) {
                    return Ok(attribute("Target"));
                }
            }
            Event::Eof => return Ok(None),
            _ => {}
        }
    }
}
