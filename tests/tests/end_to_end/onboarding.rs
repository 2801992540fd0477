//! A bucket of a customer's own begins to send its notices.

use std::sync::Arc;

use aws_sdk_s3::types::{
    Event, FilterRule, FilterRuleName, NotificationConfiguration, NotificationConfigurationFilter,
    QueueConfiguration, S3KeyFilter,
};
use aws_sdk_sqs::types::QueueAttributeName;
use inlet_tests::sam::CUSTOMER_BUCKET;
use inlet_tests::{Failure, refused};
use serde_json::json;

use crate::{STACK, Scene};

async fn another_queue(scene: &Scene) -> Result<String, Failure> {
    let sqs = &scene.stack.sqs;
    let made = sqs.create_queue().queue_name("thumbnails").send().await.map_err(refused)?;
    let name = QueueAttributeName::QueueArn;
    let url = made.queue_url().ok_or("no URL")?;
    let ask = sqs.get_queue_attributes().queue_url(url);
    let told = ask.attribute_names(name.clone()).send().await.map_err(refused)?;
    let arn = told.attributes().and_then(|all| all.get(&name)).ok_or("no ARN")?;
    // S3 asks the queue's policy before it takes the rule.
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}]});
    let set = sqs.set_queue_attributes().queue_url(url);
    let set = set.attributes(QueueAttributeName::Policy, policy.to_string());
    set.send().await.map_err(refused)?;
    Ok(arn.clone())
}

/// Pain 21: aws-cdk #31303: attaching to a bucket that has notifications already fails, or replaces them.
pub(super) async fn subscribe(scene: Arc<Scene>) -> Result<(), Failure> {
    let bucket = CUSTOMER_BUCKET;
    let s3 = &scene.stack.s3;
    s3.create_bucket().bucket(bucket).send().await.map_err(refused)?;
    let prefix = FilterRule::builder().name(FilterRuleName::Prefix).value("images/").build();
    let filter = S3KeyFilter::builder().filter_rules(prefix).build();
    let theirs = QueueConfiguration::builder()
        .id("theirs")
        .queue_arn(another_queue(&scene).await?)
        .events(Event::from("s3:ObjectCreated:*"))
        .filter(NotificationConfigurationFilter::builder().key(filter).build())
        .build()?;
    let all = NotificationConfiguration::builder().queue_configurations(theirs.clone()).build();
    let put = s3.put_bucket_notification_configuration().bucket(bucket);
    put.notification_configuration(all).send().await.map_err(refused)?;

    let place = format!("s3://{bucket}/exports/");
    let said = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let looked = scene.inlet(&["subscribe", &place, "--stack", STACK, "--dry-run"])?;
    assert!(said(&looked).contains("would send"), "{looked:?}");
    let done = scene.inlet(&["subscribe", &place, "--stack", STACK])?;
    assert!(said(&done).contains("now sends"), "{done:?}");
    let again = scene.inlet(&["subscribe", &place, "--stack", STACK])?;
    assert!(said(&again).contains("already"), "{again:?}");

    let get = s3.get_bucket_notification_configuration().bucket(bucket);
    let after = get.send().await.map_err(refused)?;
    let rules = after.queue_configurations();
    assert_eq!(rules.len(), 2, "{rules:?}");
    let kept = rules.iter().find(|rule| rule.id() == Some("theirs")).ok_or("theirs is gone")?;
    assert_eq!(kept.queue_arn(), theirs.queue_arn());
    assert_eq!(kept.events(), theirs.events());
    assert_eq!(kept.filter(), theirs.filter());

    // Where they have the events already, nothing is written, and what to do is said.
    let taken = scene.inlet(&["subscribe", &format!("s3://{bucket}"), "--stack", STACK]);
    let why = taken.expect_err("the whole bucket overlaps with theirs").to_string();
    assert!(why.contains("EventBridge"), "{why}");
    let get = s3.get_bucket_notification_configuration().bucket(bucket);
    assert_eq!(get.send().await.map_err(refused)?.queue_configurations(), rules);
    s3.delete_bucket().bucket(bucket).send().await.map_err(refused)?;
    Ok(())
}
