//! `inlet refresh`: what the notices missed, ordered by hand.

use inlet::catalog::Source;
use inlet::refresh::{Carried, Kind, Wish, carry_out, release};

use crate::home::Operated;
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
    let owner = home::owner("inlet-refresh");
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let mut failed = false;
    for source in home.catalog.sources() {
        if only.is_some_and(|only| only != source.key) {
            continue;
        }
        let carried = tokio::select! {
            carried = one(&home, source, full, &owner) => carried,
            _ = &mut interrupted => {
                // Else it would seem to be at work for some minutes more.
                release(&home.refresh, source, &owner).await?;
                return Err(Ending::Failed(Some(format!(
                    "interrupted; what was left of {} goes on with the next refresh",
                    source.key
                ))));
            }
        };
        if let Err(failure) = carried {
            failed = true;
            eprintln!("inlet: {}: {failure}", source.key);
        }
    }
    if failed { Err(Ending::Failed(None)) } else { Ok(()) }
}

async fn one(
    home: &Operated,
    source: &Source,
    full: bool,
    owner: &str,
) -> Result<(), inlet::failure::Failure> {
    let kind = if full { Kind::Full } else { Kind::Compare };
    // A comparison by hand is of everything as it is now; a full refresh that was interrupted goes on.
    let wish = Some(Wish { kind, anew: !full });
    match carry_out(&home.refresh, &home.catalog, source, wish, owner, None).await? {
        Carried::Ended(pass) | Carried::Paused(pass) => {
            let report = pass.report;
            say!(
                "{}: {} objects; ordered {}: {} new, {} changed, {} gone, {} left behind{}",
                source.key,
                report.listed,
                report.orders(),
                report.new,
                report.changed,
                report.gone,
                report.stale,
                // Of a full refresh what is unchanged is among the orders.
                match pass.kind {
                    Kind::Full => format!(", {} unchanged", report.forced),
                    Kind::Compare => format!("; {} unchanged", report.agreed),
                }
            );
        }
        Carried::Held(lease) => say!(
            "{}: a refresh is under way (by {}, until {} at least); this one comes after it",
            source.key,
            lease.owner,
            lease.until
        ),
        Carried::Nothing => {}
    }
    Ok(())
}
