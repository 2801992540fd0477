//! The least that a function with the clients of the ingest function can be: what its start-up is
//! measured against.

use aws_config::BehaviorVersion;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let clients = (
        aws_sdk_dynamodb::Client::new(&config),
        aws_sdk_s3::Client::new(&config),
        aws_sdk_sqs::Client::new(&config),
    );
    let handler = service_fn(|event: LambdaEvent<Value>| {
        let _clients = clients.clone();
        async move { Ok::<_, Error>(event.payload) }
    });
    lambda_runtime::run(handler).await
}
