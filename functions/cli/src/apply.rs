//! `inlet apply`.

use std::path::Path;

use inlet::catalog::dynamodb::Changes;

use crate::{Ending, home, validate};

pub(crate) async fn run(dir: &Path, stack: &str) -> Result<(), Ending> {
    let catalog = home::load(dir)?;
    let deployed = home::stack(stack).await?;
    let (connections, sources) = deployed.catalog.apply(&catalog).await?;
    tell("connection", &connections);
    tell("source", &sources);
    for source in catalog.sources() {
        for note in validate::notes(source) {
            say!("note: source {}: {note}", source.key);
        }
    }
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
