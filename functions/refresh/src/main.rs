//! The refresh function: on a schedule or on request, orders what the notices missed.
//!
//! Wiring only; the work is told in [`inlet::refresh`]. The event names what to refresh, and may be
//! empty: `{"source": "deals", "full": true}`.

use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;

use inlet::catalog::CatalogStore;
use inlet::refresh::{Report, refresh};
use inlet::stack::{self, Names, Stack};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Deserialize;

/// What to refresh. An event that a schedule made up by itself means every source.
#[derive(Debug, Default, Deserialize)]
struct Request {
    /// One source's key; none: all sources.
    source: Option<String>,
    /// Deliver what is unchanged too.
    #[serde(default)]
    full: bool,
    /// Events of EventBridge have it, and another `source`.
    #[serde(default, rename = "detail-type")]
    detail_type: Option<String>,
}

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
    event: LambdaEvent<Option<Request>>,
) -> Result<BTreeMap<String, Report>, Error> {
    let request = match event.payload {
        Some(Request { detail_type: Some(_), .. }) | None => Request::default(),
        Some(request) => request,
    };
    let catalog = stack.catalog.current().await?;
    let mut reports = BTreeMap::new();
    let mut failures = Vec::new();
    for source in catalog.sources() {
        if request.source.as_ref().is_some_and(|only| *only != source.key) {
            continue;
        }
        // One source that cannot be listed keeps no other from its refresh.
        match refresh(&stack.refresh(), &catalog, source, request.full).await {
            Ok(report) => {
                tracing::info!(source = source.key, ?report, "refreshed");
                reports.insert(source.key.clone(), report);
            }
            Err(failure) => {
                tracing::error!(
                    source = source.key,
                    code = failure.code,
                    cause = failure.message,
                    "not refreshed"
                );
                failures.push(format!("source {}: {failure}", source.key));
            }
        }
    }
    match request.source {
        Some(source) if reports.is_empty() && failures.is_empty() => {
            Err(format!("there is no source {source:?}; `inlet apply` defines sources").into())
        }
        _ if failures.is_empty() => Ok(reports),
        _ => Err(failures.join("; ").into()),
    }
}
