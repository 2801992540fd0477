//! The home on AWS: which tables, queues and buckets a deployed stack has, and the ports over them.

use std::sync::Arc;
use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

use crate::catalog::dynamodb::DynamoCatalog;
use crate::clock::SystemClock;
use crate::delivery::sqs::StackDeliveries;
use crate::ingest;
use crate::ledger::dynamodb::DynamoLedger;
use crate::notice::subscription::s3::SubscribeError;
use crate::notice::subscription::{self, Needed};
use crate::object::s3::S3Objects;
use crate::observe::Log;
use crate::queue::sqs::SqsQueue;
use crate::refresh;
use crate::rejects::s3::S3Rejects;

/// The names of a stack's parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The ledger's table.
    pub ledger_table: String,
    /// The catalog's table.
    pub catalog_table: String,
    /// The notice queue.
    pub notice_queue_url: String,
    /// Its dead letters.
    pub dead_letter_queue_url: String,
    /// The queue of records.
    pub records_queue_url: String,
    /// The bucket of rejects.
    pub state_bucket: String,
    /// The bucket of the built-in source `drop`.
    pub drop_bucket: String,
}

/// Names are missing.
#[derive(Debug, thiserror::Error)]
#[error("not set: {}. The stack's template sets them for its functions", .0.join(", "))]
pub struct MissingNames(Vec<&'static str>);

impl Names {
    /// Takes the names from where `lookup` finds them, such as the environment; the keys are those of
    /// the template.
    ///
    /// # Errors
    /// All that are missing, together.
    pub fn from(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, MissingNames> {
        let mut missing = Vec::new();
        let mut take = |name: &'static str| {
            let value = lookup(name).filter(|value| !value.is_empty());
            value.unwrap_or_else(|| {
                missing.push(name);
                String::new()
            })
        };
        let names = Self {
            ledger_table: take("INLET_LEDGER_TABLE"),
            catalog_table: take("INLET_CATALOG_TABLE"),
            notice_queue_url: take("INLET_NOTICE_QUEUE_URL"),
            dead_letter_queue_url: take("INLET_DEAD_LETTER_QUEUE_URL"),
            records_queue_url: take("INLET_RECORDS_QUEUE_URL"),
            state_bucket: take("INLET_STATE_BUCKET"),
            drop_bucket: take("INLET_DROP_BUCKET"),
        };
        if missing.is_empty() { Ok(names) } else { Err(MissingNames(missing)) }
    }
}

/// The ports over a stack. Making them asks nothing of AWS.
#[derive(Clone)]
pub struct Stack {
    /// The stack's names.
    pub names: Names,
    /// How AWS is reached.
    pub config: SdkConfig,
    /// The catalog.
    pub catalog: Arc<DynamoCatalog>,
    /// The ledger.
    pub ledger: Arc<DynamoLedger>,
    /// The notice queue.
    pub queue: Arc<SqsQueue>,
    objects: Arc<S3Objects>,
    deliveries: Arc<StackDeliveries>,
    rejects: Arc<S3Rejects>,
}

impl Stack {
    /// The stack with these names, reached as the environment says.
    pub async fn connect(names: Names) -> Self {
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        Self::new(names, config)
    }

    /// The stack with these names.
    pub fn new(names: Names, config: SdkConfig) -> Self {
        let config = config.to_builder().timeout_config(unanswered(&config)).build();
        let dynamodb = aws_sdk_dynamodb::Client::new(&config);
        let sqs = aws_sdk_sqs::Client::new(&config);
        let s3 = aws_sdk_s3::Client::new(&config);
        Self {
            catalog: Arc::new(DynamoCatalog::new(
                dynamodb.clone(),
                &names.catalog_table,
                Some(names.drop_bucket.clone()),
            )),
            ledger: Arc::new(DynamoLedger::new(dynamodb, &names.ledger_table)),
            queue: Arc::new(SqsQueue::new(
                sqs.clone(),
                &names.notice_queue_url,
                &names.dead_letter_queue_url,
            )),
            objects: Arc::new(S3Objects::new(config.clone())),
            deliveries: Arc::new(StackDeliveries::new(sqs, &names.records_queue_url)),
            rejects: Arc::new(S3Rejects::new(s3, &names.state_bucket)),
            names,
            config,
        }
    }

    /// What the pipeline stands on.
    pub fn ingest(&self) -> ingest::Ports {
        ingest::Ports {
            catalog: self.catalog.clone(),
            ledger: self.ledger.clone(),
            shapes: self.ledger.clone(),
            objects: self.objects.clone(),
            queue: self.queue.clone(),
            deliveries: self.deliveries.clone(),
            rejects: self.rejects.clone(),
            clock: Arc::new(SystemClock),
            observer: Arc::new(Log),
        }
    }

    /// Lets a bucket send its notices of keys under `prefix` to this stack, beside all that it sends
    /// already; with `only_look` nothing is written. Answers what was (or is) needed.
    ///
    /// # Errors
    /// If the queue's name is not to be had, another rule of the bucket has the events, or S3 refuses.
    pub async fn subscribe(
        &self,
        bucket: &str,
        prefix: &str,
        only_look: bool,
    ) -> Result<Needed, SubscribeError> {
        let queue = self.queue.arn().await?;
        let client = aws_sdk_s3::Client::new(&self.config);
        subscription::s3::subscribe(&client, bucket, &queue, prefix, only_look).await
    }

    /// What a refresh stands on.
    pub fn refresh(&self) -> refresh::Ports {
        refresh::Ports {
            ledger: self.ledger.clone(),
            objects: self.objects.clone(),
            queue: self.queue.clone(),
            journal: self.ledger.clone(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// The SDK waits without an end for an answer that never comes: a connection that died in silence
/// would hold a worker until its deadline. So no answer for this long means to ask again. (Time to the
/// first byte: the body of an object may take as long as it needs.)
fn unanswered(config: &SdkConfig) -> TimeoutConfig {
    let own = TimeoutConfig::builder().read_timeout(Duration::from_secs(15)).build();
    match config.timeout_config() {
        Some(given) => given.to_builder().take_unset_from(own.to_builder()).build(),
        None => own,
    }
}

/// Writes log lines as JSON with `timestamp` and `level`, by which Lambda filters
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html>).
/// `level` is a name such as `info`; anything else means `info`.
pub fn log(level: Option<&str>) {
    let level = level
        .and_then(|level| level.parse().ok())
        .unwrap_or(tracing_subscriber::filter::LevelFilter::INFO);
    tracing_subscriber::fmt().json().flatten_event(true).with_max_level(level).init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_missing_names_are_told_together() {
        let error = Names::from(|name| {
            (name != "INLET_LEDGER_TABLE" && name != "INLET_DROP_BUCKET").then(|| "x".to_owned())
        })
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "not set: INLET_LEDGER_TABLE, INLET_DROP_BUCKET. The stack's template sets them for its functions"
        );
    }
}
