//! The text that the content of a page shows.

use std::rc::Rc;

use hayro_cmap::BfString;
use hayro_font::{Font, FontGlyph, UNITS_PER_EM};
use hayro_syntax::content::TypedIter;
use hayro_syntax::content::ops::TypedInstruction;
use hayro_syntax::object::dict::keys::{CONTENTS, MATRIX, RESOURCES, SUBTYPE};
use hayro_syntax::object::{Dict, MaybeRef, Name, Object, Stream};
use hayro_syntax::page::Resources;

use super::super::text::Text;
use super::fonts::Fonts;
use super::layout::{Layout, Matrix};
use super::streams::Budget;
use super::tree::Page;
use super::{damaged, over};
use crate::format::{FormatError, Limits};

/// Steps that a form takes besides those of its content.
const FORM_STEPS: usize = 200;

/// Forms within forms. Real pages have a few.
const MAX_FORMS: usize = 16;

/// Saved states. Readers of PDF need to allow 28.
const MAX_SAVED: usize = 4096;

/// Pieces of the content of a page.
const MAX_CONTENTS: usize = 100_000;

/// Reads page after page.
pub(super) struct Reading<'a, 'l> {
    text: &'l mut Text,
    limits: &'l Limits,
    budget: Budget<'l>,
    fonts: Fonts<'a>,
    steps: u64,
    /// Characters that have a Unicode, and that have none.
    pub(super) known: u64,
    pub(super) unknown: u64,
}

/// What text looks like, and what it is placed by.
#[derive(Clone)]
struct State<'a> {
    page: Matrix,
    font: Option<Rc<Font<'a>>>,
    size: f64,
    character_space: f64,
    word_space: f64,
    scale: f64,
    leading: f64,
    rise: f64,
}

impl State<'_> {
    fn new() -> Self {
        Self {
            page: Matrix::IDENTITY,
            font: None,
            size: 1.0,
            character_space: 0.0,
            word_space: 0.0,
            scale: 1.0,
            leading: 0.0,
            rise: 0.0,
        }
    }
}

/// What is within one content stream.
struct Content<'a> {
    state: State<'a>,
    saved: Vec<State<'a>>,
    resources: Resources<'a>,
    text: Matrix,
    line: Matrix,
    forms: usize,
}

impl<'a, 'l> Reading<'a, 'l> {
    pub(super) fn new(text: &'l mut Text, limits: &'l Limits) -> Self {
        Self {
            text,
            limits,
            budget: Budget::new(limits),
            fonts: Fonts::new(),
            steps: 0,
            known: 0,
            unknown: 0,
        }
    }

    /// Reads a page; `number` is for errors.
    pub(super) fn page(&mut self, number: usize, page: &Page<'a>) -> Result<(), FormatError> {
        let content = self.contents(number, page)?;
        let resources = Resources::new(page.resources.clone());
        let mut layout = Layout::default();
        self.content(&content, Content::new(State::new(), resources, 0), &mut layout)?;
        self.text.end_page();
        Ok(())
    }

    /// The content of a page: one stream, or several that count as one.
    fn contents(&mut self, number: usize, page: &Page<'a>) -> Result<Vec<u8>, FormatError> {
        let missing = || damaged(format!("the content of page {number} is not in the file"));
        let most = self.limits.max_pdf_stream_bytes;
        let mut all = Vec::new();
        if !page.dict.contains_key(CONTENTS) {
            return Ok(all);
        }
        match page.dict.get::<Object<'_>>(CONTENTS).ok_or_else(missing)? {
            Object::Stream(stream) => all = self.expand(number, &stream)?,
            Object::Array(pieces) => {
                for (index, piece) in pieces.raw_iter().enumerate() {
                    let stream: Stream<'_> = match piece {
                        MaybeRef::Ref(at) => page.xref.get(at.into()).ok_or_else(missing)?,
                        MaybeRef::NotRef(_) => return Err(missing()),
                    };
                    all.extend_from_slice(&self.expand(number, &stream)?);
                    // An operator never goes on in the next piece.
                    all.push(b'\n');
                    if all.len() as u64 > most || index > MAX_CONTENTS {
                        let what = "expanded bytes on a page";
                        return Err(over(what, "max_pdf_stream_bytes", most));
                    }
                }
            }
            Object::Null(_) => {}
            _ => return Err(missing()),
        }
        Ok(all)
    }

    fn expand(&mut self, number: usize, stream: &Stream<'a>) -> Result<Vec<u8>, FormatError> {
        self.budget.expand(stream).map(std::borrow::Cow::into_owned).map_err(|error| match error {
            FormatError::DocumentDamaged { problem, .. } => {
                damaged(format!("page {number}: {problem}"))
            }
            other => other,
        })
    }

    fn step(&mut self, steps: usize) -> Result<(), FormatError> {
        self.steps += steps as u64;
        let most = self.limits.max_pdf_steps;
        if self.steps > most {
            return Err(over("steps", "max_pdf_steps", most));
        }
        Ok(())
    }

    fn content(
        &mut self,
        content: &[u8],
        mut now: Content<'a>,
        layout: &mut Layout,
    ) -> Result<(), FormatError> {
        let mut operators = TypedIter::new(content);
        while let Some(operator) = operators.next() {
            self.step(1)?;
            self.operator(&operator, &mut now, layout)?;
        }
        Ok(())
    }

    fn operator(
        &mut self,
        operator: &TypedInstruction<'_, '_>,
        now: &mut Content<'a>,
        layout: &mut Layout,
    ) -> Result<(), FormatError> {
        use TypedInstruction as Op;
        match operator {
            Op::SaveState(_) if now.saved.len() < MAX_SAVED => now.saved.push(now.state.clone()),
            Op::SaveState(_) => return Err(damaged("it saves too many states")),
            Op::RestoreState(_) => {
                if let Some(saved) = now.saved.pop() {
                    now.state = saved;
                }
            }
            Op::Transform(m) => {
                let matrix = Matrix([m.0, m.1, m.2, m.3, m.4, m.5].map(|n| n.as_f64()));
                now.state.page = matrix.then(now.state.page);
            }
            Op::XObject(object) => self.form(object.0, now, layout)?,
            Op::BeginText(_) => {
                now.text = Matrix::IDENTITY;
                now.line = Matrix::IDENTITY;
            }
            Op::CharacterSpacing(n) => now.state.character_space = n.0.as_f64(),
            Op::WordSpacing(n) => now.state.word_space = n.0.as_f64(),
            Op::HorizontalScaling(n) => now.state.scale = n.0.as_f64() / 100.0,
            Op::TextLeading(n) => now.state.leading = n.0.as_f64(),
            Op::TextRise(n) => now.state.rise = n.0.as_f64(),
            Op::TextFont(font) => {
                now.state.size = font.1.as_f64();
                now.state.font = match now.resources.get_font(font.0) {
                    Some(dict) => self.fonts.font(&dict, &mut self.budget)?,
                    None => None,
                };
            }
            Op::SetTextMatrix(m) => {
                now.line = Matrix([m.0, m.1, m.2, m.3, m.4, m.5].map(|n| n.as_f64()));
                now.text = now.line;
            }
            Op::NextLine(by) => now.next_line(by.0.as_f64(), by.1.as_f64()),
            Op::NextLineAndSetLeading(by) => {
                now.state.leading = -by.1.as_f64();
                now.next_line(by.0.as_f64(), by.1.as_f64());
            }
            Op::NextLineUsingLeading(_) => now.next_line(0.0, -now.state.leading),
            Op::ShowText(shown) => self.show(shown.0.as_bytes(), now, layout)?,
            Op::NextLineAndShowText(shown) => {
                now.next_line(0.0, -now.state.leading);
                self.show(shown.0.as_bytes(), now, layout)?;
            }
            Op::ShowTextWithParameters(shown) => {
                now.state.word_space = shown.0.as_f64();
                now.state.character_space = shown.1.as_f64();
                now.next_line(0.0, -now.state.leading);
                self.show(shown.2.as_bytes(), now, layout)?;
            }
            Op::ShowTexts(shown) => {
                for piece in shown.0.iter::<Object<'_>>() {
                    self.step(1)?;
                    match piece {
                        Object::String(shown) => self.show(shown.as_bytes(), now, layout)?,
                        Object::Number(number) => now.adjust(number.as_f64()),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A form: a piece of content that pages share.
    fn form(
        &mut self,
        name: &Name<'_>,
        now: &Content<'a>,
        layout: &mut Layout,
    ) -> Result<(), FormatError> {
        let Some(stream) = now.resources.get_x_object(name) else { return Ok(()) };
        let dict = stream.dict();
        if dict.get::<Name<'_>>(SUBTYPE).is_none_or(|kind| kind.as_ref() != b"Form") {
            return Ok(());
        }
        // A form that contains itself is found by the reader of the syntax, and has no content there.
        if now.forms >= MAX_FORMS {
            return Err(damaged(format!("its forms are nested deeper than {MAX_FORMS}")));
        }
        // To find, expand and begin a form takes far longer than an operator does.
        self.step(FORM_STEPS)?;
        let content = self.budget.expand(&stream)?;
        let mut state = now.state.clone();
        if let Some(matrix) = dict.get::<[f32; 6]>(MATRIX) {
            state.page = Matrix(matrix.map(f64::from)).then(state.page);
        }
        let resources = match dict.get::<Dict<'_>>(RESOURCES) {
            Some(own) => Resources::new(own),
            None => now.resources.clone(),
        };
        self.content(&content, Content::new(state, resources, now.forms + 1), layout)
    }

    /// Shows a string.
    fn show(
        &mut self,
        codes: &[u8],
        now: &mut Content<'a>,
        layout: &mut Layout,
    ) -> Result<(), FormatError> {
        self.step(codes.len())?;
        let Some(font) = now.state.font.clone() else {
            // Without its font nobody knows what the codes stand for.
            self.unknown += codes.len() as u64;
            return Ok(());
        };
        let state = &now.state;
        let em = Matrix([state.size * state.scale, 0.0, 0.0, state.size, 0.0, state.rise]);
        let mut at = 0;
        while at < codes.len() {
            let (code, length) = font.read_code(codes, at);
            at += length.max(1);
            let advance = font.code_advance(code);
            let unit = f64::from(UNITS_PER_EM);
            let (x, y) = (advance.x / unit, advance.y / unit);
            let unicode = match font.glyph(font.map_code(code), code) {
                FontGlyph::Outline(glyph) => glyph.as_unicode(),
                FontGlyph::Type3(glyph) => glyph.as_unicode(),
            };
            let place = em.then(now.text).then(now.state.page);
            let mut one = [0; 4];
            let shown = match &unicode {
                Some(BfString::Char(character)) => {
                    self.known += 1;
                    &*character.encode_utf8(&mut one)
                }
                Some(BfString::String(characters)) => {
                    self.known += 1;
                    characters.as_str()
                }
                None => {
                    self.unknown += 1;
                    "\u{fffd}"
                }
            };
            layout.character(shown, place, (x, y), self.text)?;
            let space = now.state.character_space
                + if code == 32 && length == 1 { now.state.word_space } else { 0.0 };
            if font.is_horizontal() {
                now.advance((x * now.state.size + space) * now.state.scale, 0.0);
            } else {
                now.advance(0.0, y * now.state.size + space);
            }
        }
        Ok(())
    }
}

impl<'a> Content<'a> {
    fn new(state: State<'a>, resources: Resources<'a>, forms: usize) -> Self {
        let (text, line) = (Matrix::IDENTITY, Matrix::IDENTITY);
        Self { state, saved: Vec::new(), resources, text, line, forms }
    }

    fn next_line(&mut self, x: f64, y: f64) {
        self.line = Matrix::translation(x, y).then(self.line);
        self.text = self.line;
    }

    fn advance(&mut self, x: f64, y: f64) {
        self.text = Matrix::translation(x, y).then(self.text);
    }

    /// Moves against the direction of writing, by thousandths of the font's size.
    fn adjust(&mut self, by: f64) {
        let by = -by / 1000.0 * self.state.size;
        if self.state.font.as_ref().is_none_or(|font| font.is_horizontal()) {
            self.advance(by * self.state.scale, 0.0);
        } else {
            self.advance(0.0, by);
        }
    }
}
