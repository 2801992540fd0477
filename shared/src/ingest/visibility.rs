//! Keeping the messages of a batch hidden while the work on them goes on.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;

use crate::queue::{Message, Queue};

/// How long a received message stays hidden unless it is renewed: a dead worker's messages come back
/// after this, although the queue's own visibility timeout is hours. Longer than a lease, so that
/// the lease has ended when the message comes.
pub const VISIBILITY: Duration = Duration::from_secs(75);
/// How often visibility is renewed.
const RENEWAL: Duration = Duration::from_secs(25);

/// The messages of a batch that are hidden: those that are worked on, those that wait for a slot, and
/// those that are done with and not deleted before the whole batch is answered.
pub(super) struct Hidden {
    queue: Arc<dyn Queue>,
    /// Held during every request, so that a renewal under way never undoes a message's setting aside.
    messages: Mutex<Vec<Message>>,
}

impl Hidden {
    pub(super) fn new(queue: Arc<dyn Queue>, messages: &[Message]) -> Self {
        Self { queue, messages: Mutex::new(messages.to_vec()) }
    }

    /// Renews the visibility for as long as it is polled.
    pub(super) async fn keep(&self) {
        loop {
            let messages = self.messages.lock().await;
            if !messages.is_empty()
                && let Err(error) = self.queue.extend(&messages, VISIBILITY).await
            {
                // They come back when the queue says so; the ledger's leases keep the order then.
                tracing::warn!(%error, "the visibility of the batch was not renewed");
            }
            drop(messages);
            tokio::time::sleep(RENEWAL).await;
        }
    }

    /// Hides a message that comes back for as long as it should stay away, and no longer.
    pub(super) async fn set_aside(&self, message: &Message, after: Duration) {
        let mut messages = self.messages.lock().await;
        messages.retain(|hidden| hidden.receipt != message.receipt);
        if let Err(error) = self.queue.extend(std::slice::from_ref(message), after).await {
            tracing::warn!(message_id = message.id, %error, "the message comes back later than it could");
        }
    }

    /// Removes a message that is done with from the queue. If that fails it is answered with the batch.
    pub(super) async fn acknowledge(&self, message: &Message) {
        let mut messages = self.messages.lock().await;
        if let Err(error) = self.queue.acknowledge(message).await {
            tracing::warn!(message_id = message.id, %error, "acknowledged with its batch only");
            return;
        }
        messages.retain(|hidden| hidden.receipt != message.receipt);
    }

    /// Waits for a renewal under way.
    pub(super) async fn rest(&self) {
        drop(self.messages.lock().await);
    }
}
