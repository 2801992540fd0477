//! The limits by their names, as a source's definition sets them and as errors name them.

use std::collections::BTreeMap;

use super::Limits;

/// One limit that can be set.
#[derive(Clone, Copy, Debug)]
pub struct LimitSetting {
    /// The name: that of the field of [`Limits`].
    pub name: &'static str,
    /// It counts bytes, so it may be written as `"100MB"`.
    pub bytes: bool,
    set: fn(&mut Limits, u64),
}

const fn bytes(name: &'static str, set: fn(&mut Limits, u64)) -> LimitSetting {
    LimitSetting { name, bytes: true, set }
}

const fn count(name: &'static str, set: fn(&mut Limits, u64)) -> LimitSetting {
    LimitSetting { name, bytes: false, set }
}

fn size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

impl Limits {
    /// Every limit, a line for each.
    pub const SETTINGS: &[LimitSetting] = &[
        bytes("max_row_bytes", |limits, value| limits.max_row_bytes = size(value)),
        count("max_columns", |limits, value| limits.max_columns = size(value)),
        count("max_nesting", |limits, value| limits.max_nesting = size(value)),
        bytes("max_expanded_bytes", |limits, value| limits.max_expanded_bytes = Some(value)),
        bytes("max_spooled_bytes", |limits, value| limits.max_spooled_bytes = value),
        bytes("max_workbook_bytes", |limits, value| limits.max_workbook_bytes = value),
        bytes("max_pages_bytes", |limits, value| limits.max_pages_bytes = value),
        bytes("max_block_bytes", |limits, value| limits.max_block_bytes = value),
        bytes("max_document_bytes", |limits, value| limits.max_document_bytes = value),
        bytes("max_document_expanded_bytes", |limits, value| {
            limits.max_document_expanded_bytes = value;
        }),
        bytes("max_text_bytes", |limits, value| limits.max_text_bytes = value),
        count("max_pdf_pages", |limits, value| limits.max_pdf_pages = value),
        count("max_pdf_objects", |limits, value| limits.max_pdf_objects = value),
        bytes("max_pdf_stream_bytes", |limits, value| limits.max_pdf_stream_bytes = value),
        count("max_pdf_steps", |limits, value| limits.max_pdf_steps = value),
        count("max_ratio", |limits, value| limits.max_ratio = value),
        bytes("ratio_from", |limits, value| limits.ratio_from = value),
        bytes("max_decoder_bytes", |limits, value| limits.max_decoder_bytes = value),
        count("max_members", |limits, value| limits.max_members = value),
        bytes("max_member_name_bytes", |limits, value| limits.max_member_name_bytes = value),
        count("max_archive_nesting", |limits, value| {
            limits.max_archive_nesting = u32::try_from(value).unwrap_or(u32::MAX);
        }),
        bytes("max_unique_bytes", |limits, value| limits.max_unique_bytes = value),
    ];

    /// The default limits, but for those of a source's `limits`.
    pub fn of(settings: &BTreeMap<String, u64>) -> Self {
        let mut limits = Self::default();
        for setting in Self::SETTINGS {
            if let Some(value) = settings.get(setting.name) {
                (setting.set)(&mut limits, *value);
            }
        }
        limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of the fields, and what they hold, as `Debug` tells them.
    fn fields(limits: &Limits) -> Vec<(String, String)> {
        let text = format!("{limits:?}");
        let inside = text.trim_start_matches("Limits { ").trim_end_matches(" }");
        let parts = inside.split(", ").filter_map(|part| part.split_once(": "));
        parts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn the_documentation_lists_every_limit() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/records.md");
        let text = std::fs::read_to_string(path).expect("the page is there");
        for setting in Limits::SETTINGS {
            let line = format!("\n| `{}` |", setting.name);
            assert!(text.contains(&line), "docs/records.md does not list {}", setting.name);
        }
    }

    #[test]
    fn every_limit_can_be_set_by_its_name() {
        let names: Vec<_> = Limits::SETTINGS.iter().map(|setting| setting.name).collect();
        for (name, _) in fields(&Limits::default()) {
            assert!(names.contains(&name.as_str()), "{name} has no line in Limits::SETTINGS");
        }
        for setting in Limits::SETTINGS {
            let set = Limits::of(&BTreeMap::from([(setting.name.to_owned(), 77)]));
            for (name, value) in fields(&set) {
                let is_set = value == "77" || value == "Some(77)";
                assert_eq!(is_set, name == setting.name, "{} set {name}", setting.name);
            }
        }
    }
}
