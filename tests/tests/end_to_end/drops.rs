//! Files dropped into the bucket of a stack that nobody has set up any further.

use std::sync::Arc;

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use inlet::ledger::State;
use inlet_tests::{Failure, refused};
use serde_json::json;

use crate::Scene;

const COMPLETED: &str = "inlet.object.completed.v1";
const REMOVED: &str = "inlet.object.removed.v1";

pub(super) async fn keys_of_every_kind(scene: Arc<Scene>) -> Result<(), Failure> {
    let _on = scene.ingest.read().await;
    let keys = [
        ("a b+c=d&ü 100%.csv", "a b+c=d&ü 100%"),
        ("日本/x.csv", "x"),
        ("100%25/%2B.CSV", "%2B"),
        ("quote\"and'more.tsv", "quote\"and'more"),
    ];
    for (n, (key, _)) in keys.iter().enumerate() {
        scene.put(key, &format!("id,name\n{n},ü\n")).await?;
    }
    for (n, (key, table)) in keys.iter().enumerate() {
        let completed = scene.records.event(key, COMPLETED, 1).await?;
        assert_eq!(completed["data"]["table"], *table, "{key}");
        assert_eq!(completed["data"]["records"], 1, "{key}");
        assert_eq!(scene.records.values(key), [json!({"id": n.to_string(), "name": "ü"})]);
        let entry = scene.settled(key, "done", |e| e.state == State::Done).await?;
        assert_eq!(entry.done.expect("it is done").counters.records, 1);
    }
    // What no source takes leaves no trace downstream, and none in the dead letters.
    scene.put("notes.md", "# none").await?;
    assert!(scene.dead_letters.about("notes.md").is_empty());
    Ok(())
}

pub(super) async fn same_content_again(scene: Arc<Scene>) -> Result<(), Failure> {
    let _on = scene.ingest.read().await;
    let key = "again/same.csv";
    scene.put(key, "id\n1\n").await?;
    scene.records.event(key, COMPLETED, 1).await?;
    let first = scene.settled(key, "done", |e| e.state == State::Done).await?;
    scene.put(key, "id\n1\n").await?;
    // The ledger has seen the second upload when it knows its sequencer.
    let second = scene.settled(key, "seen again", |e| e.sequencer > first.sequencer).await?;
    assert_eq!(second.state, State::Done);
    assert_eq!(second.epoch, first.epoch, "nobody claimed it again");
    assert_eq!(scene.records.about(key).len(), 2, "one batch, one completion");
    Ok(())
}

pub(super) async fn overwrite_and_removal(scene: Arc<Scene>) -> Result<(), Failure> {
    let _on = scene.ingest.read().await;
    let key = "change/over.csv";
    scene.put(key, "id\nold\n").await?;
    scene.records.event(key, COMPLETED, 1).await?;
    scene.put(key, "id\nnew\n").await?;
    let completed = scene.records.event(key, COMPLETED, 2).await?;
    assert_eq!(scene.records.values(key), [json!({"id": "old"}), json!({"id": "new"})]);

    let delete = scene.stack.s3.delete_object().bucket(scene.stack.drop_bucket()).key(key);
    delete.send().await.map_err(refused)?;
    let removed = scene.records.event(key, REMOVED, 1).await?;
    assert_eq!(removed["data"]["object"]["etag"], completed["data"]["object"]["etag"]);
    scene.settled(key, "removed", |e| e.state == State::Removed).await?;

    // Back again with the same content: a new object, with ids of its own.
    scene.put(key, "id\nnew\n").await?;
    let back = scene.records.event(key, COMPLETED, 3).await?;
    assert_ne!(back["id"], completed["id"]);
    Ok(())
}

pub(super) async fn copy_and_multipart(scene: Arc<Scene>) -> Result<(), Failure> {
    let _on = scene.ingest.read().await;
    let (s3, bucket) = (&scene.stack.s3, scene.stack.drop_bucket());
    scene.put("copy/from.csv", "id\n1\n").await?;
    let copy = s3.copy_object().copy_source(format!("{bucket}/copy/from.csv"));
    copy.bucket(bucket).key("copy/to.csv").send().await.map_err(refused)?;
    scene.records.event("copy/to.csv", COMPLETED, 1).await?;
    assert_eq!(scene.records.values("copy/to.csv"), [json!({"id": "1"})]);

    let key = "multipart/large.csv";
    let upload = s3.create_multipart_upload().bucket(bucket).key(key);
    let upload = upload.send().await.map_err(refused)?;
    let id = upload.upload_id().ok_or("an upload without id")?;
    let mut first = b"id,text\n".to_vec();
    let mut rows = 0;
    while first.len() < 5 << 20 {
        first.extend_from_slice(format!("{rows},{}\n", "x".repeat(90)).as_bytes());
        rows += 1;
    }
    // The cut goes through a row.
    let second = first.split_off(5 << 20);
    let mut parts = Vec::new();
    for (number, body) in [(1, first), (2, second)] {
        let part = s3.upload_part().bucket(bucket).key(key).upload_id(id).part_number(number);
        let part = part.body(body.into()).send().await.map_err(refused)?;
        let tag = part.e_tag().ok_or("a part without tag")?;
        parts.push(CompletedPart::builder().part_number(number).e_tag(tag).build());
    }
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = s3.complete_multipart_upload().bucket(bucket).key(key).upload_id(id);
    complete.multipart_upload(parts).send().await.map_err(refused)?;
    let completed = scene.records.event(key, COMPLETED, 1).await?;
    assert_eq!(completed["data"]["records"], rows);
    let values = scene.records.values(key);
    assert_eq!(values.len(), rows);
    let mut ids: Vec<usize> =
        values.iter().map(|v| v["id"].as_str().unwrap_or("").parse()).collect::<Result<_, _>>()?;
    ids.sort_unstable();
    assert!(ids.into_iter().eq(0..rows), "each row once");
    Ok(())
}

pub(super) async fn broken_file(scene: Arc<Scene>) -> Result<(), Failure> {
    let _on = scene.ingest.read().await;
    let key = "broken/cut.csv.gz";
    let put = scene.stack.s3.put_object().bucket(scene.stack.drop_bucket()).key(key);
    put.body(vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0].into()).send().await.map_err(refused)?;
    let failed = scene.records.event(key, "inlet.object.failed.v1", 1).await?;
    assert_eq!(failed["data"]["failure"]["code"], "gzip_truncated");
    let letter = scene
        .dead_letters
        .message("the dead letter", |letter| letter["object"]["key"] == key)
        .await?;
    assert_eq!(letter["cause"]["code"], "gzip_truncated");
    assert_eq!(letter["source"], "drop");
    scene.settled(key, "failed", |e| matches!(e.state, State::Failed { .. })).await?;
    Ok(())
}
