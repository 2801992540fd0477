//! `inlet refresh`: what the notices missed, ordered by hand.

use inlet::refresh::refresh;

use crate::{Ending, HomeArguments, home};

pub(crate) async fn run(
    only: Option<&str>,
    full: bool,
    home: &HomeArguments,
) -> Result<(), Ending> {
    let home = home::open(home).await?;
    if let Some(only) = only {
        home.must_have(only)?;
    }
    let mut failed = false;
    for source in home.catalog.sources() {
        if only.is_some_and(|only| only != source.key) {
            continue;
        }
        match refresh(&home.refresh, &home.catalog, source, full).await {
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
    if failed { Err(Ending::Failed(None)) } else { Ok(()) }
}
