//! Messages that are wrong, and messages that never come.

use std::sync::Arc;
use std::time::Duration;

use inlet::ledger::State;
use inlet_tests::wait::until;
use inlet_tests::{Failure, refused};
use serde_json::{Value, json};

use crate::Scene;

const COMPLETED: &str = "inlet.object.completed.v1";

impl Scene {
    /// Sends a message to the notice queue.
    pub(super) async fn send(&self, body: &str) -> Result<(), Failure> {
        let queue = self.stack.output("NoticeQueueUrl");
        let send = self.stack.sqs.send_message().queue_url(queue).message_body(body);
        send.send().await.map_err(refused)?;
        Ok(())
    }

    /// Takes `n` notices out of the queue, as if they had never been sent. The ingest is off.
    async fn lose_notices(&self, n: usize) -> Result<Vec<Value>, Failure> {
        let queue = self.stack.output("NoticeQueueUrl");
        let mut lost = Vec::new();
        until("the notices to come", Duration::from_secs(30), async || {
            let receive = self.stack.sqs.receive_message().queue_url(queue).wait_time_seconds(1);
            let received = receive.max_number_of_messages(10).send().await.ok()?;
            for message in received.messages() {
                let delete = self.stack.sqs.delete_message().queue_url(queue);
                delete.receipt_handle(message.receipt_handle()?).send().await.ok()?;
                lost.push(serde_json::from_str(message.body()?).ok()?);
            }
            (lost.len() >= n).then_some(())
        })
        .await?;
        Ok(lost)
    }
}

pub(super) async fn one_of_three(scene: Arc<Scene>) -> Result<(), Failure> {
    let _off = scene.ingest.write().await;
    scene.stack.switch_ingest(false).await?;
    scene.put("three/1.csv", "id\n1\n").await?;
    scene.put("three/3.csv", "id\n3\n").await?;
    let notices = scene.lose_notices(2).await?;
    let record = |n: usize| notices[n]["Records"][0].clone();
    let malformed = json!({"eventVersion": "2.1", "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": scene.stack.drop_bucket()}}});
    scene.send(&json!({"Records": [record(0), malformed, record(1)]}).to_string()).await?;
    scene.stack.switch_ingest(true).await?;

    for (key, id) in [("three/1.csv", "1"), ("three/3.csv", "3")] {
        scene.records.event(key, COMPLETED, 1).await?;
        assert_eq!(scene.records.values(key), [json!({"id": id})]);
        scene.settled(key, "done", |e| e.state == State::Done).await?;
    }
    let letter = scene
        .dead_letters
        .message("the dead letter of the malformed record", |letter| {
            letter["body"].as_str().is_some_and(|body| body.contains("eventVersion"))
        })
        .await?;
    let body: Value = serde_json::from_str(letter["body"].as_str().unwrap_or(""))?;
    assert_eq!(body, malformed, "the malformed record alone, as it came");
    assert!(letter["cause"]["message"].as_str().is_some_and(|m| m.contains("key")), "{letter}");
    assert!(!letter["cause"]["remedy"].as_str().unwrap_or("").is_empty());
    Ok(())
}

pub(super) async fn not_json(scene: Arc<Scene>) -> Result<(), Failure> {
    let _on = scene.ingest.read().await;
    let body = "this is no JSON: {\"Records\": [";
    scene.send(body).await?;
    let letter =
        scene.dead_letters.message("the dead letter", |letter| letter["body"] == body).await?;
    assert_eq!(letter["type"], "inlet.dead_letter.v1");
    assert_eq!(letter["cause"]["code"], "not_json", "{letter}");
    assert_eq!(letter["attempts"], 1, "what can never be read is not tried again");
    Ok(())
}

/// Files dropped and removed while nobody listens, and their notices lost.
pub(super) async fn lost_notices(scene: Arc<Scene>) -> Result<(), Failure> {
    let _off = scene.ingest.write().await;
    scene.put("lost/gone.csv", "id\ngone\n").await?;
    scene.put("lost/changed.csv", "id\nbefore\n").await?;
    scene.records.event("lost/gone.csv", COMPLETED, 1).await?;
    scene.records.event("lost/changed.csv", COMPLETED, 1).await?;
    for key in ["lost/gone.csv", "lost/changed.csv"] {
        scene.settled(key, "done", |e| e.state == State::Done).await?;
    }

    scene.stack.switch_ingest(false).await?;
    scene.put("lost/new.csv", "id\nnew\n").await?;
    scene.put("lost/changed.csv", "id\nafter\n").await?;
    let delete = scene.stack.s3.delete_object().bucket(scene.stack.drop_bucket());
    delete.key("lost/gone.csv").send().await.map_err(refused)?;
    scene.lose_notices(3).await?;
    scene.stack.switch_ingest(true).await?;

    let function = scene.stack.output("RefreshFunctionName");
    let report: Value = serde_json::from_str(&scene.stack.invoke(function, "{}").await?)?;
    assert_eq!(report["drop"]["new"], 1, "{report}");
    assert_eq!(report["drop"]["changed"], 1, "{report}");
    assert_eq!(report["drop"]["gone"], 1, "{report}");
    scene.records.event("lost/new.csv", COMPLETED, 1).await?;
    scene.records.event("lost/changed.csv", COMPLETED, 2).await?;
    scene.records.event("lost/gone.csv", "inlet.object.removed.v1", 1).await?;
    assert_eq!(scene.records.values("lost/new.csv"), [json!({"id": "new"})]);

    // A second one finds nothing to do.
    for (key, state) in [("lost/new.csv", State::Done), ("lost/gone.csv", State::Removed)] {
        scene.settled(key, state.name(), |e| e.state == state).await?;
    }
    scene.settled("lost/changed.csv", "done", |e| e.state == State::Done).await?;
    let report: Value = serde_json::from_str(&scene.stack.invoke(function, "{}").await?)?;
    for found in ["new", "changed", "gone"] {
        assert_eq!(report["drop"][found], 0, "{report}");
    }
    // A full one delivers again what is unchanged, with the ids that it had.
    let full = r#"{"source": "drop", "full": true}"#;
    let report: Value = serde_json::from_str(&scene.stack.invoke(function, full).await?)?;
    assert!(report["drop"]["forced"].as_u64() >= Some(2), "{report}");
    let first = scene.records.event("lost/new.csv", COMPLETED, 1).await?;
    let again = scene.records.event("lost/new.csv", COMPLETED, 2).await?;
    assert_eq!(first["id"], again["id"]);
    assert_eq!(scene.records.values("lost/new.csv"), [json!({"id": "new"})], "each id once");
    Ok(())
}

/// What the queue's own redrive sends back is taken for what it was about.
pub(super) async fn redriven(scene: Arc<Scene>) -> Result<(), Failure> {
    let _on = scene.ingest.read().await;
    let key = "redriven/cut.csv.gz";
    let put = scene.stack.s3.put_object().bucket(scene.stack.drop_bucket()).key(key);
    put.body(vec![0x1f, 0x8b, 8].into()).send().await.map_err(refused)?;
    let failed = "inlet.object.failed.v1";
    scene.records.event(key, failed, 1).await?;
    let letter = scene
        .dead_letters
        .message("the dead letter", |letter| letter["object"]["key"] == key)
        .await?;
    scene.settled(key, "failed", |e| matches!(e.state, State::Failed { .. })).await?;
    scene.send(&letter.to_string()).await?;
    scene.records.event(key, failed, 2).await?;
    Ok(())
}
