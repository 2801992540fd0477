//! The beginning of a file: its dialect, its header, and what stands before them.

use super::dialect::{self, Dialect};
use super::directive;
use super::known::Known;
use super::sample::{Sample, View};
use super::{MAX_ROW, Reader, layout};
use crate::catalog;
use crate::format::input::Input;
use crate::format::{Compression, Detected, FormatError, Hints, Limit, Limits, Position, sniff};

/// Opens a file of delimited cells and finds its table.
pub(in crate::format) fn open(
    input: Input,
    compression: Compression,
    hints: Hints<'_>,
    settings: &catalog::Format,
    mut limits: Limits,
    mut evidence: Vec<String>,
) -> Result<(Reader, Detected), FormatError> {
    limits.max_row_bytes = limits.max_row_bytes.min(MAX_ROW);
    let stated = dialect::stated(settings);
    if !stated.is_possible() {
        return Err(FormatError::Dialect { delimiter: stated.delimiter, quote: stated.quote });
    }
    let mut reader = Reader::new(input, limits, stated);
    reader.more()?;
    if reader.buffer[..reader.filled].starts_with(sniff::BOM) {
        reader.start = sniff::BOM.len();
        evidence.push("encoding utf-8: the file begins with its byte order mark".to_owned());
    }
    reader.skip_lines(settings.skip_lines)?;
    let mut hint = reader.delimiter_line(settings)?;
    if let Some(delimiter) = &hint {
        evidence.push(format!("delimiter {}: the first line says so", dialect::name(delimiter)));
    } else if settings.delimiter.is_none() {
        let beginning = &reader.buffer[reader.start..reader.filled];
        hint = directive::delimiter(beginning).map(str::to_owned);
    }
    let settings =
        &catalog::Format { delimiter: settings.delimiter.clone().or(hint), ..settings.clone() };

    let known = Known::of(hints);
    let mut size = dialect::SAMPLE;
    let found = loop {
        let end = reader.filled.min(reader.start.saturating_add(size));
        let whole = reader.ended && end == reader.filled;
        let bytes = &reader.buffer[reader.start..end];
        if whole || memchr::memchr2(b'\n', b'\r', bytes).is_some() {
            let view = View { bytes, whole, max_columns: limits.max_columns };
            let found = dialect::detect(view, settings, by_name(hints), known);
            if !found.sample.rows.is_empty() || whole {
                break found;
            }
        }
        // The first row is longer than the sample.
        if end == reader.filled {
            reader.more()?;
        }
        size = size.saturating_mul(4);
    };
    evidence.extend(found.evidence);
    let (dialect, sample) = (found.dialect, found.sample);
    let layout = layout::layout(&sample, &dialect, settings, known, reader.line)
        .map_err(|fault| reader.header_fault(&sample, &fault))?;
    evidence.extend(layout.evidence);

    // A column alone may well hold its own name, and a header of several rows is no one's data.
    let header = match (layout.header.len(), sample.rows.get(layout.header.start)) {
        (1, Some(row)) if layout.columns.len() > 1 => {
            let raw = &reader.buffer[reader.start + row.start..reader.start + row.end];
            std::str::from_utf8(raw).ok().map(str::to_owned)
        }
        _ => None,
    };
    let dialect = Dialect {
        comment: layout.comment,
        header,
        table_ends: layout.ends.map(|ends| reader.base + (reader.start + ends) as u64),
        classes: layout.classes,
        ..dialect
    };
    let (bytes, lines) = layout.begins;
    reader.start += bytes;
    reader.line += lines;
    reader.set_table(dialect.clone(), layout.columns.clone());
    let detected = Detected {
        compression,
        archive: None,
        encoding: None,
        kind: catalog::FormatKind::Csv,
        dialect: Some(Box::new(dialect)),
        has_header: layout.has_header,
        columns: layout.columns,
        evidence,
    };
    Ok((reader, detected))
}

/// The delimiter that a file's name speaks for.
fn by_name(hints: Hints<'_>) -> Option<&'static str> {
    let name = hints.name.to_ascii_lowercase();
    let name = name.rsplit('/').next().unwrap_or_default();
    [".tsv", ".tab"].iter().any(|extension| name.contains(extension)).then_some("\t")
}

/// Goes on with a file that [`open`] opened before.
pub(in crate::format) fn resume(
    input: Input,
    detected: &Detected,
    at: Position,
    mut limits: Limits,
) -> Result<Reader, FormatError> {
    limits.max_row_bytes = limits.max_row_bytes.min(MAX_ROW);
    let dialect = detected.dialect.as_deref().cloned().unwrap_or_default();
    let mut reader = Reader::new(input, limits, dialect.clone());
    reader.set_table(dialect, detected.columns.clone());
    (reader.base, reader.line, reader.rows) = (at.byte_offset, at.line, at.row);
    reader.encoding = at.encoding;
    reader.more()?;
    Ok(reader)
}

/// Whether it may be in a delimiter that a first line names.
fn names_delimiter(byte: &u8) -> bool {
    byte.is_ascii() && !byte.is_ascii_alphanumeric() && !matches!(byte, b'"' | b'\'' | b'\\')
}

impl Reader {
    /// Passes over physical lines.
    fn skip_lines(&mut self, mut lines: u32) -> Result<(), FormatError> {
        while lines > 0 {
            let buffer = &self.buffer[..self.filled];
            match memchr::memchr2(b'\n', b'\r', &buffer[self.start..]) {
                Some(at) => {
                    self.start += at;
                    let next = self.start + 1;
                    if buffer[self.start] == b'\r' && next == self.filled && !self.ended {
                        self.more()?;
                        continue;
                    }
                    let crlf = buffer[self.start] == b'\r' && buffer.get(next) == Some(&b'\n');
                    self.start = next + usize::from(crlf);
                    self.line += 1;
                    lines -= 1;
                }
                None => {
                    self.start = self.filled;
                    if self.ended {
                        return Ok(());
                    }
                    self.more()?;
                }
            }
        }
        if self.start > 0 && self.filled - self.start < dialect::SAMPLE && !self.ended {
            self.more()?;
        }
        Ok(())
    }

    /// Passes over a first line that names the delimiter, as Excel writes it (`sep=;`).
    fn delimiter_line(
        &mut self,
        settings: &catalog::Format,
    ) -> Result<Option<String>, FormatError> {
        let line = &self.buffer[self.start..self.filled];
        let length = memchr::memchr2(b'\n', b'\r', line).unwrap_or(line.len());
        let text = line[..length].trim_ascii_end();
        let text = text.strip_prefix(b"\"").and_then(|t| t.strip_suffix(b"\"")).unwrap_or(text);
        let named = match text.get(..4).map(<[u8]>::to_ascii_lowercase).as_deref() {
            // A tab is white space.
            Some(b"sep=") if text.len() == 4 && line.get(4) == Some(&b'\t') => "\t".to_owned(),
            Some(b"sep=")
                if (5..=6).contains(&text.len()) && text[4..].iter().all(names_delimiter) =>
            {
                String::from_utf8_lossy(&text[4..]).into_owned()
            }
            _ => return Ok(None),
        };
        if settings.delimiter.as_ref().is_some_and(|stated| *stated != named) {
            return Ok(None);
        }
        self.skip_lines(1)?;
        Ok(Some(named))
    }

    fn header_fault(&self, sample: &Sample, fault: &layout::HeaderFault) -> FormatError {
        let row = sample.rows.get(fault.row);
        let (line, start) = row.map_or((0, 0), |row| (row.line, row.start));
        if row.is_some_and(|row| row.too_wide) {
            let limit = Limit { setting: "max_columns", value: self.limits.max_columns as u64 };
            let byte_offset = self.base + (self.start + start) as u64;
            return FormatError::TooManyColumns { line: self.line + line, byte_offset, limit };
        }
        FormatError::Header {
            line: self.line + line,
            byte_offset: self.base + (self.start + start) as u64,
            problem: fault.problem,
        }
    }
}
