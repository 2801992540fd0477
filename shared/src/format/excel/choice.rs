//! Which sheets of a workbook are read, as the definition says it.

use std::collections::VecDeque;

use super::super::FormatError;
use super::workbook::SheetName;
use crate::catalog::SheetChoice;

/// The sheets that may be read, in their order.
pub(super) fn chosen(
    names: &[SheetName],
    choice: Option<&SheetChoice>,
) -> Result<VecDeque<usize>, FormatError> {
    let found = match choice {
        None | Some(SheetChoice::All) => {
            let visible =
                |(at, sheet): (usize, &SheetName)| (sheet.visible && sheet.has_cells).then_some(at);
            return Ok(names.iter().enumerate().filter_map(visible).collect());
        }
        Some(SheetChoice::Number(number)) => {
            (*number as usize).checked_sub(1).filter(|at| *at < names.len())
        }
        Some(SheetChoice::Name(name)) => names
            .iter()
            .position(|sheet| sheet.name == *name)
            // People do not see white space at the ends, and spreadsheets do not tell case apart.
            .or_else(|| names.iter().position(|sheet| same_name(&sheet.name, name))),
    };
    found.map(|at| VecDeque::from([at])).ok_or_else(|| FormatError::NoSuchSheet {
        wanted: match choice {
            Some(SheetChoice::Number(number)) => number.to_string().into(),
            Some(SheetChoice::Name(name)) => format!("\"{name}\"").into(),
            _ => "".into(),
        },
        found: list(names.iter()).into(),
    })
}

fn same_name(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Some names, for people.
pub(super) fn list<'n>(names: impl Iterator<Item = &'n SheetName>) -> String {
    let names: Vec<String> = names.map(|sheet| format!("\"{}\"", sheet.name)).collect();
    match names.len() {
        0 => "none".to_owned(),
        1..=20 => names.join(", "),
        more => format!("{} and {} more", names[..20].join(", "), more - 20),
    }
}
