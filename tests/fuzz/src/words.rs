//! What is untrusted besides files: messages, keys, definitions, values, schedules.

use inlet::catalog::{Catalog, Connection, Field, FieldType, PathPattern, RefreshSchedule, Source};
use inlet::failure::{Disposition, Failure};
use inlet::notice::{self, DeadLetter, Notice, Order, OrderReason};
use jiff::Timestamp;

use crate::check::{self, Way};
use crate::choose::Choices;

/// Messages of a queue.
pub fn message(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = notice::read(text);
    let malformed = |malformed: &notice::Malformed| {
        check::told(&Failure::from(malformed));
        // What is put aside can be sent again.
        let _again = notice::read(&malformed.raw);
    };
    match &read {
        Err(error) => {
            assert_eq!(error.raw, text);
            malformed(error);
        }
        Ok(notices) => {
            assert!(!notices.is_empty(), "a message was lost");
            for notice in notices {
                match notice {
                    Notice::Malformed(error) => malformed(error),
                    Notice::Look(order) => {
                        assert_eq!(
                            notice::read(&order.to_body()).as_deref(),
                            Ok(&[notice.clone()][..])
                        );
                    }
                    Notice::Object(told) => {
                        let object = &told.event.object;
                        assert!(!object.bucket.is_empty() && !object.key.is_empty());
                        let mut order = Order::new(object.clone(), OrderReason::Again);
                        order.notice = Some(told.clone());
                        let again = notice::read(&order.to_body());
                        assert_eq!(again.as_deref(), Ok(&[Notice::Look(order)][..]));
                    }
                    Notice::Ignored(ignored) => assert!(!ignored.reason.to_string().is_empty()),
                }
            }
        }
    }
    let cause = Failure::new("x", "y", "z", Disposition::DeadLetter);
    let letter = DeadLetter::new(cause, Timestamp::UNIX_EPOCH, text).to_body();
    match (notice::read(&letter), read) {
        (Ok(again), Ok(first)) => assert_eq!(again, first),
        (Err(_), Err(_)) => {}
        // One more envelope may be one too many.
        (Err(error), Ok(_)) => assert_eq!(error.cause.code(), "too_deep", "{error}"),
        (Ok(again), Err(error)) => panic!("{error} became {again:?}"),
    }
}

/// Patterns of paths, and keys.
pub fn path(data: &[u8]) {
    let mut choices = Choices::new(data);
    let pattern = String::from_utf8_lossy(choices.until(b'\n'));
    let key = String::from_utf8_lossy(choices.rest());
    match PathPattern::parse(&pattern) {
        Err(error) => {
            assert!(!error.message.is_empty() && !error.remedy.is_empty(), "{error:?}");
            assert!(
                error.position >= 1 && error.position <= pattern.chars().count() + 1,
                "{error:?}"
            );
        }
        Ok(parsed) => {
            assert_eq!(parsed.as_str(), pattern);
            let stored = serde_json::to_string(&parsed).expect("a pattern is JSON");
            let again: PathPattern = serde_json::from_str(&stored).expect("JSON is a pattern");
            assert_eq!(again, parsed);
            let Some(captures) = parsed.matches(&key) else { return };
            assert!(key.starts_with(parsed.literal_prefix()));
            for (name, text) in captures.iter() {
                assert!(parsed.has_capture(name));
                assert!(!text.is_empty() && !text.contains('/'), "{text:?}");
                assert!(key.contains(text));
            }
        }
    }
}

/// Definitions of connections and sources.
pub fn catalog(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (connection, source) = text.split_once('\u{1c}').unwrap_or(("", &text));
    if let Ok(source) = Source::from_toml("a.toml", source) {
        let stored = serde_json::to_string(&source).expect("a source is JSON");
        let again: Source = serde_json::from_str(&stored).expect("JSON is a source");
        assert_eq!(again, source);
        assert_eq!(again.fingerprint(), source.fingerprint());
        for key in ["a.csv", "x/y/z.csv.gz", "", "/", ".csv"] {
            if let Some(captures) = source.path.matches(key) {
                let _table = source.table(&captures, key);
            }
        }
    }
    match Catalog::from_toml(&[("connections/c.toml", connection)], &[("sources/a.toml", source)]) {
        Ok(catalog) => {
            for connection in catalog.connections() {
                let stored = serde_json::to_string(connection).expect("a connection is JSON");
                let again: Connection = serde_json::from_str(&stored).expect("JSON");
                assert_eq!(again, *connection);
            }
            let again = Catalog::new(
                catalog.connections().filter(|c| c.key != "inlet").cloned().collect(),
                catalog.sources().to_vec(),
            );
            assert_eq!(again.expect("what was good stays good").sources(), catalog.sources());
        }
        Err(problems) => {
            assert!(!problems.as_slice().is_empty());
            for problem in problems.as_slice() {
                assert!(!problem.message.is_empty(), "{problem:?}");
                let lines = text.split('\n').count() as u32 + 1;
                assert!(problem.line <= lines, "{problem:?}");
            }
        }
    }
}

const TYPES: [Option<FieldType>; 13] = [
    None,
    Some(FieldType::Text),
    Some(FieldType::Integer),
    Some(FieldType::Decimal),
    Some(FieldType::Number),
    Some(FieldType::Boolean),
    Some(FieldType::Date),
    Some(FieldType::Datetime),
    Some(FieldType::Time),
    Some(FieldType::Email),
    Some(FieldType::Url),
    Some(FieldType::Uuid),
    Some(FieldType::Json),
];

/// One column under every rule, as text and as JSON. What a type gives is a value of the type.
pub fn field(data: &[u8]) {
    let mut choices = Choices::new(data);
    let kind = choices.one(&TYPES);
    let mut toml = String::new();
    if let Some(kind) = kind {
        toml.push_str(&format!("type = {}\n", serde_json::json!(kind)));
    }
    let set = choices.byte();
    let shape = choices.byte();
    let mut state = |bit: u8, name: &str| {
        if set & (1 << bit) != 0 {
            let text = String::from_utf8_lossy(choices.until(b'\n')).into_owned();
            toml.push_str(&format!("{name} = {}\n", serde_json::json!(text)));
        }
    };
    state(0, "format");
    state(1, "pattern");
    state(2, "min");
    state(3, "max");
    state(4, "default");
    state(5, "decimal");
    state(6, "group");
    state(7, "timezone");
    if shape & 1 != 0 {
        toml.push_str("required = true\n");
    }
    if shape & 2 != 0 {
        toml.push_str("allowed = ['a', '1', '2026-02-01']\n");
    }
    if shape & 4 != 0 {
        toml.push_str("null_values = ['', '-']\ntrue_values = ['a']\nfalse_values = ['b']\n");
    }
    if shape & 8 != 0 && kind.is_none_or(|kind| kind == FieldType::Text) {
        toml.push_str("min_length = 1\nmax_length = 3\ntrim = true\n");
    }
    if shape & 16 != 0 {
        toml.push_str("unique = true\n");
    }
    let source = format!("key = 'a'\nconnection = 'inlet'\nbucket = 'one'\n[fields.a]\n{toml}");
    let source = match Source::from_toml("a.toml", &source) {
        Ok(source) => source,
        Err(problems) => {
            assert!(!problems.to_string().is_empty());
            return;
        }
    };
    let values = choices.rest();
    let mut way = of_one_column(source.fields);
    let file = [b"a\n", values].concat();
    if shape & 32 != 0 {
        // The same rule over values of JSON.
        way.name = "a.jsonl".to_owned();
        way.format = inlet::catalog::Format::default();
        way.format.kind = Some(inlet::catalog::FormatKind::Jsonl);
        check::all(&way, values);
        return;
    }
    check::all(&way, &file);
    let Some(kind) = kind.filter(|kind| *kind != FieldType::Json) else { return };
    // What came out goes through as it is under the bare type.
    let Some(lines) = check::lines(&way, &file) else { return };
    let field =
        Field { column: "a".into(), name: "a".into(), kind: Some(kind), ..Field::default() };
    let (mut again, mut expected) = (String::from("a\n"), Vec::new());
    for value in lines {
        let text = match &value {
            serde_json::Value::Null => continue,
            serde_json::Value::String(text) => text.clone(),
            // Digits that this parser does not keep.
            serde_json::Value::Number(_) => continue,
            other => other.to_string(),
        };
        if text.is_empty() || text.contains(['\n', '\r']) {
            continue;
        }
        again.push_str(&text);
        again.push('\n');
        expected.push(value);
    }
    let found = check::lines(&of_one_column(vec![field]), again.as_bytes());
    assert_eq!(found.as_ref(), Some(&expected), "{again:?}");
}

/// A file of one column, of which every line is a value.
fn of_one_column(fields: Vec<Field>) -> Way {
    let mut way = Way::of_kind("a.csv", inlet::catalog::FormatKind::Csv);
    way.format.delimiter = Some("\u{1}".to_owned());
    way.format.quote = Some(inlet::catalog::Mark(None));
    way.format.escape = Some(inlet::catalog::Mark(None));
    way.format.comment = Some(inlet::catalog::Mark(None));
    way.format.header = Some(true);
    way.format.units_row = Some(false);
    way.format.preamble = Some(false);
    way.format.skip_footer_lines = Some(0);
    way.format.encoding = inlet::catalog::Encoding::for_label("utf-8");
    way.fields = fields;
    way
}

/// Schedules: what fires between two times fires before or after any time between them.
pub fn schedule(data: &[u8]) {
    let mut choices = Choices::new(data);
    let zone =
        choices.one(&[None, Some("Europe/Paris"), Some("America/New_York"), Some("Pacific/Apia")]);
    // Two hundred years, and within a year of them: farther back nobody looks.
    let begin = (choices.number() % (200 * 366 * 86_400)) as i64 - 40 * 366 * 86_400;
    let mut step = || (choices.number() % (180 * 86_400)) as i64;
    let steps = [0, step(), step()];
    let mut second = begin;
    let times = steps.map(|step| {
        second += step;
        Timestamp::from_second(second).expect("a time")
    });
    let [first, between, last] = times;
    let text = String::from_utf8_lossy(choices.rest()).into_owned();
    let toml = format!(
        "key = 'a'\nconnection = 'inlet'\nbucket = 'one'\n[refresh]\nschedule = {}\n",
        serde_json::json!(text)
    );
    let valid = match Source::from_toml("a.toml", &toml) {
        Ok(_) => true,
        Err(problems) => {
            assert!(!problems.to_string().is_empty());
            false
        }
    };
    let schedule = RefreshSchedule {
        schedule: Some(text.clone()),
        poll: Some(text.clone()),
        timezone: zone.map(str::to_owned),
    };
    let fired = |after, until| schedule.full_fired(after, until);
    assert_eq!(fired(first, last), schedule.poll_fired(first, last));
    if !valid {
        return;
    }
    // A cron is a set of times; a rate is a distance.
    let parts = fired(first, between) || fired(between, last);
    if text.starts_with("rate") {
        assert!(!parts || fired(first, last), "{text:?} at {times:?}");
    } else {
        assert_eq!(parts, fired(first, last), "{text:?} at {times:?}");
    }
    assert!(!fired(first, first) || text.starts_with("rate"), "{text:?} at {first}");
}
