//! Words, lines and paragraphs from the places of characters.
//!
//! A page says where each character stands, and rarely where a word ends. All measures here are in
//! the size of the font: what is wider than a fifth of it is a space, what is not on the line is on
//! another one, and a gap between lines that is wider than the one before ends a paragraph.

use super::super::text::{Gap, Text};
use crate::format::FormatError;

/// A transformation of the plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Matrix(pub(super) [f64; 6]);

impl Matrix {
    pub(super) const IDENTITY: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    pub(super) fn translation(x: f64, y: f64) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// First `self`, then `next`.
    pub(super) fn then(self, next: Self) -> Self {
        let (Self([a, b, c, d, e, f]), Self([na, nb, nc, nd, ne, nf])) = (self, next);
        Self([
            a * na + b * nc,
            a * nb + b * nd,
            c * na + d * nc,
            c * nb + d * nd,
            e * na + f * nc + ne,
            e * nb + f * nd + nf,
        ])
    }

    fn apply(self, x: f64, y: f64) -> (f64, f64) {
        let Self([a, b, c, d, e, f]) = self;
        (a * x + c * y + e, b * x + d * y + f)
    }
}

/// Wider than this is a space between words.
const SPACE: f64 = 0.2;

/// Wider than this stands between the columns of a table.
const COLUMN: f64 = 3.0;

/// Farther from the line than this is another line.
const OFF_LINE: f64 = 0.6;

/// What came before on the page.
#[derive(Clone, Copy)]
struct Before {
    /// Where the last character ended.
    end: (f64, f64),
    /// The direction of its line, and its size.
    along: (f64, f64),
    size: f64,
    space: bool,
}

/// The text of one page, as it comes.
#[derive(Default)]
pub(super) struct Layout {
    before: Option<Before>,
    /// The last gap between two lines.
    leading: Option<f64>,
}

impl Layout {
    /// Writes what a character stands for. `place` takes the character's own space (the size of its font
    /// is 1) to the page, `advance` is its width there.
    pub(super) fn character(
        &mut self,
        characters: &str,
        place: Matrix,
        advance: (f64, f64),
        text: &mut Text,
    ) -> Result<(), FormatError> {
        let start = place.apply(0.0, 0.0);
        let end = place.apply(advance.0, advance.1);
        let up = minus(place.apply(0.0, 1.0), start);
        let right = minus(place.apply(1.0, 0.0), start);
        let (size, width) = (length(up), length(right));
        let usable = [start.0, start.1, end.0, end.1, size].iter().all(|n| n.is_finite());
        if !usable || size == 0.0 || width == 0.0 {
            return Ok(());
        }
        let along = (right.0 / width, right.1 / width);
        let is_space = characters.chars().all(char::is_whitespace);
        if let Some(before) = self.before {
            self.gap(before, start, size, is_space, text)?;
        }
        if !is_space {
            push(characters, text)?;
        } else if !text.at_line_start() && !self.before.is_some_and(|before| before.space) {
            text.push(" ")?;
        }
        self.before = Some(Before { end, along, size, space: is_space });
        Ok(())
    }

    /// What stands between the last character and one that begins at `start`.
    fn gap(
        &mut self,
        before: Before,
        start: (f64, f64),
        size: f64,
        is_space: bool,
        text: &mut Text,
    ) -> Result<(), FormatError> {
        let size = size.max(before.size);
        let step = minus(start, before.end);
        let (ax, ay) = before.along;
        let forward = (step.0 * ax + step.1 * ay) / size;
        let off = (step.0 * ay - step.1 * ax) / size;
        if off.abs() > OFF_LINE {
            let ends = !(-1.2..=2.8).contains(&off)
                || self.leading.is_some_and(|leading| off > 1.5 && off > leading * 1.3);
            text.gap(if ends { Gap::Paragraph } else { Gap::Line });
            self.leading = (!ends).then_some(off);
        } else if forward < -1.5 {
            text.gap(Gap::Line);
        } else if !before.space && !is_space && !text.at_line_start() {
            if forward > COLUMN {
                text.push("\t")?;
            } else if forward > SPACE {
                text.push(" ")?;
            }
        }
        Ok(())
    }
}

fn minus(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0 - b.0, a.1 - b.1)
}

fn length((x, y): (f64, f64)) -> f64 {
    x.hypot(y)
}

/// Writes characters, with ligatures taken apart: `fi` is looked for, not `ﬁ`.
fn push(characters: &str, text: &mut Text) -> Result<(), FormatError> {
    for character in characters.chars() {
        match character {
            '\u{fb00}' => text.push("ff")?,
            '\u{fb01}' => text.push("fi")?,
            '\u{fb02}' => text.push("fl")?,
            '\u{fb03}' => text.push("ffi")?,
            '\u{fb04}' => text.push("ffl")?,
            '\u{fb05}' | '\u{fb06}' => text.push("st")?,
            // A hyphen where the word was parted; and what is no character.
            '\u{ad}' => text.push("-")?,
            '\u{fffe}' | '\u{ffff}' => {}
            other if other.is_control() => {}
            other => text.push_char(other)?,
        }
    }
    Ok(())
}
