//! The schema of an Avro file, resolved so that values can be read without looking names up.

use std::collections::HashMap;

use serde_json::Value;

use super::super::typed;

/// Types of one schema.
const MAX_TYPES: usize = 100_000;

/// A type, by its place in the schema.
pub(super) type Id = usize;

/// One type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed(usize),
    /// The symbols as JSON.
    Enum(Vec<String>),
    Array(Id),
    Map(Id),
    Union(Vec<Id>),
    Record(Vec<Member>),
    /// `fixed`: how many bytes; else their number stands before them.
    Decimal {
        scale: usize,
        fixed: Option<usize>,
    },
    BigDecimal,
    Date,
    TimeMillis,
    TimeMicros,
    Timestamp {
        per_second: i128,
        utc: bool,
    },
    Uuid,
    Duration,
}

/// One field of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    /// The name with quotes and colon.
    pub(super) key: Vec<u8>,
    pub(super) value: Id,
}

/// A schema.
#[derive(Debug, Default)]
pub(super) struct Schema {
    types: Vec<Type>,
    names: HashMap<String, Id>,
}

impl Schema {
    /// Reads a schema; the type of a row is the one returned.
    pub(super) fn parse(json: &[u8]) -> Result<(Self, Id), String> {
        // This also bounds how deeply it is nested, to 128.
        let json: Value = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        let mut schema = Self::default();
        let row = schema.read(&json, "")?;
        Ok((schema, row))
    }

    /// The type at a place.
    pub(super) fn get(&self, id: Id) -> &Type {
        &self.types[id]
    }

    fn add(&mut self, found: Type) -> Result<Id, String> {
        if self.types.len() == MAX_TYPES {
            return Err(format!("more than {MAX_TYPES} types"));
        }
        self.types.push(found);
        Ok(self.types.len() - 1)
    }

    fn read(&mut self, json: &Value, namespace: &str) -> Result<Id, String> {
        match json {
            Value::String(name) => self.named(name, namespace),
            Value::Array(branches) => {
                let branches = branches.iter().map(|branch| self.read(branch, namespace));
                let branches = branches.collect::<Result<_, _>>()?;
                self.add(Type::Union(branches))
            }
            Value::Object(json) => match json.get("type") {
                Some(Value::String(kind)) => self.described(kind, json, namespace),
                // `{"type": {"type": "int"}}`
                Some(inner) => self.read(inner, namespace),
                None => Err("a type without \"type\"".to_owned()),
            },
            _ => Err("a type that is neither a name, an object nor a list".to_owned()),
        }
    }

    fn named(&mut self, name: &str, namespace: &str) -> Result<Id, String> {
        if let Some(primitive) = primitive(name) {
            return self.add(primitive);
        }
        let full = full_name(name, namespace);
        let found = self.names.get(&full).or_else(|| self.names.get(name));
        found.copied().ok_or_else(|| format!("the unknown type {name:?}"))
    }

    fn described(
        &mut self,
        kind: &str,
        json: &serde_json::Map<String, Value>,
        namespace: &str,
    ) -> Result<Id, String> {
        match kind {
            "record" | "error" => {
                let (id, namespace) = self.declare(json, namespace)?;
                let fields = json.get("fields").and_then(Value::as_array);
                let mut members = Vec::new();
                for field in fields.ok_or("a record without fields")? {
                    let name = field.get("name").and_then(Value::as_str);
                    let name = name.ok_or("a field without a name")?;
                    let value = field.get("type").ok_or("a field without a type")?;
                    let value = match value {
                        // The logical type may stand beside a name, in the field itself.
                        Value::String(_) if field.get("logicalType").is_some() => {
                            self.read(field, &namespace)?
                        }
                        value => self.read(value, &namespace)?,
                    };
                    let mut key = Vec::new();
                    typed::text(name, &mut key);
                    key.push(b':');
                    members.push(Member { name: name.to_owned(), key, value });
                }
                self.types[id] = Type::Record(members);
                Ok(id)
            }
            "enum" => {
                let (id, _) = self.declare(json, namespace)?;
                let symbols = json.get("symbols").and_then(Value::as_array);
                let symbols = symbols.ok_or("an enum without symbols")?.iter();
                let symbols = symbols.map(|symbol| match symbol {
                    Value::String(_) => Ok(symbol.to_string()),
                    _ => Err("a symbol that is no text"),
                });
                self.types[id] = Type::Enum(symbols.collect::<Result<_, _>>()?);
                Ok(id)
            }
            "fixed" => {
                let (id, _) = self.declare(json, namespace)?;
                let size = json.get("size").and_then(Value::as_u64);
                let size = size.and_then(|size| usize::try_from(size).ok());
                let size = size.ok_or("a fixed type without a size")?;
                self.types[id] = logical(Type::Fixed(size), json);
                Ok(id)
            }
            "array" => {
                let items =
                    self.read(json.get("items").ok_or("an array without items")?, namespace)?;
                self.add(Type::Array(items))
            }
            "map" => {
                let values =
                    self.read(json.get("values").ok_or("a map without values")?, namespace)?;
                self.add(Type::Map(values))
            }
            name => match primitive(name) {
                Some(primitive) => self.add(logical(primitive, json)),
                None => self.named(name, namespace),
            },
        }
    }

    /// Makes room for a type with a name, which may occur within itself; and its namespace.
    fn declare(
        &mut self,
        json: &serde_json::Map<String, Value>,
        namespace: &str,
    ) -> Result<(Id, String), String> {
        let name = json.get("name").and_then(Value::as_str).ok_or("a type without a name")?;
        let namespace = json.get("namespace").and_then(Value::as_str).unwrap_or(namespace);
        let full = full_name(name, namespace);
        let namespace = full.rsplit_once('.').map_or("", |(namespace, _)| namespace).to_owned();
        let id = self.add(Type::Null)?;
        if self.names.insert(full, id).is_some() {
            return Err(format!("the type {name:?} twice"));
        }
        Ok((id, namespace))
    }
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{namespace}.{name}")
    }
}

fn primitive(name: &str) -> Option<Type> {
    Some(match name {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "int" => Type::Int,
        "long" => Type::Long,
        "float" => Type::Float,
        "double" => Type::Double,
        "bytes" => Type::Bytes,
        "string" => Type::String,
        _ => return None,
    })
}

/// What a logical type makes of a type; one that does not fit is passed over, as the format's
/// specification says.
fn logical(found: Type, json: &serde_json::Map<String, Value>) -> Type {
    let timestamp = |per_second, utc| Type::Timestamp { per_second, utc };
    let Some(name) = json.get("logicalType").and_then(Value::as_str) else { return found };
    match (name, &found) {
        ("decimal", Type::Bytes | Type::Fixed(_)) => {
            let scale = json.get("scale").map_or(Some(0), Value::as_u64);
            let scale = scale.and_then(|scale| usize::try_from(scale).ok());
            let fixed = if let Type::Fixed(size) = found { Some(size) } else { None };
            match scale.filter(|scale| *scale <= typed::MAX_SCALE) {
                Some(scale) => Type::Decimal { scale, fixed },
                None => found,
            }
        }
        ("big-decimal", Type::Bytes) => Type::BigDecimal,
        ("date", Type::Int) => Type::Date,
        ("time-millis", Type::Int) => Type::TimeMillis,
        ("time-micros", Type::Long) => Type::TimeMicros,
        ("timestamp-millis", Type::Long) => timestamp(1_000, true),
        ("timestamp-micros", Type::Long) => timestamp(1_000_000, true),
        ("timestamp-nanos", Type::Long) => timestamp(1_000_000_000, true),
        ("local-timestamp-millis", Type::Long) => timestamp(1_000, false),
        ("local-timestamp-micros", Type::Long) => timestamp(1_000_000, false),
        ("local-timestamp-nanos", Type::Long) => timestamp(1_000_000_000, false),
        ("uuid", Type::Fixed(16)) => Type::Uuid,
        ("duration", Type::Fixed(12)) => Type::Duration,
        _ => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_their_namespace_and_within_themselves() {
        let json = br#"{"type": "record", "name": "a.b.Node", "fields": [
            {"name": "next", "type": ["null", "Node"]},
            {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["X", "Y\""]}},
            {"name": "again", "type": "a.b.Kind"}]}"#;
        let (schema, row) = Schema::parse(json).expect("a schema");
        let Type::Record(members) = schema.get(row) else { panic!("a record") };
        let Type::Union(branches) = schema.get(members[0].value) else { panic!("a union") };
        assert_eq!(branches[1], row);
        assert_eq!(members[1].value, members[2].value);
        let symbols = vec!["\"X\"".to_owned(), "\"Y\\\"\"".to_owned()];
        assert_eq!(schema.get(members[2].value), &Type::Enum(symbols));
    }

    #[test]
    fn a_schema_that_is_none_is_refused() {
        for json in [
            "",
            "1",
            "{}",
            "\"Unknown\"",
            r#"{"type": "record", "name": "R"}"#,
            r#"{"type": "record", "fields": []}"#,
            r#"{"type": "fixed", "name": "F", "size": -1}"#,
            r#"{"type": "array"}"#,
        ] {
            assert!(Schema::parse(json.as_bytes()).is_err(), "{json}");
        }
        let deep = format!("{}\"int\"{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Schema::parse(deep.as_bytes()).is_err());
    }
}
