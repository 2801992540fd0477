//! The nested values of a row, put together from the levels of its columns.
//!
//! Each column of a Parquet file is a sequence of values with two levels: how far down the schema
//! the value is there, and which of the lists around it goes on with it. This is the algorithm of the
//! Dremel paper. The one in the crate `parquet` that does without Apache Arrow is known to be wrong for
//! some lists; this one writes JSON at once, without a tree of values.

use std::ops::Range;

use parquet::basic::{ConvertedType, LogicalType, Repetition};
use parquet::errors::Result;
use parquet::schema::types::Type;

use super::super::typed::{self, Problem};
use super::column::Column;
use super::value::Meaning;

/// One field of the schema.
#[derive(Debug)]
pub(super) struct Field {
    node: Node,
    /// The definition level from which the field is not null.
    def: i16,
    /// The columns in it.
    leaves: Range<usize>,
}

#[derive(Debug)]
enum Node {
    Leaf,
    /// Names with quotes and colon.
    Group(Vec<(Vec<u8>, Field)>),
    List {
        element: Box<Field>,
        levels: Levels,
    },
    Map {
        key: Box<Field>,
        value: Box<Field>,
        levels: Levels,
    },
}

/// The levels of a list's elements.
#[derive(Clone, Copy, Debug)]
struct Levels {
    def: i16,
    rep: i16,
}

/// The fields of a schema, and what each of its columns means.
pub(super) fn fields(root: &Type) -> std::result::Result<(Vec<Field>, Vec<Meaning>), Problem> {
    let mut meanings = Vec::new();
    let fields = root
        .get_fields()
        .iter()
        .map(|field| build(field, Levels { def: 0, rep: 0 }, &mut meanings))
        .collect::<std::result::Result<_, _>>()?;
    Ok((fields, meanings))
}

fn build(
    schema: &Type,
    mut at: Levels,
    meanings: &mut Vec<Meaning>,
) -> std::result::Result<Field, Problem> {
    let info = schema.get_basic_info();
    let repetition = if info.has_repetition() { info.repetition() } else { Repetition::REQUIRED };
    let first = meanings.len();
    match repetition {
        Repetition::REQUIRED => {}
        Repetition::OPTIONAL => at.def += 1,
        // A list without a group around it is always there.
        Repetition::REPEATED => {
            let levels = Levels { def: at.def + 1, rep: at.rep + 1 };
            let element = Box::new(build_node(schema, levels, meanings)?);
            let leaves = first..meanings.len();
            return list_field(Node::List { element, levels }, at.def, leaves);
        }
    }
    build_node(schema, at, meanings)
}

/// The field without regard to its own repetition.
fn build_node(
    schema: &Type,
    at: Levels,
    meanings: &mut Vec<Meaning>,
) -> std::result::Result<Field, Problem> {
    let first = meanings.len();
    if schema.is_primitive() {
        meanings.push(Meaning::of(schema)?);
        return Ok(Field { node: Node::Leaf, def: at.def, leaves: first..first + 1 });
    }
    let inner = Levels { def: at.def + 1, rep: at.rep + 1 };
    if let [repeated] = schema.get_fields()
        && is_repeated(repeated)
    {
        if is_list(schema) {
            let element = match element_of(schema, repeated) {
                Some(element) => build(element, inner, meanings)?,
                None => build_node(repeated, inner, meanings)?,
            };
            let node = Node::List { element: Box::new(element), levels: inner };
            return list_field(node, at.def, first..meanings.len());
        }
        if is_map(schema) && !repeated.is_primitive() {
            if let [key, value] = repeated.get_fields() {
                let key = Box::new(build(key, inner, meanings)?);
                let value = Box::new(build(value, inner, meanings)?);
                let node = Node::Map { key, value, levels: inner };
                return list_field(node, at.def, first..meanings.len());
            }
            // A map without values is a list of keys.
            if let [key] = repeated.get_fields() {
                let element = Box::new(build(key, inner, meanings)?);
                let node = Node::List { element, levels: inner };
                return list_field(node, at.def, first..meanings.len());
            }
        }
    }
    let mut members = Vec::new();
    for member in schema.get_fields() {
        let mut name = Vec::new();
        typed::text(member.name(), &mut name);
        name.push(b':');
        members.push((name, build(member, at, meanings)?));
    }
    Ok(Field { node: Node::Group(members), def: at.def, leaves: first..meanings.len() })
}

fn list_field(node: Node, def: i16, leaves: Range<usize>) -> std::result::Result<Field, Problem> {
    // Without a column in it nobody could tell how long a list is.
    if leaves.is_empty() {
        return Err("a list of the schema has no column");
    }
    Ok(Field { node, def, leaves })
}

fn is_repeated(schema: &Type) -> bool {
    let info = schema.get_basic_info();
    info.has_repetition() && info.repetition() == Repetition::REPEATED
}

fn is_list(schema: &Type) -> bool {
    let info = schema.get_basic_info();
    matches!(info.logical_type_ref(), Some(LogicalType::List))
        || info.converted_type() == ConvertedType::LIST
}

fn is_map(schema: &Type) -> bool {
    let info = schema.get_basic_info();
    matches!(info.logical_type_ref(), Some(LogicalType::Map))
        || matches!(info.converted_type(), ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE)
}

/// The element of a list with three levels; `None`: the repeated field is the element itself, as old
/// programs write it (the rules are those of the format's specification).
fn element_of<'t>(list: &Type, repeated: &'t Type) -> Option<&'t Type> {
    if repeated.is_primitive() {
        return None;
    }
    let [element] = repeated.get_fields() else { return None };
    let is_legacy =
        repeated.name() == "array" || repeated.name() == format!("{}_tuple", list.name());
    let is_itself = is_legacy && !is_list(repeated) && !is_repeated(element);
    (!is_itself).then_some(element)
}

impl Field {
    /// Appends the field's next value as JSON. `most`: how long the output may become; beyond that
    /// the rest is passed over, and the output is longer than that.
    pub(super) fn write(
        &self,
        columns: &mut [Column],
        out: &mut Vec<u8>,
        most: usize,
    ) -> Result<()> {
        if out.len() > most {
            return Ok(());
        }
        if let Node::Leaf = self.node {
            return columns[self.leaves.start].write(out);
        }
        // A group without columns cannot say that it is null.
        let Some(first) = columns.get(self.leaves.start).filter(|_| !self.leaves.is_empty()) else {
            out.extend_from_slice(b"{}");
            return Ok(());
        };
        let def = first.def_level();
        if def < self.def {
            out.extend_from_slice(b"null");
            return self.pass(columns);
        }
        match &self.node {
            Node::Leaf => {}
            Node::Group(members) => {
                out.push(b'{');
                for (at, (name, member)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(name);
                    member.write(columns, out, most)?;
                }
                out.push(b'}');
            }
            Node::List { levels, .. } | Node::Map { levels, .. } if def < levels.def => {
                let empty: &[u8] =
                    if matches!(self.node, Node::List { .. }) { b"[]" } else { b"{}" };
                out.extend_from_slice(empty);
                return self.pass(columns);
            }
            Node::List { element, levels } => {
                out.push(b'[');
                loop {
                    element.write(columns, out, most)?;
                    if !self.goes_on(columns, *levels) || out.len() > most {
                        break;
                    }
                    out.push(b',');
                }
                out.push(b']');
            }
            Node::Map { key, value, levels } => {
                out.push(b'{');
                loop {
                    let start = out.len();
                    key.write(columns, out, most)?;
                    as_name(out, start);
                    out.push(b':');
                    value.write(columns, out, most)?;
                    if !self.goes_on(columns, *levels) || out.len() > most {
                        break;
                    }
                    out.push(b',');
                }
                out.push(b'}');
            }
        }
        Ok(())
    }

    fn goes_on(&self, columns: &[Column], levels: Levels) -> bool {
        columns[self.leaves.start].rep_level() >= levels.rep
    }

    fn pass(&self, columns: &mut [Column]) -> Result<()> {
        columns[self.leaves.clone()].iter_mut().try_for_each(Column::pass)
    }
}

/// Makes a name of the value that begins at `start`: JSON has no other keys than text.
fn as_name(out: &mut Vec<u8>, start: usize) {
    if out.get(start) == Some(&b'"') {
        return;
    }
    let value = String::from_utf8_lossy(&out[start..]).into_owned();
    out.truncate(start);
    typed::text(&value, out);
}
