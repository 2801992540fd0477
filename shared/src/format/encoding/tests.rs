//! Texts in all kinds of encodings, and where the decision falls.

use std::io::Cursor;

use super::*;
use crate::format::{self, Hints, Limits, Position};

/// The cells of all rows as text (`None`: not UTF-8), and what was detected.
struct Seen {
    rows: Vec<Vec<Option<String>>>,
    raw: Vec<Vec<u8>>,
    after: Vec<Position>,
    detected: format::Detected,
    remarks: Vec<String>,
}

fn read_with(bytes: &[u8], settings: &catalog::Format) -> Seen {
    let input = Cursor::new(bytes.to_vec());
    let (rows, detected) =
        format::open(input, Hints::default(), settings, Limits::default()).expect("opens");
    rest(rows, detected)
}

fn rest(mut rows: format::Rows, detected: format::Detected) -> Seen {
    let (mut seen, mut raw, mut after) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(row) = rows.next().expect("reads") {
        let text = |cell| std::str::from_utf8(cell).ok().map(str::to_owned);
        seen.push(row.cells().map(text).collect());
        raw.push(row.raw().to_vec());
        after.push(rows.position());
    }
    Seen { rows: seen, raw, after, detected, remarks: rows.remarks() }
}

fn read(bytes: &[u8]) -> Seen {
    read_with(bytes, &catalog::Format::default())
}

fn encoded(text: &str, label: &str) -> Vec<u8> {
    let encoding = Encoding::for_label(label).expect("a label").get();
    match encoding.output_encoding() == encoding {
        true => {
            let (bytes, _, lost) = encoding.encode(text);
            assert!(!lost, "{label} has all characters of {text}");
            bytes.into_owned()
        }
        false => {
            let units = text.encode_utf16();
            match encoding == encoding_rs::UTF_16LE {
                true => units.flat_map(u16::to_le_bytes).collect(),
                false => units.flat_map(u16::to_be_bytes).collect(),
            }
        }
    }
}

/// Tables of the words of a language, as a partner would write them.
const TABLES: &[(&str, &str)] = &[
    ("windows-1252", "id;name;city\n1;Müller;Köln\n2;Bäcker Süßkorn;Düsseldorf\n3;Weiß;Gießen\n"),
    ("windows-1252", "id,nom,ville\n1,Hélène,Besançon\n2,Noël,Nîmes\n3,François,Orléans\n"),
    ("windows-1251", "код;имя;город\n1;Анна Иванова;Москва\n2;Пётр Сидоров;Казань\n"),
    ("windows-1250", "id;jméno;město\n1;Žaneta Dvořáková;Plzeň\n2;Jiří Šťastný;Ústí nad Labem\n"),
    ("shift_jis", "番号,名前,都市\n1,山田太郎,東京\n2,鈴木花子,大阪\n3,佐藤さくら,横浜\n"),
    ("gbk", "编号,姓名,城市\n1,王伟,北京\n2,李娜,上海\n3,张敏,广州市天河区\n"),
    ("euc-kr", "번호,이름,도시\n1,김민수,서울\n2,이영희,부산\n3,박지훈,대구광역시\n"),
    ("big5", "編號,姓名,城市\n1,陳怡君,臺北\n2,林志明,高雄\n3,黃淑芬,臺中市\n"),
    ("euc-jp", "番号,名前,都市\n1,山田太郎,東京\n2,鈴木花子,大阪\n3,佐藤さくら,横浜\n"),
    ("windows-1253", "κωδικός;όνομα;πόλη\n1;Γιώργος Παπαδόπουλος;Αθήνα\n2;Μαρία;Θεσσαλονίκη\n"),
];

fn cells(text: &str) -> Vec<Vec<Option<String>>> {
    let rows = text.lines().skip(1);
    rows.map(|row| row.split([',', ';']).map(|cell| Some(cell.to_owned())).collect()).collect()
}

#[test]
fn tables_in_many_encodings_are_read_as_they_were_written() {
    for (label, text) in TABLES {
        let seen = read(&encoded(text, label));
        let found = seen.detected.encoding.map(|encoding| encoding.to_string());
        assert_eq!(seen.rows, cells(text), "{label}, found {found:?}");
        assert_eq!(found.as_deref(), Some(*label));
        let why = seen.detected.evidence.join("\n");
        assert!(why.contains(&format!("encoding {label}: ")), "{why}");
        // The raw row is text, too.
        assert_eq!(seen.raw[0], text.lines().nth(1).expect("a row").as_bytes());
    }
}

#[test]
fn utf_16_is_known_with_and_without_its_mark() {
    let texts = TABLES.iter().map(|(_, text)| *text);
    for text in texts.chain(["a,b\n1,2\n", "id\tname\r\n1\t\u{1f600} smile\r\n"]) {
        for label in ["utf-16le", "utf-16be"] {
            let without = encoded(text, label);
            let with = [encoded("\u{feff}", label), without.clone()].concat();
            for bytes in [with, without] {
                let seen = read(&bytes);
                let columns: Vec<&str> =
                    text.lines().next().expect("a header").split([',', ';', '\t']).collect();
                assert_eq!(seen.detected.columns, columns, "{label}");
                assert_eq!(seen.detected.encoding.map(|e| e.to_string()).as_deref(), Some(label));
                assert!(!seen.detected.can_seek(Position::default()));
                let told = seen.detected.evidence.iter().filter(|why| why.contains("encoding"));
                assert_eq!(told.count(), 1);
                assert!(seen.rows.iter().flatten().all(Option::is_some));
            }
        }
    }
}

#[test]
fn what_is_no_utf_16_is_not_taken_for_it() {
    for bytes in [&b"a,b\n1,\0\n"[..], b"a,b\n1,2\n3,\x004\n", b"\0\0\0\0", b"ab\0\0cd\0\0"] {
        let error = format::open(
            Cursor::new(bytes.to_vec()),
            Hints::default(),
            &catalog::Format::default(),
            Limits::default(),
        );
        assert_eq!(error.err().expect("refused").code(), "unsupported_format", "{bytes:?}");
    }
}

#[test]
fn a_stated_encoding_wins() {
    let stated = |label| catalog::Format {
        encoding: Encoding::for_label(label),
        ..catalog::Format::default()
    };
    let seen = read_with(b"a,b\n\xe9,\xa4\n", &stated("iso-8859-15"));
    assert_eq!(seen.rows, [[Some("é".to_owned()), Some("€".to_owned())]]);
    assert!(seen.detected.evidence.contains(&"encoding iso-8859-15: stated".to_owned()));
    let seen = read_with(b"a,b\n\xe9,1\n", &stated("utf-8"));
    assert_eq!(seen.rows, [[None, Some("1".to_owned())]]);
    // The mark knows which UTF-16 it is.
    let big = [encoded("\u{feff}", "utf-16be"), encoded("a\n1\n", "utf-16be")].concat();
    let seen = read_with(&big, &stated("utf-16"));
    assert_eq!(seen.detected.columns, ["a"]);
    // By hand ISO-2022-JP can be stated; by its escapes it is known, too.
    let japanese = b"id,name\n1,\x1b$B;3ED\x1b(B\n";
    for settings in [stated("iso-2022-jp"), catalog::Format::default()] {
        assert_eq!(read_with(japanese, &settings).rows[0][1].as_deref(), Some("山田"));
    }
}

#[test]
fn what_a_document_declares_of_itself_counts() {
    for (document, label) in [
        (&b"<?xml version=\"1.0\" encoding=\"ISO-8859-2\"?><a>\xb1</a>"[..], Some("iso-8859-2")),
        (b"<?xml version='1.0' encoding='koi8-r'?><a/>", Some("koi8-r")),
        (b"<?xml version='1.0' encoding = \"latin1\" ?>", Some("windows-1252")),
        (b"<?xml encoding='x' ?>", None),
        (b"<?xml encoding='latin1'", None),
        (b"<html><meta charset=windows-1251></html>", Some("windows-1251")),
        (b"<?xml version=\"1.0\"?><a encoding=\"latin1\"/>", None),
        (b"<?xml version=\"1.0\" encoding=\"utf-16\"?><a/>", None),
        (b"a,encoding=\"latin1\"", None),
    ] {
        let found = detect::declared(document).map(|(encoding, _)| encoding.to_string());
        assert_eq!(found.as_deref(), label, "{}", String::from_utf8_lossy(document));
    }
}

#[test]
fn xml_in_the_encoding_that_it_declares_is_read() {
    let xml = "<?xml version=\"1.0\" encoding=\"ISO-8859-2\"?><t><r><n>Žaneta</n></r></t>";
    for text in [xml, &xml.replace("Žaneta", "x"), &xml.replace("8859-2", "8859-15")] {
        let label = if text.contains("8859-15") { "iso-8859-15" } else { "iso-8859-2" };
        let seen = read(&encoded(text, label));
        let name = if text.contains(">x<") { "\"x\"" } else { "\"Žaneta\"" };
        assert_eq!(seen.rows, [[Some(name.to_owned())]], "{text}");
    }
    // The mark knows better.
    let seen = read(&["\u{feff}", xml].concat().into_bytes());
    assert_eq!(seen.rows, [[Some("\"Žaneta\"".to_owned())]]);
}

#[test]
fn a_file_of_utf_8_with_some_bad_bytes_stays_one() {
    for bytes in [
        &b"a,b\n\xc3\xa9,1\n\xff\xff,2\n"[..],
        // Corruption is no letter of any alphabet.
        b"a,b\nx,1\ninvalid_\xff\xff_part,2\n",
        // A character that was cut, as the limits of database columns cut them.
        b"a,b\nx,1\n42 \xe2\x82,2\n",
        // Half of the letters in one encoding, half in the other.
        b"a,b\nH\xc3\xa9l\xc3\xa8ne,1\nH\xe9l\xe8ne,2\n",
    ] {
        let seen = read(bytes);
        assert_eq!(seen.detected.encoding, Some(Encoding::UTF_8));
        assert_eq!(seen.rows[0][1].as_deref(), Some("1"));
        assert_eq!(seen.rows[1], [None, Some("2".to_owned())]);
        assert!(seen.detected.evidence.iter().any(|why| why.contains("malformed")));
    }
}

#[test]
fn malformed_sequences_are_never_replaced_in_silence() {
    let mut bytes = encoded("名前,n\n山田,1\n", "shift_jis");
    bytes.extend(b"\x81\x20,2\n");
    bytes.extend(encoded("東京,3\n", "shift_jis"));
    let settings =
        catalog::Format { encoding: Encoding::for_label("sjis"), ..catalog::Format::default() };
    let seen = read_with(&bytes, &settings);
    assert_eq!(seen.rows[0][0].as_deref(), Some("山田"));
    assert_eq!(seen.rows[1], [None, Some("2".to_owned())]);
    assert_eq!(seen.raw[1], b"\xff ,2");
    assert_eq!(seen.rows[2][0].as_deref(), Some("東京"));
    // Half a pair of surrogates, and half a unit at the end.
    let mut bytes = encoded("\u{feff}a,b\n", "utf-16le");
    bytes.extend([0, 0xd8]);
    bytes.extend(encoded(",2\nx,3", "utf-16le"));
    bytes.push(b'4');
    let seen = read(&bytes);
    assert_eq!(seen.raw, [&b"\xff,2"[..], b"x,3\xff"]);
}

/// ASCII rows of about so many bytes.
fn ascii(length: usize) -> Vec<u8> {
    let mut bytes = b"id,name\n".to_vec();
    let mut n = 0;
    while bytes.len() < length {
        n += 1;
        bytes.extend(format!("{n},name {n}\n").bytes());
    }
    bytes
}

#[test]
fn the_first_letter_decides_however_late_it_comes() {
    for length in [10, 60_000, 65_530, 70_000, 262_200, 600_000] {
        let text = "90,Müller\n91,Süßkorn\n92,Köln\n";
        let before = ascii(length);
        let utf8 = [&before[..], text.as_bytes()].concat();
        let legacy = [&before[..], &encoded(text, "windows-1252")].concat();
        for (bytes, name) in [(utf8, "utf-8"), (legacy, "windows-1252")] {
            let seen = read(&bytes);
            let last = seen.rows.len() - 3;
            assert_eq!(seen.rows[last][1].as_deref(), Some("Müller"), "{name} after {length}");
            assert_eq!(seen.rows[last + 2][1].as_deref(), Some("Köln"));
            assert!(seen.rows.iter().flatten().all(Option::is_some));
            let early = seen.detected.encoding.map(|encoding| encoding.to_string());
            let late = seen.after[last].encoding.or(seen.detected.encoding);
            assert_eq!(late.map(|encoding| encoding.to_string()).as_deref(), Some(name));
            let why = match length < 100_000 {
                true => seen.detected.evidence.join("\n"),
                false => seen.remarks.join("\n"),
            };
            assert_eq!(early.as_deref(), (length < 100_000).then_some(name));
            assert!(why.contains(&format!("encoding {name}")), "{why}");
            let late = format!("the first of them at byte {}", before.len() + 4);
            assert_eq!(why.contains(&late), before.len() + 4 >= sniff::SAMPLE, "{why}");
        }
    }
}

#[test]
fn reading_goes_on_in_the_encoding_that_was_decided_on() {
    // After the letters that decide come such as would decide otherwise.
    let more = [&b"93,\xc3\xa9\n"[..], &b"94,\xe9t\xe9\n".repeat(20)].concat();
    let text = "90,Müller\n91,Süßkorn\n92,Köln\n";
    let before = ascii(300_000);
    let legacy = [&before[..], &encoded(text, "windows-1252"), &more].concat();
    let utf8 = [&before[..], text.repeat(40).as_bytes(), &more].concat();
    // The same as lines of JSON.
    let lines = |bytes: &[u8]| {
        let rows = bytes.split_inclusive(|byte| *byte == b'\n').skip(1);
        let row = |row: &[u8]| [b"{\"a\": \"", row.trim_ascii_end(), b"\"}\n"].concat();
        rows.flat_map(row).collect::<Vec<u8>>()
    };
    for bytes in [lines(&legacy), lines(&utf8), legacy, utf8] {
        let whole = read(&bytes);
        assert_eq!(whole.detected.encoding, None);
        let count = whole.rows.len();
        let (mut sought, mut skipped) = (0, 0);
        for at in (0..count - 200).step_by(1999).chain(count - 200..count) {
            let after = whole.after[at];
            let seeks = whole.detected.can_seek(after);
            let from = if seeks { after.byte_offset as usize } else { 0 };
            *if seeks { &mut sought } else { &mut skipped } += 1;
            let json = serde_json::to_string(&after).expect("JSON");
            let after: Position = serde_json::from_str(&json).expect("back");
            let input = Cursor::new(bytes[from..].to_vec());
            let rows = format::resume(
                input,
                Some(&whole.detected),
                after,
                Hints::default(),
                &crate::catalog::Format::default(),
                Limits::default(),
            );
            let seen = rest(rows.expect("resumes").0, whole.detected.clone());
            assert!(seen.rows == whole.rows[at + 1..], "after row {at}");
            assert!(seen.after == whole.after[at + 1..], "after row {at}");
        }
        assert!(sought > 3, "{sought} places were sought, {skipped} skipped");
    }
}

#[test]
fn a_nul_in_lines_of_json_does_not_hide_the_encoding_from_who_reads_on() {
    let bytes = b"{\"a\": 1}\n{\"a\": \"\0\"}\n{\"a\": \"M\xfcller, K\xf6ln\"}\n";
    let whole = lines_are_gone_on_with_as_they_were_read(bytes);
    assert_eq!(whole.rows[2], [Some("\"M\u{fc}ller, K\u{f6}ln\"".to_owned())]);
}

#[test]
fn lines_that_begin_like_what_is_no_text_are_the_same_to_who_reads_on() {
    let lines = b"\xff\x06\0\0sNaPpY\n{\"a\": 1}\n{\"a\": \"M\xfcller, K\xf6ln\"}\n{\"a\": 2}\n";
    lines_are_gone_on_with_as_they_were_read(lines);
}

fn lines_are_gone_on_with_as_they_were_read(bytes: &[u8]) -> Seen {
    let kind = Some(catalog::FormatKind::Jsonl);
    let settings = catalog::Format { kind, ..catalog::Format::default() };
    let whole = read_with(bytes, &settings);
    for at in 0..whole.rows.len() - 1 {
        let after = whole.after[at];
        let from = Cursor::new(bytes[whole.detected.seek(after) as usize..].to_vec());
        let (found, limits) = (Some(&whole.detected), Limits::default());
        let rows = format::resume(from, found, after, Hints::default(), &settings, limits);
        let seen = rest(rows.expect("resumes").0, whole.detected.clone());
        assert!(seen.rows == whole.rows[at + 1..], "after row {at}");
        assert!(seen.after == whole.after[at + 1..], "after row {at}");
    }
    whole
}

#[test]
fn a_guess_of_the_file_before_does_not_win_over_what_many_letters_say() {
    let russian = encoded(&"имя;город\nПётр;Пермь\nАнна;Москва\n".repeat(20), "windows-1251");
    let german = encoded(&"Name;Straße\nMüller;Königsallee\n".repeat(20), "windows-1252");
    let latin = crate::catalog::Encoding::for_label("iso-8859-15");
    let western = crate::catalog::Encoding::for_label("windows-1252");
    for (bytes, before, expected) in [
        (&russian, western, "windows-1251"),
        // Of one family: the series stays with it.
        (&german, latin, "ISO-8859-15"),
        // Few letters say nothing that the file before does not say better.
        (&encoded("Name;Ort\nJürgen;Bonn\n", "windows-1252"), latin, "ISO-8859-15"),
    ] {
        let (found, why) = super::detect::beyond_ascii(bytes, 0, true, before);
        assert_eq!(found.get().name(), expected, "{why}");
    }
}
