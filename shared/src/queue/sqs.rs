//! The notice queue on AWS: SQS, from which Lambda receives and deletes.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue, QueueAttributeName,
    SendMessageBatchRequestEntry,
};

use super::{Message, Queue, QueueError};
use crate::aws::said;
use crate::notice::{DeadLetter, Order};

/// Messages that one request may carry
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>).
const BATCH: usize = 10;
/// Requests for messages that SQS refused one by one, before the rest is an error.
const ROUNDS: u32 = 5;
/// SQS delays a message by at most this.
const MAX_DELAY: Duration = Duration::from_secs(900);

/// The stack's notice queue and its dead-letter queue.
#[derive(Clone)]
pub struct SqsQueue {
    client: Client,
    notices: String,
    dead_letters: String,
}

impl SqsQueue {
    /// The queues at these URLs.
    pub fn new(
        client: Client,
        notice_queue_url: impl Into<String>,
        dead_letter_queue_url: impl Into<String>,
    ) -> Self {
        Self {
            client,
            notices: notice_queue_url.into(),
            dead_letters: dead_letter_queue_url.into(),
        }
    }

    /// The notice queue's ARN.
    ///
    /// # Errors
    /// If SQS does not tell it.
    pub async fn arn(&self) -> Result<String, QueueError> {
        const ACTION: &str = "tell its ARN";
        let name = QueueAttributeName::QueueArn;
        let ask = self.client.get_queue_attributes().queue_url(&self.notices);
        let answer = ask
            .attribute_names(name.clone())
            .send()
            .await
            .map_err(|e| Self::failed(&self.notices, ACTION, said(&e)))?;
        let arn = answer.attributes.and_then(|mut all| all.remove(&name));
        arn.ok_or_else(|| Self::failed(&self.notices, ACTION, "the answer does not name it"))
    }

    fn failed(queue: &str, action: &'static str, cause: impl ToString) -> QueueError {
        QueueError { queue: queue.to_owned(), action, cause: cause.to_string() }
    }
}

fn seconds(duration: Duration) -> i32 {
    // Rounded up: a message must not come before its time.
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i32::try_from(whole).unwrap_or(i32::MAX)
}

#[async_trait]
impl Queue for SqsQueue {
    async fn order(&self, orders: &[Order], delay: Duration) -> Result<(), QueueError> {
        const ACTION: &str = "take orders";
        let fail = |cause: String| Self::failed(&self.notices, ACTION, cause);
        let delay = seconds(delay.min(MAX_DELAY));
        for chunk in orders.chunks(BATCH) {
            let mut left = Vec::with_capacity(chunk.len());
            for (n, order) in chunk.iter().enumerate() {
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(n.to_string())
                    .message_body(order.to_body())
                    .delay_seconds(delay)
                    .build()
                    .map_err(|e| fail(e.to_string()))?;
                left.push(entry);
            }
            // SQS answers for each message: a successful request may hold refused messages.
            for round in 1.. {
                let answer = self
                    .client
                    .send_message_batch()
                    .queue_url(&self.notices)
                    .set_entries(Some(left.clone()))
                    .send()
                    .await
                    .map_err(|e| fail(said(&e)))?;
                left.retain(|entry| answer.failed.iter().any(|f| f.id == entry.id));
                let Some(refused) = answer.failed.first() else { break };
                if round == ROUNDS || answer.failed.iter().any(|f| f.sender_fault) {
                    let reason = refused.message().unwrap_or("no reason given");
                    return Err(fail(format!("{}: {reason}", refused.code())));
                }
            }
        }
        Ok(())
    }

    async fn bury(&self, letter: &DeadLetter) -> Result<(), QueueError> {
        const ACTION: &str = "take a dead letter";
        let fail = |cause: String| Self::failed(&self.dead_letters, ACTION, cause);
        let cause = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(&letter.cause.code)
            .build()
            .map_err(|e| fail(e.to_string()))?;
        self.client
            .send_message()
            .queue_url(&self.dead_letters)
            .message_body(letter.to_body())
            .message_attributes("cause", cause)
            .send()
            .await
            .map_err(|e| fail(said(&e)))?;
        Ok(())
    }

    async fn extend(&self, messages: &[Message], visibility: Duration) -> Result<(), QueueError> {
        const ACTION: &str = "extend the visibility of messages";
        let fail = |cause: String| Self::failed(&self.notices, ACTION, cause);
        for chunk in messages.chunks(BATCH) {
            let mut entries = Vec::with_capacity(chunk.len());
            for (n, message) in chunk.iter().enumerate() {
                let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(n.to_string())
                    .receipt_handle(&message.receipt)
                    .visibility_timeout(seconds(visibility))
                    .build()
                    .map_err(|e| fail(e.to_string()))?;
                entries.push(entry);
            }
            let answer = self
                .client
                .change_message_visibility_batch()
                .queue_url(&self.notices)
                .set_entries(Some(entries))
                .send()
                .await
                .map_err(|e| fail(said(&e)))?;
            // The sender's fault here is a receipt that is out of date: the message is another's.
            if let Some(refused) = answer.failed.iter().find(|f| !f.sender_fault) {
                let reason = refused.message().unwrap_or("no reason given");
                return Err(fail(format!("{}: {reason}", refused.code())));
            }
        }
        Ok(())
    }

    async fn acknowledge(&self, message: &Message) -> Result<(), QueueError> {
        let delete = self.client.delete_message().queue_url(&self.notices);
        delete
            .receipt_handle(&message.receipt)
            .send()
            .await
            .map(|_| ())
            .map_err(|e| Self::failed(&self.notices, "acknowledge a message", said(&e)))
    }

    /// Twenty minutes in all, before the receive that counts as the last: a store or a table that is
    /// throttled or down for a while must not send everything under way to the dead letters.
    fn backoff(&self, receives: u32) -> Duration {
        const MINUTE: u64 = 60;
        Duration::from_secs(match receives {
            0 | 1 => 15,
            2 => MINUTE,
            3 => 4 * MINUTE,
            _ => 15 * MINUTE,
        })
    }
}
