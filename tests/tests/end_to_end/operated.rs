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
    /// Runs `inlet` with the root's credentials.
    pub(super) fn inlet(&self, arguments: &[&str]) -> Result<Output, Failure> {
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
        let output = command.output()?;
        if output.status.success() {
            return Ok(output);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("inlet {} ended with {}: {said}", arguments.join(" "), output.status).into())
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
