//! The parts of the stack by themselves.

use std::sync::Arc;

use inlet::queue::sqs::SqsQueue;
use inlet_tests::stack::s3_client;
use inlet_tests::{Failure, conformance, refused};

use crate::Scene;

const OUTPUTS: [&str; 9] = [
    "CatalogTableName",
    "DeadLetterQueueUrl",
    "DropBucketName",
    "IngestFunctionName",
    "LedgerTableName",
    "NoticeQueueUrl",
    "RecordsQueueUrl",
    "RefreshFunctionName",
    "StateBucketName",
];

pub(super) async fn has_all_outputs(scene: Arc<Scene>) -> Result<(), Failure> {
    let names: Vec<_> = scene.stack.outputs.keys().map(String::as_str).collect();
    assert_eq!(names, OUTPUTS);
    Ok(())
}

/// Else no test here would notice that a function lacks a permission.
pub(super) async fn iam_is_enforced(scene: Arc<Scene>) -> Result<(), Failure> {
    let stack = &scene.stack;
    let bucket = stack.drop_bucket();
    let may_list = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": format!("arn:aws:s3:::{bucket}"),
        }],
    });
    let reader = stack.role("reader", may_list).await?;
    let s3 = s3_client(&reader);
    let listed = s3.list_objects_v2().bucket(bucket).send().await;
    listed.map_err(refused)?;
    let put = s3.put_object().bucket(bucket).key("refused.csv").send().await;
    let refusal = put.expect_err("who may only list can write").into_service_error();
    assert_eq!(refusal.meta().code(), Some("AccessDenied"));
    Ok(())
}

pub(super) async fn ledger_conforms(scene: Arc<Scene>) -> Result<(), Failure> {
    conformance::ledger(scene.ledger.clone()).await;
    Ok(())
}

pub(super) async fn dead_letters_conform(scene: Arc<Scene>) -> Result<(), Failure> {
    let sqs = &scene.stack.sqs;
    let create = async |name: &str| {
        let created = sqs.create_queue().queue_name(name).send().await.map_err(refused)?;
        created.queue_url.ok_or_else(|| Failure::from("the queue has no URL"))
    };
    let (notices, letters) = (create("suite-notices").await?, create("suite-letters").await?);
    conformance::dead_letters(&SqsQueue::new(sqs.clone(), notices, letters)).await;
    Ok(())
}

pub(super) async fn shapes_conform(scene: Arc<Scene>) -> Result<(), Failure> {
    conformance::shapes(&*scene.ledger).await;
    Ok(())
}

pub(super) async fn journal_conforms(scene: Arc<Scene>) -> Result<(), Failure> {
    conformance::journal(&*scene.ledger).await;
    Ok(())
}
