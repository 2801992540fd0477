//! The notifications of a bucket in S3.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_bucket_notification_configuration::GetBucketNotificationConfigurationOutput;
use aws_sdk_s3::types::{
    Event, FilterRule, FilterRuleName, NotificationConfiguration, NotificationConfigurationFilter,
    QueueConfiguration, S3KeyFilter,
};

use super::{Needed, Rule, Taken, needed};
use crate::aws::said;
use crate::queue::QueueError;

/// The bucket cannot be made to send its notices.
#[derive(Debug, thiserror::Error)]
pub enum SubscribeError {
    /// Another rule has the events.
    #[error("{0}")]
    Taken(#[from] Box<Taken>),
    /// S3 refused.
    #[error(
        "the notifications of bucket {bucket} could not be {action}: {cause}. It needs \
         s3:GetBucketNotification and s3:PutBucketNotification, and the queue's policy must let the \
         bucket send (the stack's parameter SourceBucketArns)"
    )]
    Refused {
        /// The bucket.
        bucket: String,
        /// What was tried.
        action: &'static str,
        /// What S3 said.
        cause: String,
    },
    /// The queue's name is not to be had.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// Somebody else wrote the configuration at the same time.
    #[error(
        "somebody else changed the notifications of bucket {bucket} at the same time: look at them, and \
         try again"
    )]
    Overwritten {
        /// The bucket.
        bucket: String,
    },
}

/// Makes `bucket` send the notices of keys under `prefix` to `queue` (an ARN); everything that it sends
/// already stays as it is. With `only_look` nothing is written. Answers what was (or is) needed.
///
/// # Errors
/// If another rule has the events, or if S3 refuses.
pub async fn subscribe(
    client: &Client,
    bucket: &str,
    queue: &str,
    prefix: &str,
    only_look: bool,
) -> Result<Needed, SubscribeError> {
    let before = read(client, bucket).await?;
    let needed = needed(&rules(&before), queue, prefix)?;
    let Needed::Add(rule) = &needed else { return Ok(needed) };
    if only_look {
        return Ok(needed);
    }
    let refused =
        |cause| SubscribeError::Refused { bucket: bucket.to_owned(), action: "written", cause };
    let mut queues = before.queue_configurations().to_vec();
    queues.push(configuration(rule).map_err(|error| refused(error.to_string()))?);
    // The request replaces all: every part of the answer goes back into it.
    let all = NotificationConfiguration::builder()
        .set_queue_configurations(Some(queues))
        .set_topic_configurations(before.topic_configurations.clone())
        .set_lambda_function_configurations(before.lambda_function_configurations.clone())
        .set_event_bridge_configuration(before.event_bridge_configuration.clone())
        .build();
    client
        .put_bucket_notification_configuration()
        .bucket(bucket)
        .notification_configuration(all)
        .send()
        .await
        .map_err(|e| refused(said(&e)))?;
    // There is no condition that a write could carry. At least the loss is not silent.
    let after = rules(&read(client, bucket).await?);
    let kept = rules(&before).iter().all(|rule| after.iter().any(|kept| same(kept, rule)));
    if !kept || !after.iter().any(|added| same(added, rule)) {
        return Err(SubscribeError::Overwritten { bucket: bucket.to_owned() });
    }
    Ok(needed)
}

async fn read(
    client: &Client,
    bucket: &str,
) -> Result<GetBucketNotificationConfigurationOutput, SubscribeError> {
    let get = client.get_bucket_notification_configuration().bucket(bucket);
    get.send().await.map_err(|e| SubscribeError::Refused {
        bucket: bucket.to_owned(),
        action: "read",
        cause: said(&e),
    })
}

/// The same but for the order of events, which S3 does not keep.
fn same(a: &Rule, b: &Rule) -> bool {
    let sorted = |rule: &Rule| {
        let mut events = rule.events.clone();
        events.sort();
        events
    };
    a.target == b.target && a.prefix == b.prefix && a.suffix == b.suffix && sorted(a) == sorted(b)
}

fn rules(all: &GetBucketNotificationConfigurationOutput) -> Vec<Rule> {
    let queues = all.queue_configurations().iter();
    let topics = all.topic_configurations().iter();
    let functions = all.lambda_function_configurations().iter();
    queues
        .map(|q| rule(q.id(), q.queue_arn(), q.events(), q.filter()))
        .chain(topics.map(|t| rule(t.id(), t.topic_arn(), t.events(), t.filter())))
        .chain(functions.map(|f| rule(f.id(), f.lambda_function_arn(), f.events(), f.filter())))
        .collect()
}

fn rule(
    id: Option<&str>,
    target: &str,
    events: &[Event],
    filter: Option<&NotificationConfigurationFilter>,
) -> Rule {
    let filters = filter.and_then(|filter| filter.key()).map(S3KeyFilter::filter_rules);
    let of = |name: &str| {
        let found = filters.unwrap_or_default().iter().find(|rule| {
            rule.name().is_some_and(|given| given.as_str().eq_ignore_ascii_case(name))
        });
        found.and_then(|rule| rule.value()).unwrap_or_default().to_owned()
    };
    Rule {
        id: id.map(str::to_owned),
        target: target.to_owned(),
        events: events.iter().map(|event| event.as_str().to_owned()).collect(),
        prefix: of("prefix"),
        suffix: of("suffix"),
    }
}

fn configuration(rule: &Rule) -> Result<QueueConfiguration, aws_sdk_s3::error::BuildError> {
    let filter = (!rule.prefix.is_empty()).then(|| {
        let prefix = FilterRule::builder().name(FilterRuleName::Prefix).value(&rule.prefix).build();
        let key = S3KeyFilter::builder().filter_rules(prefix).build();
        NotificationConfigurationFilter::builder().key(key).build()
    });
    QueueConfiguration::builder()
        .set_id(rule.id.clone())
        .queue_arn(&rule.target)
        .set_events(Some(rule.events.iter().map(|event| event.as_str().into()).collect()))
        .set_filter(filter)
        .build()
}
