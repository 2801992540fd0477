//! `inlet subscribe`: let a bucket send its notices to a stack, beside all that it sends already.

use inlet::notice::subscription::Needed;

use crate::{Ending, home};

pub(crate) async fn run(place: &str, stack: &str, only_look: bool) -> Result<(), Ending> {
    let wrong = || Ending::Usage(format!("{place} is not s3://bucket or s3://bucket/prefix"));
    let rest = place.strip_prefix("s3://").ok_or_else(wrong)?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(wrong());
    }
    let deployed = home::stack(stack).await?;
    match deployed.subscribe(bucket, prefix, only_look).await? {
        Needed::Nothing => say!("{place} sends its notices to the stack {stack} already"),
        Needed::Add(rule) => {
            let events = rule.events.join(", ");
            let will = if only_look { "would send" } else { "now sends" };
            say!(
                "{place} {will} {events} to the stack {stack}; its other notifications stay as they are"
            );
        }
    }
    Ok(())
}
