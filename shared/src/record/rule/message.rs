//! What a rule expected of a cell, for people.

use std::borrow::Cow;

use super::Rule;
use crate::record::numeral::Numerals;
use crate::record::reject::RejectCode;

impl Rule {
    /// What was expected of a cell. Messages never quote the cell: they go to places (logs, the
    /// ledger) where the data itself does not belong; the raw row is in the reject.
    pub(in crate::record) fn message(&self, code: RejectCode) -> Cow<'static, str> {
        let formats = || self.formats.join(" or ");
        let with = |text: String| Cow::Owned(text);
        match code {
            RejectCode::InvalidDate if !self.formats.is_empty() => {
                with(format!("not a date of the calendar in the pattern {}", formats()))
            }
            RejectCode::InvalidDatetime if !self.formats.is_empty() => {
                with(format!("not a date and time in the pattern {}", formats()))
            }
            RejectCode::InvalidDatetime if self.zone.is_some() => {
                with(format!("{}, that exists in the time zone", code.meaning()))
            }
            RejectCode::InvalidTime if !self.formats.is_empty() => {
                with(format!("not a time of day in the pattern {}", formats()))
            }
            RejectCode::InvalidBoolean => match &self.words {
                Some((trues, falses)) => {
                    with(format!("not a boolean: {} or {}", trues.join(", "), falses.join(", ")))
                }
                None => code.meaning().into(),
            },
            RejectCode::InvalidInteger | RejectCode::InvalidDecimal | RejectCode::InvalidNumber => {
                let Some(Numerals { decimal, group }) = self.numerals else {
                    return code.meaning().into();
                };
                let group = group.map(|group| format!(", group = {group:?}")).unwrap_or_default();
                with(format!("{}, with decimal = {decimal:?}{group}", code.meaning()))
            }
            RejectCode::OutOfRange => match (&self.min, &self.max) {
                (Some((_, min)), Some((_, max))) => {
                    with(format!("not between min = {min} and max = {max}"))
                }
                (Some((_, min)), None) => with(format!("below min = {min}")),
                (None, Some((_, max))) => with(format!("above max = {max}")),
                (None, None) => code.meaning().into(),
            },
            RejectCode::WrongLength => match (self.min_length, self.max_length) {
                (Some(min), Some(max)) => {
                    with(format!("not of min_length = {min} to max_length = {max} characters"))
                }
                (Some(min), None) => with(format!("shorter than min_length = {min} characters")),
                (None, Some(max)) => with(format!("longer than max_length = {max} characters")),
                (None, None) => code.meaning().into(),
            },
            _ => code.meaning().into(),
        }
    }
}
