//! The refresh function: on a schedule or on request, orders what the notices missed.
//!
//! Wiring only; the work is told in [`inlet::refresh`]. The event says what to do:
//!
//! | event | means |
//! |---|---|
//! | `{"tick": true}` | every few minutes: what is due by the sources' own schedules, and what an earlier invocation left in its middle |
//! | `{"source": "deals", "full": true}` | this source (without: every source) is refreshed; with `full`, what is unchanged is delivered too |
//!
//! What does not fit into one invocation is taken up by the next tick.

use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use inlet::catalog::CatalogStore;
use inlet::refresh::{Carried, Kind, Report, carry_out, note, tick};
use inlet::stack::{self, Names, Stack};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// What is left for ending the stretch under way and writing down how far it came.
const MARGIN: Duration = Duration::from_secs(30);

/// What to refresh. An event that a schedule made up by itself means every source.
#[derive(Debug, Default, Deserialize)]
struct Request {
    /// One source's key; none: all sources.
    source: Option<String>,
    /// Deliver what is unchanged too.
    #[serde(default)]
    full: bool,
    /// Only what is due or was begun.
    #[serde(default)]
    tick: bool,
    /// Events of EventBridge have it, and another `source`.
    #[serde(default, rename = "detail-type")]
    detail_type: Option<String>,
}

/// What became of one source's refresh.
#[derive(Debug, Serialize)]
struct Told {
    /// How it stands.
    state: &'static str,
    /// What the whole pass found so far.
    #[serde(flatten)]
    report: Report,
    /// The last key that is done with, of a pass that goes on in the next invocation.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
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
) -> Result<BTreeMap<String, Told>, Error> {
    let request = match event.payload {
        Some(Request { detail_type: Some(_), .. }) | None => Request::default(),
        Some(request) => request,
    };
    let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
    let until = Some(Instant::now() + left.saturating_sub(MARGIN.min(left / 4)));
    let owner = event.context.request_id;
    let (ports, catalog) = (stack.refresh(), stack.catalog.current().await?);
    let asked = |key: &str| request.source.as_ref().is_none_or(|only| only == key);
    let sources: Vec<_> = catalog.sources().iter().filter(|source| asked(&source.key)).collect();
    if let (Some(source), true) = (&request.source, sources.is_empty()) {
        return Err(format!("there is no source {source:?}; `inlet apply` defines sources").into());
    }
    if !request.tick {
        let kind = if request.full { Kind::Full } else { Kind::Compare };
        // All of them first: what does not fit into this invocation is not forgotten.
        for source in &sources {
            note(&ports, source, kind).await?;
        }
    }
    let mut told = BTreeMap::new();
    let mut failures = Vec::new();
    for source in sources {
        if until.is_some_and(|until| until <= Instant::now()) {
            break;
        }
        let carried = if request.tick {
            tick(&ports, &catalog, source, &owner, until).await
        } else {
            carry_out(&ports, &catalog, source, None, &owner, until).await
        };
        // One source that cannot be listed keeps no other from its refresh.
        let (state, pass) = match carried {
            Ok(Carried::Nothing) => continue,
            Ok(Carried::Held(lease)) => {
                tracing::info!(source = source.key, owner = lease.owner, "under way elsewhere");
                ("under_way", None)
            }
            Ok(Carried::Ended(pass)) => ("ended", Some(pass)),
            Ok(Carried::Paused(pass)) => ("paused", Some(pass)),
            Err(failure) => {
                tracing::error!(
                    source = source.key,
                    code = failure.code,
                    cause = failure.message,
                    "not refreshed"
                );
                failures.push(format!("source {}: {failure}", source.key));
                continue;
            }
        };
        let after = pass.as_ref().filter(|_| state == "paused").and_then(|p| p.after.clone());
        let report = pass.map(|pass| pass.report).unwrap_or_default(); // of others nothing is known
        tracing::info!(source = source.key, state, ?report, after, "refreshed");
        told.insert(source.key.clone(), Told { state, report, after });
    }
    if failures.is_empty() { Ok(told) } else { Err(failures.join("; ").into()) }
}
