//! Fonts: which character a code stands for, and how wide it is.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use hayro_font::{CMapResolverFn, Font, FontCache, FontQuery, FontResolverFn};
use hayro_syntax::object::dict::keys::{
    CID_TO_GID_MAP, DESCENDANT_FONTS, ENCODING, FIRST_CHAR, FONT_DESC, FONT_FILE, FONT_FILE2,
    FONT_FILE3, LAST_CHAR, TO_UNICODE, W, W2,
};
use hayro_syntax::object::{Array, Dict, Object, Stream};

use super::streams::Budget;
use crate::format::FormatError;

/// Expanded bytes of fonts that are kept at hand, and how many.
const KEPT_BYTES: usize = 40 << 20;
const KEPT_FONTS: usize = 500;

/// Bytes that the map of a font takes for each byte of it.
const MAP_FACTOR: usize = 4;

/// Widths that a font may list. There are 65,536 codes.
const MAX_WIDTHS: u32 = 1 << 18;

/// The fonts of a document that are at hand.
pub(super) struct Fonts<'a> {
    /// By the place of their dictionaries; `None` is a font that cannot be used.
    kept: HashMap<(*const u8, usize), Option<Rc<Font<'a>>>>,
    bytes: usize,
    /// What fonts share.
    cache: FontCache<'a>,
    programs: FontResolverFn,
    maps: CMapResolverFn,
}

impl<'a> Fonts<'a> {
    pub(super) fn new() -> Self {
        Self {
            kept: HashMap::new(),
            bytes: 0,
            cache: FontCache::new(),
            // For fonts that are not in the file. Only their names and widths count here.
            programs: Arc::new(|query| {
                Some(match query {
                    FontQuery::Standard(font) => font.get_font_data(),
                    FontQuery::Fallback(query) => query.pick_standard_font().get_font_data(),
                })
            }),
            maps: Arc::new(hayro_cmap::load_embedded),
        }
    }

    /// The font that a dictionary describes; `None` if it cannot be used. A page may ask for it before
    /// each word, so it is looked at once.
    pub(super) fn font(
        &mut self,
        dict: &Dict<'a>,
        budget: &mut Budget<'_>,
    ) -> Result<Option<Rc<Font<'a>>>, FormatError> {
        let key = (dict.data().as_ptr(), dict.data().len());
        if let Some(font) = self.kept.get(&key) {
            return Ok(font.clone());
        }
        let cost = cost(dict, budget)?;
        self.bytes += cost.unwrap_or(0);
        if self.bytes > KEPT_BYTES || self.kept.len() >= KEPT_FONTS {
            self.kept.clear();
            self.cache = FontCache::new();
            self.bytes = cost.unwrap_or(0);
        }
        let font =
            cost.and_then(|_| self.cache.font(dict, &self.programs, &self.maps)).map(Rc::new);
        self.kept.insert(key, font.clone());
        Ok(font)
    }
}

/// Expanded bytes of all that a font is made of; `None` if it is made to ask for more than any font
/// needs, or is damaged.
fn cost(dict: &Dict<'_>, budget: &mut Budget<'_>) -> Result<Option<usize>, FormatError> {
    let mut bytes = 0;
    let descendant = dict
        .get::<Array<'_>>(DESCENDANT_FONTS)
        .and_then(|fonts| fonts.iter::<Dict<'_>>().next())
        .unwrap_or_default();
    for part in [dict, &descendant] {
        for key in [FIRST_CHAR, LAST_CHAR] {
            // A simple font has 256 codes.
            if part.get::<i64>(key).is_some_and(|code| !(0..=255).contains(&code)) {
                return Ok(None);
            }
        }
        for (key, of_each) in [(W, 1), (W2, 3)] {
            if part.get::<Array<'_>>(key).is_some_and(|widths| !widths_are_few(&widths, of_each)) {
                return Ok(None);
            }
        }
        let descriptor = part.get::<Dict<'_>>(FONT_DESC).unwrap_or_default();
        let streams = [
            (part, TO_UNICODE),
            (part, ENCODING),
            (part, CID_TO_GID_MAP),
            (&descriptor, FONT_FILE),
            (&descriptor, FONT_FILE2),
            (&descriptor, FONT_FILE3),
        ];
        for (dict, key) in streams {
            if let Some(stream) = dict.get::<Stream<'_>>(key) {
                match budget.expand(&stream) {
                    Ok(data) if [TO_UNICODE, ENCODING].contains(&key) => {
                        bytes += data.len() * MAP_FACTOR;
                    }
                    Ok(data) => bytes += data.len(),
                    Err(FormatError::DocumentDamaged { .. }) => return Ok(None),
                    Err(error) => return Err(error),
                }
            }
        }
    }
    Ok(Some(bytes))
}

/// Widths are listed one by one (`first [w w w]`) or for a range (`first last w`), which a few
/// bytes can make as long as they like.
fn widths_are_few(widths: &Array<'_>, of_each: u32) -> bool {
    let mut left = MAX_WIDTHS;
    let mut pending: Vec<f64> = Vec::new();
    for object in widths.iter::<Object<'_>>() {
        let entries = match object {
            Object::Number(number) => {
                pending.push(number.as_f64());
                if pending.len() < 2 + of_each as usize {
                    continue;
                }
                let range = pending[1] - pending[0];
                if !(0.0..=65_535.0).contains(&range) {
                    return false;
                }
                range as u32 + 1
            }
            Object::Array(list) => {
                let most = left as usize * of_each as usize + 1;
                list.raw_iter().take(most).count() as u32 / of_each
            }
            _ => 1,
        };
        pending.clear();
        match left.checked_sub(entries.max(1)) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
    true
}
