//! `inlet refresh` and `inlet replay`: work ordered by hand, through the same queue as any notice.

use std::time::Duration;

use inlet::notice::{Order, OrderReason};
use inlet::refresh::refresh as refresh_source;

use crate::{Ending, HomeArguments, home};

pub(crate) async fn refresh(
    only: Option<&str>,
    full: bool,
    home: &HomeArguments,
) -> Result<(), Ending> {
    let home = home::open(home).await?;
    let mut found = false;
    let mut failed = false;
    for source in home.catalog.sources() {
        if only.is_some_and(|only| only != source.key) {
            continue;
        }
        found = true;
        match refresh_source(&home.refresh, &home.catalog, source, full).await {
            Ok(report) => say!(
                "{}: {} objects; ordered {}: {} new, {} changed, {} gone, {} left behind, {} unchanged",
                source.key,
                report.listed,
                report.orders(),
                report.new,
                report.changed,
                report.gone,
                report.stale,
                report.forced
            ),
            Err(failure) => {
                failed = true;
                eprintln!("inlet: {}: {failure}", source.key);
            }
        }
    }
    match only {
        Some(only) if !found => Err(Ending::Usage(no_source(only, &home.catalog))),
        _ if failed => Err(Ending::Failed(None)),
        _ => Ok(()),
    }
}

pub(crate) async fn replay(
    objects: &[String],
    source: Option<&str>,
    home: &HomeArguments,
) -> Result<(), Ending> {
    let objects = objects.iter().map(|o| home::object(o)).collect::<Result<Vec<_>, _>>()?;
    let stack = home.stack.as_deref();
    let home = home::open(home).await?;
    let mut orders = Vec::new();
    for object in objects {
        let matches = home.catalog.matching(&object.bucket, &object.key);
        if !matches.iter().any(|m| source.is_none_or(|source| source == m.source.key)) {
            return Err(Ending::Usage(match source {
                Some(source) => format!("source {source} does not take {object}"),
                None => format!("no source takes {object}"),
            }));
        }
        let mut order = Order::new(object, OrderReason::Replay);
        order.source = source.map(str::to_owned);
        order.force = true;
        orders.push(order);
    }
    home.refresh.queue.order(&orders, Duration::ZERO).await?;
    let when =
        if stack.is_some() { "" } else { "; a running `inlet dev` takes it up, or the next one" };
    say!("{} ordered{when}", orders.len());
    Ok(())
}

fn no_source(key: &str, catalog: &inlet::catalog::Catalog) -> String {
    let known: Vec<&str> = catalog.sources().iter().map(|source| source.key.as_str()).collect();
    format!("there is no source {key:?}; there are: {}", known.join(", "))
}
