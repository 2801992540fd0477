//! What came out of a deployed stack: everything that its queues of records and of dead letters
//! received, for many tests at a time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::types::DeleteMessageBatchRequestEntry;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::wait::until;
use crate::{Failure, refused};

/// How long anything may take to come out.
const PATIENCE: Duration = Duration::from_secs(90);

/// Takes everything out of a queue for as long as it lives, and keeps it.
#[derive(Debug)]
pub struct Downstream {
    messages: Arc<Mutex<Vec<Value>>>,
    /// Held while messages are taken.
    taking: Arc<tokio::sync::Mutex<()>>,
    receiving: JoinHandle<()>,
}

impl Downstream {
    /// Begins to take from the queue.
    pub fn of(sqs: aws_sdk_sqs::Client, queue_url: &str) -> Self {
        let messages: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (kept, queue_url) = (Arc::clone(&messages), queue_url.to_owned());
        let taking: Arc<tokio::sync::Mutex<()>> = Arc::default();
        let turn = Arc::clone(&taking);
        let receiving = tokio::spawn(async move {
            loop {
                let _turn = turn.lock().await;
                if let Err(failure) = take(&sqs, &queue_url, &kept).await {
                    // The test that waits for a message says that it never came; this says why.
                    eprintln!("{queue_url}: {failure}");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        });
        Self { messages, taking, receiving }
    }

    /// Takes nothing for as long as the answer is held.
    pub async fn pause(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.taking.lock().await
    }

    /// Everything about an object so far, in the order in which it came.
    pub fn about(&self, key: &str) -> Vec<Value> {
        let named = |message: &&Value| {
            message["data"]["object"]["key"] == key || message["object"]["key"] == key
        };
        self.look(|all| all.iter().filter(named).cloned().collect())
    }

    /// Everything so far.
    pub fn all(&self) -> Vec<Value> {
        self.look(<[Value]>::to_vec)
    }

    /// Looks at everything so far, where it lies: it may be much. Nothing is taken meanwhile.
    pub fn look<T>(&self, at: impl FnOnce(&[Value]) -> T) -> T {
        at(&self.messages.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for the `n`th event of a type about an object, and returns it.
    ///
    /// # Errors
    /// When it does not come; with what came instead.
    pub async fn event(&self, key: &str, kind: &str, n: usize) -> Result<Value, Failure> {
        let what = format!("event {n} of type {kind} about {key}");
        let found = until(&what, PATIENCE, async || {
            self.about(key).into_iter().filter(|event| event["type"] == kind).nth(n - 1)
        });
        found.await.map_err(|failure| format!("{failure}; there is: {:?}", self.about(key)).into())
    }

    /// Waits for a message that `fits`, and returns it.
    ///
    /// # Errors
    /// When it does not come; with what came instead.
    pub async fn message(
        &self,
        what: &str,
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Value, Failure> {
        let found =
            until(what, PATIENCE, async || self.look(|all| all.iter().find(|m| fits(m)).cloned()));
        found.await.map_err(|failure| format!("{failure}; there is: {:?}", self.all()).into())
    }

    /// The values of all records about an object, each once by its id, in the order of their rows.
    pub fn values(&self, key: &str) -> Vec<Value> {
        let mut seen = Vec::new();
        let mut records = Vec::new();
        for event in self.about(key) {
            if seen.contains(&event["id"]) {
                continue;
            }
            seen.push(event["id"].clone());
            for record in event["data"]["records"].as_array().into_iter().flatten() {
                records.push(record["values"].clone());
            }
        }
        records
    }
}

impl Drop for Downstream {
    fn drop(&mut self) {
        self.receiving.abort();
    }
}

async fn take(
    sqs: &aws_sdk_sqs::Client,
    queue_url: &str,
    kept: &Mutex<Vec<Value>>,
) -> Result<(), Failure> {
    let receive = sqs.receive_message().queue_url(queue_url);
    let received =
        receive.max_number_of_messages(10).wait_time_seconds(2).send().await.map_err(refused)?;
    let mut deletions = Vec::new();
    for (n, message) in received.messages().iter().enumerate() {
        let body = message.body().ok_or("a message without a body")?;
        // What is no JSON is kept too: a dead letter may be anything.
        let value = serde_json::from_str(body).unwrap_or_else(|_| Value::from(body));
        kept.lock().unwrap_or_else(PoisonError::into_inner).push(value);
        let receipt = message.receipt_handle().ok_or("a message without a receipt")?;
        let deletion = DeleteMessageBatchRequestEntry::builder().id(n.to_string());
        deletions.push(deletion.receipt_handle(receipt).build()?);
    }
    if deletions.is_empty() {
        return Ok(());
    }
    let delete = sqs.delete_message_batch().queue_url(queue_url).set_entries(Some(deletions));
    let deleted = delete.send().await.map_err(refused)?;
    // The sender's fault here is a receipt of what is gone already: the client asked twice because no
    // answer had come.
    match deleted.failed().iter().find(|failed| !failed.sender_fault()) {
        Some(failed) => Err(format!("{}: {:?}", failed.code(), failed.message()).into()),
        None => Ok(()),
    }
}
