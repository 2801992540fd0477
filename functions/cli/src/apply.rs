//! `inlet apply`.

use std::path::Path;

use inlet::catalog::dynamodb::Changes;

use crate::{Ending, home};

pub(crate) async fn run(dir: &Path, stack: &str) -> Result<(), Ending> {
    let catalog = home::load(dir)?;
    let deployed = home::stack(stack).await?;
    let (connections, sources) = deployed.catalog.apply(&catalog).await?;
    tell("connection", &connections);
    tell("source", &sources);
    say!("the definitions in {} are in force in the stack {stack}", dir.display());
    Ok(())
}

fn tell(kind: &str, changes: &Changes) {
    let lists =
        [("added", &changes.added), ("changed", &changes.changed), ("removed", &changes.removed)];
    for (what, keys) in lists {
        for key in keys {
            say!("{what} {kind} {key}");
        }
    }
}
