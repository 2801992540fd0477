//! The stack with definitions of one's own, by the operator's commands.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use inlet::ledger::State;
use inlet_tests::wait::until;
use inlet_tests::{Failure, refused, repository, target};
use serde_json::{Value, json};

use crate::{STACK, Scene};

impl Scene {
    /// Runs `inlet` with the root's credentials, and is content with nothing but success.
    pub(super) fn inlet(&self, arguments: &[&str]) -> Result<Output, Failure> {
        let output = self.ran(arguments)?;
        if output.status.success() {
            return Ok(output);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("inlet {} ended with {}: {said}", arguments.join(" "), output.status).into())
    }

    /// Runs `inlet` with the root's credentials.
    fn ran(&self, arguments: &[&str]) -> Result<Output, Failure> {
        let aws = &self.stack.aws;
        let mut command = Command::new(program()?);
        command
            .args(arguments)
            .env("AWS_ENDPOINT_URL", aws.endpoint())
            .env("SSL_CERT_FILE", aws.certificate())
            .env("AWS_REGION", inlet_tests::local_aws::REGION)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env_remove("AWS_SESSION_TOKEN")
            .env_remove("AWS_PROFILE");
        Ok(command.output()?)
    }

    /// What `inlet` says on its standard output.
    fn says(&self, arguments: &[&str]) -> Result<String, Failure> {
        Ok(String::from_utf8(self.inlet(arguments)?.stdout)?)
    }

    /// What `inlet status` tells of the source `drop` and the queue; it ends with 1 where a file failed.
    fn status(&self, more: &[&str]) -> Result<Value, Failure> {
        let output = self.ran(&[&["status", "drop", "--json", "--stack", STACK], more].concat())?;
        let said = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).map_err(|error| format!("{error}: {said}").into())
    }
}

impl Scene {
    /// Waits until files under `prefix` are taken by `source`: a worker may use the definitions that
    /// it has for some seconds.
    async fn in_force(&self, source: &str, prefix: &str) -> Result<(), Failure> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut n = 0;
        while Instant::now() < deadline {
            n += 1;
            let key = format!("{prefix}/probe-{n}.csv");
            self.put(&key, "Deal ID;Closed\nD-0;2026-01-01\n").await?;
            let ours = until("somebody to take the file", Duration::from_secs(60), async || {
                let taken = async |by| self.entry(by, &key).await.map(|entry| entry.is_some());
                match (taken(source).await, taken("drop").await) {
                    (Ok(true), _) => Some(Ok(true)),
                    (_, Ok(true)) => Some(Ok(false)),
                    (Err(failure), _) | (_, Err(failure)) => Some(Err(failure)),
                    (Ok(false), Ok(false)) => None,
                }
            });
            if ours.await?? {
                return Ok(());
            }
        }
        Err(format!("the source {source} is not in force").into())
    }
}

/// `inlet` as it is now: Cargo builds it where it is not, and says where it lies.
fn program() -> Result<PathBuf, Failure> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut build = Command::new(cargo);
    build.current_dir(repository()).args(["build", "--locked", "--package", "inlet-cli"]);
    let built = build.output()?;
    if !built.status.success() {
        return Err(String::from_utf8_lossy(&built.stderr).into());
    }
    Ok(target().join("debug").join("inlet"))
}

pub(super) async fn rejects(scene: Arc<Scene>) -> Result<(), Failure> {
    let _on = scene.ingest.read().await;
    let bucket = scene.stack.drop_bucket();
    let directory = target().join("end-to-end-definitions");
    fs::create_dir_all(directory.join("sources"))?;
    fs::create_dir_all(directory.join("connections"))?;
    fs::write(directory.join("connections/own.toml"), "key = \"own\"\nname = \"Our own\"\n")?;
    fs::write(
        directory.join("sources/deals.toml"),
        format!(
            r#"
key = "deals"
connection = "own"
bucket = "{bucket}"
path = "own/{{table}}/*.csv"
mode = "snapshot"
[fields]
"Deal ID" = {{ as = "id", role = "id" }}
"Closed" = {{ as = "closed_on", type = "date" }}
"#
        ),
    )?;
    let directory = directory.display().to_string();
    let applied = scene.inlet(&["apply", &directory, "--stack", STACK])?;
    assert!(String::from_utf8_lossy(&applied.stdout).contains("source deals"), "{applied:?}");

    let key = "own/closed/2026.csv";
    scene.in_force("deals", "own/closed").await?;
    scene.put(key, "Deal ID;Closed;Note\nD-1;2026-02-28;x\nD-2;2026-02-30;secret\n").await?;
    let completed = scene.records.event(key, "inlet.object.completed.v1", 1).await?;
    assert_eq!(completed["source"], "/inlet/deals");
    assert_eq!(completed["data"]["table"], "closed");
    let counts = ["rows", "records", "rejects", "skipped"].map(|n| completed["data"][n].as_u64());
    assert_eq!(counts, [Some(2), Some(1), Some(1), Some(0)]);
    let values = [json!({"id": "D-1", "closed_on": "2026-02-28", "Note": "x"})];
    assert_eq!(scene.records.values(key), values);
    assert!(scene.entry("drop", key).await?.is_none(), "the built-in source leaves it to ours");

    let place = completed["data"]["rejects_at"][0].as_str().ok_or("no place of rejects")?;
    let state = format!("s3://{}/", scene.stack.output("StateBucketName"));
    let rejects = place.strip_prefix(&state).ok_or_else(|| format!("{place} is elsewhere"))?;
    let get = scene.stack.s3.get_object().bucket(scene.stack.output("StateBucketName"));
    let body = get.key(rejects).send().await.map_err(refused)?.body.collect().await?;
    let reject: Value = serde_json::from_slice(&body.into_bytes())?;
    assert_eq!(reject["object"]["key"], key);
    assert_eq!(reject["line"], 3);
    assert_eq!(reject["column"], "Closed");
    assert_eq!(reject["code"], "invalid_date");
    assert_eq!(reject["raw"], "D-2;2026-02-30;secret");

    let object = format!("s3://{bucket}/{key}");
    let entry = scene.entry("deals", key).await?.ok_or("no entry")?;
    assert_eq!(entry.state, State::Done);
    let explained = scene.inlet(&["explain", &object, "--stack", STACK])?;
    let explained = String::from_utf8_lossy(&explained.stdout);
    assert!(explained.contains("2 rows = 1 records + 1 rejects"), "{explained}");

    scene.inlet(&["replay", &object, "--stack", STACK])?;
    let again = scene.records.event(key, "inlet.object.completed.v1", 2).await?;
    assert_eq!(again["id"], completed["id"], "a replay has the same ids");
    Ok(())
}

const COMPLETED: &str = "inlet.object.completed.v1";
const FAILED: &str = "inlet.object.failed.v1";
/// `id` and `mended`, compressed.
const MENDED: [u8; 30] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0xcb, 0x4c, 0xe1, 0xca, 0x4d, 0xcd,
    0x4b, 0x49, 0x4d, 0xe1, 0x02, 0x00, 0x6e, 0xdf, 0x71, 0xd1, 0x0a, 0x00, 0x00, 0x00,
];

/// Replays by prefix, by state, and of the dead letters; and what the status says meanwhile.
pub(super) async fn replays(scene: Arc<Scene>) -> Result<(), Failure> {
    // Nobody else may make dead letters, or take them.
    let _alone = scene.ingest.write().await;
    let _untaken = scene.dead_letters.pause().await;
    let bucket = scene.stack.drop_bucket();
    let (good, cut, other) =
        ("replayed/a/good.csv", "replayed/a/cut.csv.gz", "replayed/b/good.csv");
    let put = async |key: &str, body: &[u8]| {
        let put = scene.stack.s3.put_object().bucket(bucket).key(key);
        put.body(body.to_vec().into()).send().await.map_err(refused)
    };
    put(good, b"id\ngood\n").await?;
    put(other, b"id\nother\n").await?;
    put(cut, &MENDED[..20]).await?;
    for (key, state) in [(good, "done"), (other, "done"), (cut, "failed")] {
        scene.settled(key, state, |entry| entry.state.name() == state).await?;
    }

    let status = scene.status(&[])?;
    assert_eq!(status["ok"], false, "{status}");
    assert!(status["sources"][0]["counts"]["failed"].as_u64() >= Some(1), "{status}");
    let causes = status["sources"][0]["causes"].as_array().cloned().unwrap_or_default();
    assert!(causes.iter().any(|cause| cause["code"] == "gzip_truncated"), "{status}");
    assert_eq!(status["queue"]["dead_letters"], 1, "{status}");
    let story = scene.says(&["explain", &format!("s3://{bucket}/{cut}"), "--stack", STACK])?;
    assert!(story.contains("for drop: gzip_truncated"), "its dead letter: {story}");
    assert!(story.contains("has this content (20 bytes)"), "what lies in the bucket: {story}");

    let under = |prefix: &str| format!("s3://{bucket}/replayed/{prefix}");
    let replay = |what: &[&str]| scene.says(&[&["replay", "--stack", STACK], what].concat());
    let dry = replay(&["--prefix", &under(""), "--dry-run"])?;
    assert!(dry.ends_with("3 would be ordered\n"), "{dry}");
    assert_eq!(replay(&["--prefix", &under("a/"), "--state", "done"])?, "1 ordered\n");
    let first = scene.records.event(good, COMPLETED, 1).await?;
    let again = scene.records.event(good, COMPLETED, 2).await?;
    assert_eq!(first["id"], again["id"], "a replay has the same ids");
    assert_eq!(replay(&["--prefix", &under(""), "--state", "failed,parked"])?, "1 ordered\n");
    scene.records.event(cut, FAILED, 2).await?;
    scene.settled(cut, "failed again", |e| e.state.name() == "failed" && e.epoch == 2).await?;

    // Mended since: its letters are taken, and deliver nothing.
    put(cut, &MENDED).await?;
    scene.records.event(cut, COMPLETED, 1).await?;
    scene.settled(cut, "done", |entry| entry.state == State::Done).await?;
    let dry = replay(&["--dead-letters", "--dry-run"])?;
    assert!(dry.contains("gzip_truncated at ") && dry.contains("; now done"), "{dry}");
    let told = replay(&["--dead-letters"])?;
    assert_eq!(told, "1 ordered for 2 dead letters\n", "both are about one file");
    let still = until("the queue to be empty", Duration::from_secs(60), async || {
        let status = match scene.status(&["--check"]) {
            Ok(status) => status,
            Err(failure) => return Some(Err(failure)),
        };
        let queue = &status["queue"];
        let differences = &status["sources"][0]["check"]["differences"];
        let none = |of: &Value, names: &[&str]| names.iter().all(|name| of[name] == 0);
        let still = none(queue, &["waiting", "in_flight", "dead_letters"])
            && none(differences, &["new", "changed", "gone", "stale"]);
        still.then_some(Ok(()))
    });
    still.await??;
    let count = |kind: &str| scene.records.about(cut).iter().filter(|e| e["type"] == kind).count();
    assert_eq!((count(COMPLETED), count(FAILED)), (1, 2), "nothing was delivered again");
    Ok(())
}
