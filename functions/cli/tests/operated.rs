//! The operator's commands over a home on one machine.

mod common;

use common::Home;

const COMPLETED: &str = "inlet.object.completed.v1";
const FAILED: &str = "inlet.object.failed.v1";
const CUT: &[u8] = &[0x1f, 0x8b, 8];

/// Three files: one done, one that cannot be read, one elsewhere and done.
fn settled() -> Home {
    let home = Home::new();
    home.put("in/a/1.csv", b"id\n1\n");
    home.put("in/a/2.csv.gz", CUT);
    home.put("in/b/3.csv", b"id\n3\n");
    home.once().ended(1);
    home
}

#[test]
fn a_replay_of_nothing_in_particular_is_refused() {
    let home = settled();
    let refused = home.inlet(&["replay"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.err.contains("--dead-letters"), "{}", refused.err);
    for wrong in [
        ["replay", "--state=lost", "--dry-run"],
        ["replay", "--since=yesterday", "--dry-run"],
        ["replay", "--prefix=drop/in", "--dry-run"],
        ["replay", "--source=nobody", "--dry-run"],
        ["replay", "--dead-letters", "--source=s"],
        ["replay", "--since=2026-02-02", "--until=2026-02-01"],
        ["replay", "s3://drop/in/a/1.csv", "--state=done"],
    ] {
        assert_eq!(home.inlet(&wrong).code, Some(2), "{wrong:?}");
    }
}

#[test]
fn a_replay_orders_what_its_filters_take_and_a_dry_run_only_shows_it() {
    let home = settled();
    let dry = home.inlet(&["replay", "--prefix", "s3://drop/in/a/", "--dry-run"]).ended(0);
    assert!(dry.contains("s3://drop/in/a/1.csv in source s  done since"), "{dry}");
    assert!(dry.contains("s3://drop/in/a/2.csv.gz in source s  failed since"), "{dry}");
    assert!(dry.contains("(gzip_truncated)"), "{dry}");
    assert!(!dry.contains("in/b"), "{dry}");
    assert!(dry.ends_with("2 would be ordered\n"), "{dry}");
    assert!(home.once().ended(1).contains("0 ingested"), "nothing was ordered");

    let of = |arguments: &[&str]| home.inlet(&[&["replay"], arguments].concat()).ended(0);
    assert!(of(&["--state", "failed,parked", "--dry-run"]).ends_with("1 would be ordered\n"));
    assert!(of(&["--source=s", "--until=2020-01-01", "--dry-run"]).starts_with("0 would"));
    assert!(of(&["--since=2020-01-01", "--dry-run"]).ends_with("3 would be ordered\n"));
    let elsewhere = of(&["--prefix=s3://elsewhere", "--dry-run"]);
    assert!(elsewhere.starts_with("0 would be ordered: no source reads the bucket elsewhere"));
    let nothing = of(&["--prefix=s3://drop/in/z"]);
    assert!(nothing.starts_with("0 ordered: nothing in the ledger matches"), "{nothing}");

    assert!(of(&["--state=done", "--prefix=s3://drop/in/a"]).starts_with("1 ordered"));
    let again = home.once().ended(1);
    assert!(again.contains("1 ingested"), "{again}");
    assert!(again.contains("in/a/1.csv"), "{again}");

    assert_eq!(home.count(FAILED, "in/a/2.csv.gz"), 1);
    assert!(of(&["--state=failed"]).starts_with("1 ordered"));
    home.once().ended(1);
    assert_eq!(home.count(FAILED, "in/a/2.csv.gz"), 2, "it was tried again, and failed again");
}

#[test]
fn a_replay_of_what_is_not_there_says_so_and_orders_nothing() {
    let home = settled();
    std::fs::remove_file(home.path("buckets/drop/in/b/3.csv")).expect("a removal");
    home.once().ended(1);
    for gone in ["s3://drop/in/nothing.csv", "s3://drop/in/b/3.csv"] {
        let refused = home.inlet(&["replay", "s3://drop/in/a/1.csv", gone]);
        assert_eq!(refused.code, Some(1));
        let expected = format!("there is no such object: {gone}; nothing was ordered");
        assert!(refused.err.contains(&expected), "{}", refused.err);
    }
    assert!(home.once().ended(1).contains("0 ingested"), "nothing was ordered");
    // Removed, and nobody has looked yet: the order is what finds it.
    std::fs::remove_file(home.path("buckets/drop/in/a/1.csv")).expect("a removal");
    let twice = ["replay", "s3://drop/in/a/1.csv", "s3://drop/in/a/1.csv"];
    assert!(home.inlet(&twice).ended(0).starts_with("1 ordered"), "named twice, ordered once");
    assert!(home.once().ended(1).contains("1 removed"));
}

#[test]
fn rows_left_out_by_the_policy_are_counted_and_not_promised_to_lie_anywhere() {
    let home = Home::new();
    let fields = "[fields]\nid = { type = \"integer\" }\n[rejects]\npolicy = \"skip\"\n";
    home.source(fields);
    home.put("in/1.csv", b"id\n1\nx\n");
    let told = home.once().ended(0);
    assert!(told.contains("1 ingested (1 records, 0 rejected, 1 skipped)"), "{told}");
    home.source(&format!("{fields}max_count = 0\n"));
    home.put("in/2.csv", b"id\n1\nx\n");
    let told = home.once().ended(1);
    assert!(told.contains("set it to \"quarantine\"") && !told.contains("Look at"), "{told}");
    let told = home.inlet(&["status"]).ended(1);
    assert!(
        told.contains("1 done by an older definition; by the new one: `inlet replay --source s"),
        "{told}"
    );

    home.source("[fields]\nid = { type = \"integer\" }\n[rejects]\npolicy = \"fail\"\n");
    home.put("in/3\n.csv", b"id\nx\n");
    let told = home.once().ended(1);
    assert!(told.contains("in/3\\n.csv"), "a line end in a key is written as one: {told}");
    assert!(told.contains("(invalid_integer)\n") && !told.contains("row_rejected"), "{told}");
}

#[test]
fn dead_letters_are_done_again_and_go() {
    let home = settled();
    let dry = home.inlet(&["replay", "--dead-letters", "--dry-run"]).ended(0);
    assert!(dry.contains("in/a/2.csv.gz in source s  gzip_truncated at "), "{dry}");
    assert!(dry.contains("now failed"), "{dry}");
    assert!(dry.contains("1 would be ordered for 1 dead letters"), "{dry}");
    let real = home.inlet(&["replay", "--dead-letters"]).ended(0);
    assert!(real.starts_with("1 ordered"), "{real}");
    home.once().ended(1);
    assert_eq!(home.count(FAILED, "in/a/2.csv.gz"), 2, "it failed again, and is a letter again");
    let real = home.inlet(&["replay", "--dead-letters"]).ended(0);
    assert!(real.starts_with("1 ordered"), "{real}");
    let empty = home.inlet(&["replay", "--dead-letters"]).ended(0);
    assert!(empty.starts_with("0 ordered for 0 dead letters"), "{empty}");
}

/// Pain 18: elastic-serverless-forwarder #729: already ingested records pollute the replay queue.
#[test]
fn pain_18_the_dead_letter_of_a_file_that_is_done_since_delivers_nothing() {
    let home = settled();
    // Mended before anybody looked at the letters.
    home.put("in/a/2.csv.gz", &gzip(b"id\n2\n"));
    home.once().ended(0);
    assert_eq!(home.count(COMPLETED, "in/a/2.csv.gz"), 1);

    let dry = home.inlet(&["replay", "--dead-letters", "--dry-run"]).ended(0);
    assert!(dry.contains("now done"), "{dry}");
    let real = home.inlet(&["replay", "--dead-letters"]).ended(0);
    assert!(real.starts_with("1 ordered"), "{real}");
    let after = home.once().ended(0);
    assert!(after.contains("0 ingested"), "looked at, and not delivered again: {after}");
    let letters = home.inlet(&["replay", "--dead-letters", "--dry-run"]).ended(0);
    assert!(letters.contains("0 would be ordered for 0 dead letters"), "{letters}");
}

#[test]
fn by_force_the_dead_letter_of_what_is_done_since_delivers_it_again() {
    let home = settled();
    home.put("in/a/2.csv.gz", &gzip(b"id\n2\n"));
    home.once().ended(0);
    home.inlet(&["replay", "--dead-letters", "--force"]).ended(0);
    let after = home.once().ended(0);
    assert!(after.contains("1 ingested"), "{after}");
}

#[test]
fn status_tells_what_is_not_done_and_why_and_whether_the_bucket_agrees() {
    let home = settled();
    let told = home.inlet(&["status"]).ended(1);
    assert!(told.contains("s: s3://drop/in/**"), "{told}");
    assert!(told.contains("2 done, 1 failed"), "{told}");
    assert!(told.contains("1 failed: gzip_truncated, such as in/a/2.csv.gz"), "{told}");
    assert!(told.contains("queue: 0 waiting, 0 in flight, 1 dead letters"), "{told}");
    let agreed = home.inlet(&["status", "s", "--check"]).ended(1);
    assert!(agreed.contains("ledger and bucket agree on 3 objects"), "{agreed}");

    // One is new, one changed, one gone.
    home.put("in/new.csv", b"id\n9\n");
    home.put("in/a/1.csv", b"id\n1\n2\n");
    std::fs::remove_file(home.path("buckets/drop/in/b/3.csv")).expect("a removal");
    let told = home.inlet(&["status", "--check"]).ended(1);
    assert!(told.contains("DISAGREE: 1 new, 1 changed, 1 gone, 0 left behind"), "{told}");
    assert!(told.contains("new         in/new.csv"), "{told}");
    let told = home.inlet(&["status", "--check", "--json"]).ended(1);
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["ok"], false);
    let source = &told["sources"][0];
    assert_eq!((&source["source"], &source["counts"]["done"]), (&"s".into(), &2.into()));
    assert_eq!(source["check"]["differences"]["gone"], 1);
    assert_eq!(source["check"]["examples"][0]["found"], "changed");
    assert_eq!(source["causes"][0]["code"], "gzip_truncated");
    assert_eq!(told["queue"]["dead_letters"], 1);
    assert_eq!(home.inlet(&["status", "nobody"]).code, Some(2));

    // All mended, and the letter gone.
    std::fs::remove_file(home.path("buckets/drop/in/a/2.csv.gz")).expect("a removal");
    home.once().ended(0);
    home.inlet(&["replay", "--dead-letters"]).ended(0);
    home.once().ended(0);
    let told = home.inlet(&["status", "--check"]).ended(0);
    assert!(told.contains("2 done, 2 removed"), "{told}");
}

#[test]
fn a_refresh_by_hand_says_what_it_found_and_the_status_remembers_it() {
    let home = settled();
    home.put("in/new.csv", b"id\n9\n");
    let told = home.inlet(&["refresh"]).ended(0);
    assert!(told.contains("s: 4 objects; ordered 1: 1 new"), "{told}");
    assert!(told.contains("0 left behind; 3 unchanged\n"), "{told}");
    let told = home.inlet(&["status"]).ended(1);
    assert!(told.contains(": 4 objects, 1 ordered"), "{told}");
    assert!(told.contains("queue: 1 waiting"), "{told}");
    let told = home.inlet(&["refresh", "s", "--full"]).ended(0);
    assert!(told.contains("s: 4 objects; ordered 4: 1 new"), "{told}");
    assert!(told.contains("0 left behind, 3 unchanged\n"), "{told}");
    assert_eq!(home.inlet(&["refresh", "nobody"]).code, Some(2));
}

#[test]
fn explain_tells_the_whole_story_of_a_file() {
    let home = settled();
    let of = |key: &str| home.inlet(&["explain", &format!("s3://drop/{key}")]).ended(0);
    let failed = of("in/a/2.csv.gz");
    for part in [
        "source s, table t",
        "state      failed since",
        "(gzip_truncated)",
        "to do      ",
        "dedup key  c/drop/in/a/2.csv.gz#etag=",
        "3 bytes",
        "claims     1; of this version unfinished 1",
        "bucket     has this content (3 bytes)",
        "dead letter of 20",
        "for s: gzip_truncated",
    ] {
        assert!(failed.contains(part), "{part:?} is not in {failed}");
    }
    assert!(of("in/a/1.csv").contains("1 rows = 1 records + 0 rejects"), "what was delivered");
    assert!(!of("in/a/1.csv").contains("dead letter"), "those are of another object");

    home.put("in/a/1.csv", b"id\n1\n2\n");
    assert!(of("in/a/1.csv").contains("bucket     has another content"), "{}", of("in/a/1.csv"));
    std::fs::remove_file(home.path("buckets/drop/in/b/3.csv")).expect("a removal");
    assert!(of("in/b/3.csv").contains("the object is gone"), "{}", of("in/b/3.csv"));
    home.put("in/new.csv", b"id\n");
    let new = of("in/new.csv");
    assert!(
        new.contains("not known to the ledger") && new.contains("bucket     has it ("),
        "{new}"
    );

    let absent = of("in/absent.csv");
    assert!(absent.contains("not known to the ledger, and not in the bucket"), "{absent}");
    assert!(!absent.contains("inlet refresh") && !absent.contains("no such object"), "{absent}");

    let untaken = of("out/x.csv");
    assert!(untaken.contains("no source takes it"), "{untaken}");
    assert!(untaken.contains("not source s: its keys begin with \"in/\""), "{untaken}");
    let elsewhere = home.inlet(&["explain", "s3://elsewhere/x.csv"]).ended(0);
    assert!(elsewhere.contains("no source reads the bucket elsewhere"), "{elsewhere}");

    // The definition changes: what it had taken, and what it takes no more.
    home.source("[rejects]\nmax_count = 7\n");
    let changed = of("in/a/2.csv.gz");
    assert!(changed.contains("definition changed since"), "{changed}");
    assert!(changed.contains("so does the next refresh"), "{changed}");
    let source = "key = \"s\"\nconnection = \"c\"\nbucket = \"drop\"\npath = \"in/b/**\"\n";
    home.write("sources/s.toml", source.as_bytes());
    let once = of("in/a/1.csv");
    assert!(once.contains("but it did once: done since"), "{once}");
}

/// A gzip file with one stored block.
fn gzip(content: &[u8]) -> Vec<u8> {
    let mut crc = !0_u32;
    for byte in content {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    let length = u16::try_from(content.len()).expect("a small file");
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    file.extend(length.to_le_bytes());
    file.extend((!length).to_le_bytes());
    file.extend(content);
    file.extend((!crc).to_le_bytes());
    file.extend(u32::from(length).to_le_bytes());
    file
}
