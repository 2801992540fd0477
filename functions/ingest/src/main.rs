//! The ingest function: a batch of notices from SQS in, a partial batch response out.
//!
//! Wiring only; the work is told in [`inlet::ingest`].

use std::env;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use inlet::ingest::{Ingest, Outcome};
use inlet::queue::Message;
use inlet::stack::{self, Names, Stack};
use lambda_runtime::{Context, Error, LambdaEvent, service_fn};
use tokio::time::Instant;

/// What is left for writing down how the work stands when the deadline comes.
const MARGIN: Duration = Duration::from_secs(5);
/// Memory that one object under way may take, generously: buffers, a row, batches under way.
const MEBIBYTES_PER_OBJECT: usize = 96;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let level = env::var("AWS_LAMBDA_LOG_LEVEL").or_else(|_| env::var("RUST_LOG"));
    stack::log(level.ok().as_deref());
    let names = Names::from(|name| env::var(name).ok())?;
    let stack = Arc::new(Stack::connect(names).await);
    lambda_runtime::run(service_fn(move |event| handle(Arc::clone(&stack), event))).await
}

async fn handle(
    stack: Arc<Stack>,
    event: LambdaEvent<SqsEvent>,
) -> Result<SqsBatchResponse, Error> {
    let messages =
        event.payload.records.into_iter().map(message).collect::<Result<Vec<_>, Error>>()?;
    let ids: Vec<String> = messages.iter().map(|message| message.id.clone()).collect();
    let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
    let deadline = Instant::now() + left.saturating_sub(MARGIN.min(left / 4));
    let ingest = Ingest::new(stack.ingest(), owner(&event.context), concurrency());

    let outcomes = ingest.messages(messages, Some(deadline)).await;
    let mut response = SqsBatchResponse::default();
    for (id, outcome) in ids.into_iter().zip(outcomes) {
        if let Outcome::Return { .. } = outcome {
            response.add_failure(id);
        }
    }
    Ok(response)
}

/// What the ledger calls this invocation: the log that it writes to, and its part of that log.
fn owner(context: &Context) -> String {
    format!("{}#{}", context.env_config.log_stream, context.request_id)
}

/// A message without an id cannot be answered for: an empty id in the answer would fail the batch.
fn message(message: SqsMessage) -> Result<Message, Error> {
    let receives = message.attributes.get("ApproximateReceiveCount");
    Ok(Message {
        id: message.message_id.ok_or("a message without messageId: this is no event of SQS")?,
        receipt: message.receipt_handle.unwrap_or_default(), // then its visibility stays as it is
        body: message.body.unwrap_or_default(), // an empty body is malformed, and buried as such
        receives: receives.and_then(|count| count.parse().ok()).unwrap_or(1),
    })
}

fn concurrency() -> usize {
    let memory = env::var("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").ok();
    let memory = memory.and_then(|size| size.parse::<usize>().ok()).unwrap_or(1024);
    (memory / MEBIBYTES_PER_OBJECT).clamp(1, 16)
}
