//! What a failure says: what went wrong, what to do about it, and what becomes of the work.
//!
//! Each room has typed errors of its own. Where one of them ends the work on an object it becomes a
//! [`Failure`], the one shape that the ledger, the dead letters, the events downstream and the
//! command line show.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What becomes of the work that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// The cause may pass by itself: try again, a bounded number of times.
    Retry,
    /// The cause passes at a known time: try again then.
    WaitUntil(Timestamp),
    /// Nothing changes until somebody acts (a new version, a grant, a restore, a changed
    /// definition): rest, and do not retry.
    Park,
    /// The input itself is at fault: into the dead letters, with the cause.
    DeadLetter,
}

/// Why the work on an object (or a message) ended without success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable, documented word for the cause, such as `access_denied`.
    pub code: String,
    /// What happened, and where: names the object, and the line if there is one.
    pub message: String,
    /// What the reader can do about it.
    pub remedy: String,
    /// What becomes of the work.
    pub disposition: Disposition,
}

/// Bytes of a message that are kept: a failure has to fit into an item of the ledger (400 KB on
/// DynamoDB) and into a message of a queue, whatever a file put into it.
const LONGEST: usize = 8 << 10;

impl Failure {
    /// A failure from its four parts. A very long message or remedy is cut.
    pub fn new(
        code: &str,
        message: impl Into<String>,
        remedy: impl Into<String>,
        disposition: Disposition,
    ) -> Self {
        let (message, remedy) = (shortened(message.into()), shortened(remedy.into()));
        Self { code: code.to_owned(), message, remedy, disposition }
    }
}

fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
    text
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}. {}", self.code, self.message, self.remedy)
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_no_ledger_could_hold_is_cut_at_a_character() {
        let failure = Failure::new("x", format!("a{}", "é".repeat(LONGEST)), "", Disposition::Park);
        assert_eq!(failure.message.len(), LONGEST - 1 + "…".len());
    }
}
