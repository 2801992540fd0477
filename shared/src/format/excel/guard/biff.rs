//! The records of an xls workbook.

use std::io::{Read, Seek};

use super::super::super::Spool;
use super::{Problem, TEXT};

/// Bytes of a cell in a list of them.
const CELL: u64 = 40;
/// Bytes of a cell in the rectangle of its sheet: a value, and a formula.
const PLACE: u64 = 24;
/// Cells that a sheet may announce: as many as it can have.
const MOST_CELLS: u64 = 1 << 24;
/// How much longer formulas become as text.
const FORMULA: u64 = 10;

/// Bytes that the workbook takes.
pub(super) fn bytes(spool: &mut Spool, most: u64) -> Result<u64, Problem> {
    if spool.len() > most {
        // All of it is read into memory; what is in it takes more.
        return Ok(spool.len());
    }
    spool.rewind()?;
    let mut file = cfb::CompoundFile::open(&mut *spool)?;
    let paths = ["/Workbook", "/Book"];
    let mut stream = Vec::new();
    let found = paths.into_iter().find(|path| file.is_stream(path));
    let found = found.ok_or_else(|| Problem::Damaged("it holds no workbook".to_owned()))?;
    file.open_stream(found)?.take(most).read_to_end(&mut stream)?;
    drop(file);

    let mut sum = spool.len() + stream.len() as u64;
    let mut sheets = Vec::new();
    let mut texts = Vec::new();
    let mut records = Records { bytes: &stream, at: 0 };
    while let Some((kind, data)) = records.next() {
        match kind {
            0x002f if number(data, 0) != 0 => return Err(Problem::Encrypted),
            0x0085 => sheets.push(wide(data, 0) as usize),
            0x00fc => {
                let mut segments = vec![data];
                while let Some(more) = records.next_if(0x003c) {
                    segments.push(more);
                }
                texts = text_lengths(&segments);
                sum += texts.iter().map(|length| length + TEXT).sum::<u64>();
            }
            0x000a => break,
            _ => {}
        }
    }
    let (mut largest, mut most_room) = (0, 0);
    for begin in sheets {
        let Some(bytes) = stream.get(begin..) else {
            return Err(Problem::Damaged("a sheet lies beyond its end".to_owned()));
        };
        let (sheet, room) = sheet(bytes, &texts)?;
        sum = sum.saturating_add(sheet);
        largest = largest.max(sheet);
        most_room = most_room.max(room);
    }
    // The sheet that is read is copied.
    Ok(sum.saturating_add(largest).saturating_add(most_room))
}

/// A rectangle of cells.
#[derive(Default)]
struct Area {
    cells: Option<(u64, u64, u64, u64)>,
}

impl Area {
    fn take(&mut self, row: u64, first: u64, last: u64) {
        let (top, bottom, left, right) = self.cells.unwrap_or((row, row, first, last));
        self.cells = Some((top.min(row), bottom.max(row), left.min(first), right.max(last)));
    }

    fn places(&self) -> u64 {
        self.cells.map_or(0, |(top, bottom, left, right)| {
            (bottom - top + 1) * (right.saturating_sub(left) + 1)
        })
    }
}

/// Bytes of a sheet, and of the room that is made for cells which it announces and does not have.
fn sheet(bytes: &[u8], texts: &[u64]) -> Result<(u64, u64), Problem> {
    let (mut values, mut formulas) = (Area::default(), Area::default());
    let (mut cells, mut text, mut announced) = (0u64, 0u64, 0);
    let (mut begun, mut nested) = (false, 0u32);
    let mut records = Records { bytes, at: 0 };
    while let Some((kind, data)) = records.next() {
        match kind {
            0x0809 if begun => nested += 1,
            0x0809 => begun = true,
            0x000a if nested == 0 => break,
            0x000a => nested -= 1,
            _ if nested > 0 => continue,
            0x0200 => announced = dimensions(data)?.max(announced),
            0x0203 | 0x0204 | 0x00d6 | 0x0205 | 0x027e | 0x00fd | 0x0006 => {
                let (row, column) = (number(data, 0), number(data, 2));
                values.take(row, column, column);
                cells += 1;
                match kind {
                    0x0006 => {
                        formulas.take(row, column, column);
                        text += data.len() as u64 * FORMULA;
                    }
                    0x00fd => {
                        text += texts.get(wide(data, 6) as usize).copied().unwrap_or(0);
                    }
                    _ => text += data.len() as u64 * 3,
                }
            }
            0x0207 => text += data.len() as u64 * 3,
            0x00bd => {
                let (row, first) = (number(data, 0), number(data, 2));
                let last = number(data, data.len().saturating_sub(2));
                values.take(row, first, last.max(first));
                cells += last.saturating_sub(first) + 1;
            }
            _ => {}
        }
    }
    let places = values.places() + formulas.places();
    Ok((places * PLACE + cells * CELL + text, announced.saturating_sub(cells) * CELL))
}

/// Cells that the sheet announces.
fn dimensions(data: &[u8]) -> Result<u64, Problem> {
    let (top, bottom, left, right) = match data.len() {
        10 => (number(data, 0), number(data, 2), number(data, 4), number(data, 6)),
        14 | 16 => (wide(data, 0), wide(data, 4), number(data, 8), number(data, 10)),
        _ => return Ok(0),
    };
    // As its reader takes them.
    let left = if left > 0xff || right < left { 0 } else { left };
    if bottom == 0 || right == 0 {
        return Ok(0);
    }
    let cells = bottom.saturating_sub(top).saturating_mul(right.saturating_sub(left));
    if bottom <= top || cells > MOST_CELLS {
        return Err(Problem::Damaged("a sheet announces more cells than it can have".to_owned()));
    }
    Ok(cells)
}

/// Bytes of each of the shared texts.
fn text_lengths(segments: &[&[u8]]) -> Vec<u64> {
    let mut lengths = Vec::new();
    let mut cursor = Cursor { segments, at: 8 };
    while let Some(length) = cursor.text() {
        lengths.push(length);
    }
    lengths
}

/// Goes through texts that continue from record to record.
struct Cursor<'s, 'b> {
    segments: &'s [&'b [u8]],
    at: usize,
}

impl Cursor<'_, '_> {
    fn text(&mut self) -> Option<u64> {
        let length = u64::from(self.byte()?) | u64::from(self.byte()?) << 8;
        let flags = self.byte()?;
        let mut behind = 0;
        if flags & 8 != 0 {
            behind += 4 * (usize::from(self.byte()?) | usize::from(self.byte()?) << 8);
        }
        if flags & 4 != 0 {
            for shift in [0, 8, 16, 24] {
                behind += usize::from(self.byte()?) << shift;
            }
        }
        let mut width = usize::from(flags & 1) + 1;
        let mut left = length as usize;
        while left > 0 {
            let here = self.segments.first()?.len().saturating_sub(self.at) / width;
            let taken = left.min(here);
            self.at += taken * width;
            left -= taken;
            if left > 0 {
                self.segments = self.segments.get(1..)?;
                self.at = 0;
                // A text that goes on says again how wide its letters are.
                width = usize::from(self.byte()? & 1) + 1;
            }
        }
        while behind > 0 {
            let here = self.segments.first()?.len().saturating_sub(self.at);
            let taken = behind.min(here);
            self.at += taken;
            behind -= taken;
            if behind > 0 {
                self.segments = self.segments.get(1..)?;
                self.at = 0;
            }
        }
        Some(length * 3)
    }

    fn byte(&mut self) -> Option<u8> {
        while self.at >= self.segments.first()?.len() {
            self.segments = self.segments.get(1..)?;
            self.at = 0;
        }
        let byte = self.segments.first()?.get(self.at).copied();
        self.at += 1;
        byte
    }
}

/// The records, one after the other, up to the end or one that is cut short.
struct Records<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Records<'b> {
    fn next(&mut self) -> Option<(u16, &'b [u8])> {
        let header = self.bytes.get(self.at..self.at + 4)?;
        let length = number(header, 2) as usize;
        let data = self.bytes.get(self.at + 4..self.at + 4 + length)?;
        self.at += 4 + length;
        Some((number(header, 0) as u16, data))
    }

    fn next_if(&mut self, kind: u64) -> Option<&'b [u8]> {
        let header = self.bytes.get(self.at..self.at + 4)?;
        if number(header, 0) != kind {
            return None;
        }
        self.next().map(|(_, data)| data)
    }
}

/// Sixteen bits; zero beyond the end.
fn number(data: &[u8], at: usize) -> u64 {
    match data.get(at..at.saturating_add(2)) {
        Some([low, high]) => u16::from_le_bytes([*low, *high]).into(),
        _ => 0,
    }
}

/// Thirty-two bits; zero beyond the end.
fn wide(data: &[u8], at: usize) -> u64 {
    number(data, at) | number(data, at + 2) << 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_a_sheet_announces_and_does_not_have_take_room() {
        let record = |kind: u16, data: &[u8]| {
            [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat()
        };
        let dimensions = |rows: u32, columns: u16| {
            let rows = [0_u32.to_le_bytes(), rows.to_le_bytes()].concat();
            let columns = [0_u16.to_le_bytes(), columns.to_le_bytes(), [0; 2]].concat();
            record(0x0200, &[rows, columns].concat())
        };
        let number = record(0x0203, &[0; 14]);
        let sheet_of = |parts: &[Vec<u8>]| {
            let begin = record(0x0809, &[0; 16]);
            sheet(&[begin, parts.concat(), record(0x000a, &[])].concat(), &[])
        };
        let (bytes, room) = sheet_of(&[dimensions(50_000, 200), number.clone()]).expect("a sheet");
        assert_eq!(room, (50_000 * 200 - 1) * CELL);
        assert!(bytes < 1_000, "{bytes}");
        let (_, room) = sheet_of(&[dimensions(1, 2), number.clone(), number]).expect("a sheet");
        assert_eq!(room, 0);
        assert!(sheet_of(&[dimensions(1 << 20, 255)]).is_err());
    }
}
