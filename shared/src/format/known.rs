//! Whether a row is known to be the header, by the names in it: those of the columns that the definition
//! names, or those of the file before.

use std::collections::HashSet;

use super::{header, shape};
use crate::catalog::Field;

/// Why the cells are the names of columns that are known. `before`: the hash over those of the file before.
pub(super) fn recognises(
    cells: &[&str],
    before: Option<&str>,
    fields: &[Field],
) -> Option<&'static str> {
    if let Some(before) = before {
        let names = cells.iter().map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        if shape::names(header::unique(&names).iter().map(String::as_str)) == before {
            return Some("it has the names of the file before");
        }
    }
    let named = defined(cells, fields);
    // A column or two may have gone; a cell that happens to be a name is no header.
    let most = named == fields.len() || (named > 1 && named * 3 >= fields.len() * 2);
    (named > 0 && most).then_some("it has the names of the definition")
}

/// How many of the columns that the definition names are among the cells.
pub(super) fn defined(cells: &[&str], fields: &[Field]) -> usize {
    let cells: HashSet<String> = cells.iter().map(|cell| cell.trim().to_lowercase()).collect();
    let named = |field: &&Field| cells.contains(&field.column.trim().to_lowercase());
    fields.iter().filter(named).count()
}
