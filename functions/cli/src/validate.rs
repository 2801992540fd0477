//! `inlet validate`.

use std::path::Path;

use inlet::catalog::HOME_CONNECTION;

use crate::{Ending, home};

pub(crate) fn run(dir: &Path) -> Result<(), Ending> {
    let catalog = home::load(dir)?;
    let connections = catalog.connections().filter(|c| c.key != HOME_CONNECTION).count();
    say!(
        "{}: {connections} connections and {} sources, all valid",
        dir.display(),
        catalog.sources().len()
    );
    for source in catalog.sources() {
        say!("  {}: s3://{}/{}", source.key, source.bucket, source.path);
        for note in notes(source) {
            say!("    note: {note}");
        }
    }
    Ok(())
}

/// What is valid and still worth knowing.
pub(crate) fn notes(source: &inlet::catalog::Source) -> Vec<String> {
    let mut notes = Vec::new();
    if source.refresh.schedule.is_some() || source.refresh.poll.is_some() {
        notes.push(
            "[refresh] is kept, and not carried out yet: the stack's own schedule refreshes every source"
                .to_owned(),
        );
    }
    notes
}
