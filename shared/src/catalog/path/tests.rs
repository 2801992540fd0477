//! What patterns match, capture and refuse.

#![allow(clippy::unwrap_used, reason = "a test says where it failed")]

use super::*;

fn matches(pattern: &str, key: &str) -> bool {
    PathPattern::parse(pattern).unwrap().matches(key).is_some()
}

fn captured(pattern: &str, key: &str, name: &str) -> Option<String> {
    let pattern = PathPattern::parse(pattern).unwrap();
    pattern.matches(key)?.get(name).map(str::to_owned)
}

#[test]
fn wildcards_stay_within_a_segment() {
    assert!(matches("a/*.csv", "a/b.csv"));
    assert!(matches("a/*.csv", "a/.csv"));
    assert!(!matches("a/*.csv", "a/b/c.csv"));
    assert!(matches("a/??.csv", "a/äß.csv"));
    assert!(!matches("a/?b.csv", "a//b.csv"));
    assert!(!matches("a/*.csv", "a/b.csv.bak"));
    assert!(!matches("a/*.csv", "x/a/b.csv"));
}

#[test]
fn two_stars_take_any_number_of_segments_also_none() {
    for key in ["a.csv", "x/a.csv", "x/y/z/a.csv", "x//a.csv"] {
        assert!(matches("**/*.csv", key), "{key}");
    }
    assert!(matches("a/**/b/*.csv", "a/b/c.csv"));
    assert!(matches("a/**/b/*.csv", "a/b/b/c.csv"));
    assert!(!matches("a/**/b/*.csv", "ab/c.csv"));
    assert!(matches("a/**", "a/b"));
    assert!(matches("a/**", "a/b/c/d.txt"));
    assert!(matches("**", "a"));
    assert!(!matches("a/**", "a"));
}

#[test]
fn folder_markers_are_not_taken() {
    assert!(!matches("a/**", "a/"));
    assert!(!matches("a/**", "a/b/"));
    assert!(!matches("a/*", "a/"));
}

#[test]
fn captures_name_the_parts() {
    let pattern = "daily/{table}/**/{day}.{csv,xlsx}";
    assert_eq!(captured(pattern, "daily/deals/2026/02/01.csv", "table").as_deref(), Some("deals"));
    assert_eq!(captured(pattern, "daily/deals/01.csv", "day").as_deref(), Some("01"));
    assert_eq!(captured(pattern, "daily//01.csv", "table"), None, "a capture is never empty");
    assert_eq!(captured("{table}-????-??.csv", "a-b-2026-01.csv", "table").as_deref(), Some("a-b"));
    assert_eq!(captured("{a}-{b}", "x-y-z", "a").as_deref(), Some("x-y"), "the first takes more");
    assert_eq!(captured("{a}-{b}", "x-y-z", "b").as_deref(), Some("z"));
    assert_eq!(
        captured("Ümsätze/{t}.csv", "Ümsätze/Größe 1+2.csv", "t").as_deref(),
        Some("Größe 1+2")
    );
}

#[test]
fn only_extensions_ignore_case() {
    assert!(matches("Daily/*.csv", "Daily/x.CSV"));
    assert!(!matches("Daily/*.csv", "daily/x.csv"));
    assert!(!matches("Report.csv", "report.csv"));
    for key in
        ["a.csv", "a.CSV", "a.Csv.Gz", "a.TSV.gz", "a.json", "b/a.NDJSON.gz", "a.jsonl", "a.xml"]
    {
        assert!(matches(SUPPORTED_FILES, key), "{key}");
    }
    for pattern in ["*.csv.gz", "*.csv{,.gz}", "*{.csv,.csv.gz}", "*.csv.{gz}", "*.{csv,tsv}.gz"] {
        assert!(matches(pattern, "a.CSV.GZ"), "{pattern}");
    }
    assert!(!matches("Final.Report.csv", "Final.report.csv"));
    assert!(!matches("{EU,US}", "eu"), "alternatives without a dot are no extension");
}

#[test]
fn braces_are_captures_or_alternatives() {
    assert!(matches("{daily,weekly}/*.csv", "weekly/a.csv"));
    assert!(!matches("{daily,weekly}/*.csv", "monthly/a.csv"));
    assert!(matches("*.csv{,.gz}", "a.csv"));
    assert!(matches("{a*,b?}.csv", "axx.csv"));
    assert!(matches("*.{csv}", "a.csv") && !matches("*.{csv}", "a.tsv"));
    assert_eq!(captured("orders.{region}.csv", "orders.eu.csv", "region").as_deref(), Some("eu"));
}

#[test]
fn a_backslash_makes_a_character_literal() {
    assert!(matches(r"a\*b", "a*b") && !matches(r"a\*b", "axb"));
    assert!(matches(r"\{x\}\[1\]\\", r"{x}[1]\"));
    assert!(matches(r"{a\,b,c}", "a,b"));
    assert!(matches(r"\/a", "/a"));
}

#[test]
fn the_literal_prefix_ends_at_the_first_special() {
    for (pattern, prefix) in [
        ("daily/{table}/*.csv", "daily/"),
        ("daily/20??/x.csv", "daily/20"),
        ("**/*.csv", ""),
        (r"a\*b/*", "a*b/"),
        ("exports/deals.csv", "exports/deals."),
        ("exports/deals.2026.csv.gz", "exports/deals.2026."),
        ("exports/deals", "exports/deals"),
    ] {
        assert_eq!(PathPattern::parse(pattern).unwrap().literal_prefix(), prefix, "{pattern}");
    }
}

#[test]
fn every_literal_prefix_begins_every_key_that_matches() {
    for (pattern, key) in
        [("exports/deals.csv", "exports/deals.CSV"), ("a.csv.gz", "a.CSV.gz"), ("x/{a}", "x/y")]
    {
        let pattern = PathPattern::parse(pattern).unwrap();
        assert!(pattern.matches(key).is_some() && key.starts_with(pattern.literal_prefix()));
    }
}

#[test]
fn what_is_no_pattern_is_refused_with_its_place() {
    for (pattern, position, part) in [
        ("", 1, "nothing"),
        ("/a", 1, "leading /"),
        ("a**b", 2, "whole segment"),
        ("a/***/b", 3, "whole segment"),
        ("ä/{table", 3, "not closed"),
        ("a}", 2, "closes nothing"),
        ("a[0-9]", 2, "no meaning"),
        ("{Table}", 1, "neither"),
        ("{}", 1, "neither"),
        ("{a}/{a}", 5, "twice"),
        ("{a/b,c}", 3, "within braces"),
        ("{a,{b,c}}", 4, "within braces"),
        ("{a,**}", 4, "within braces"),
        (r"a\", 2, "backslash"),
    ] {
        let error = PathPattern::parse(pattern).expect_err(pattern);
        assert_eq!(error.position, position, "{pattern}: {error}");
        assert!(error.to_string().contains(part), "{pattern}: {error}");
    }
}

#[test]
fn a_hostile_pattern_takes_no_exponential_time() {
    let pattern = PathPattern::parse(&format!("{}b", "*a".repeat(40))).unwrap();
    assert!(pattern.matches(&"a".repeat(1024)).is_none());
    let pattern = PathPattern::parse(&format!("{}x", "**/".repeat(40))).unwrap();
    assert!(pattern.matches(&"a/".repeat(512)).is_none());
}

#[test]
fn the_text_is_the_stored_form() {
    let pattern = PathPattern::parse("daily/{table}.csv").unwrap();
    let json = serde_json::to_string(&pattern).unwrap();
    assert_eq!(json, "\"daily/{table}.csv\"");
    assert_eq!(serde_json::from_str::<PathPattern>(&json).unwrap(), pattern);
    assert!(serde_json::from_str::<PathPattern>("\"{\"").is_err());
    assert_eq!(pattern.to_string(), "daily/{table}.csv");
}

#[test]
fn where_a_pattern_is_too_long_is_told_in_characters() {
    for (text, position) in [("a".repeat(3000), 2049), ("ä".repeat(1500), 1025)] {
        let error = PathPattern::parse(&text).expect_err("too long");
        assert_eq!(error.position, position, "{error:?}");
    }
}
