//! What is in a document beside its rows and is no row: it is told, as far as names tell it.

use super::shortened;

/// Names that are told, at most.
const TOLD: usize = 20;

/// The names of elements around the rows that were passed over, each once.
#[derive(Default)]
pub(super) struct Beside {
    names: Vec<String>,
    more: bool,
}

impl Beside {
    /// Takes note of an element that was passed over.
    pub(super) fn note(&mut self, name: &str) {
        let name = shortened(name);
        if self.names.contains(&name) {
            return;
        }
        match self.names.len() < TOLD {
            true => self.names.push(name),
            false => self.more = true,
        }
    }

    /// What is to be told to people, if anything.
    pub(super) fn remark(&self, path: &[String]) -> Option<String> {
        let more = if self.more { " and more" } else { "" };
        (!self.names.is_empty()).then(|| {
            format!(
                "beside the rows {} the document has {}{more}: left out (format.rows states other rows)",
                path.join("/"),
                self.names.join(", "),
            )
        })
    }
}
