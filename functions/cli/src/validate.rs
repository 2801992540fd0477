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
    }
    Ok(())
}
