//! Events as messages of an SQS queue: the body is the event, and the attributes `type`, `source` and
//! `id` repeat what a consumer filters by.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_sqs::types::MessageAttributeValue;

use super::{Deliveries, Delivery, DeliveryError, Event};
use crate::aws::said;
use crate::catalog::Destination;
use crate::failure::{Disposition, Failure};

/// One queue.
pub struct SqsDelivery {
    client: Client,
    queue_url: String,
}

impl SqsDelivery {
    /// Delivers to the queue at `queue_url`.
    pub fn new(client: Client, queue_url: impl Into<String>) -> Self {
        Self { client, queue_url: queue_url.into() }
    }
}

fn attribute(text: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(text).build()
}

#[async_trait]
impl Delivery for SqsDelivery {
    async fn send(&self, event: &Event) -> Result<(), DeliveryError> {
        let error = |cause: String, passing: bool| DeliveryError {
            destination: self.queue_url.clone(),
            event: event.id.clone(),
            cause,
            passing,
        };
        let built = |e: BuildError| error(e.to_string(), false);
        self.client
            .send_message()
            .queue_url(&self.queue_url)
            .message_body(&event.body)
            .message_attributes("type", attribute(event.kind.as_str()).map_err(built)?)
            .message_attributes("source", attribute(&event.source).map_err(built)?)
            .message_attributes("id", attribute(&event.id).map_err(built)?)
            .send()
            .await
            .map_err(|e| {
                let code = e.as_service_error().and_then(|e| e.code());
                error(said(&e), passing(code))
            })?;
        Ok(())
    }

    fn concurrency(&self) -> usize {
        8
    }
}

/// Whether the queue may take the event later. An invalid message stays invalid. A queue that is
/// forbidden or gone may not stay so: a policy that is mended, or deployed anew and not yet known
/// everywhere, must not have cost every file of those minutes.
fn passing(code: Option<&str>) -> bool {
    !matches!(code, Some("InvalidMessageContents" | "InvalidParameterValue"))
}

/// The destinations of a stack.
pub struct StackDeliveries {
    client: Client,
    home: Arc<dyn Delivery>,
    queues: Mutex<HashMap<String, Arc<dyn Delivery>>>,
}

impl StackDeliveries {
    /// `records_queue_url` is the stack's own records queue.
    pub fn new(client: Client, records_queue_url: &str) -> Self {
        let home = Arc::new(SqsDelivery::new(client.clone(), records_queue_url));
        Self { client, home, queues: Mutex::default() }
    }
}

impl Deliveries for StackDeliveries {
    fn to(&self, destination: &Destination) -> Result<Arc<dyn Delivery>, Failure> {
        match destination {
            Destination::Home | Destination::Sqs { queue_url: None } => Ok(Arc::clone(&self.home)),
            Destination::Sqs { queue_url: Some(url) } => {
                let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
                let queue = queues.entry(url.clone()).or_insert_with(|| {
                    Arc::new(SqsDelivery::new(self.client.clone(), url.clone()))
                });
                Ok(Arc::clone(queue))
            }
            Destination::File { .. } => Err(Failure::new(
                "no_such_destination",
                "a deployed stack has no files to deliver to",
                "Give the source a [[deliver]] with to = \"sqs\", or none for the stack's own queue",
                Disposition::Park,
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_that_is_forbidden_or_gone_for_a_while_costs_no_file() {
        for code in ["AccessDenied", "AccessDeniedException", "QueueDoesNotExist"] {
            assert!(passing(Some(code)), "{code}");
        }
        assert!(passing(None), "no answer");
        assert!(!passing(Some("InvalidMessageContents")));
    }
}
