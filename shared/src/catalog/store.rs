//! Where the pipeline finds the catalog that is in force.

use std::sync::Arc;

use async_trait::async_trait;

use super::Catalog;
use crate::failure::{Disposition, Failure};

/// The storage of the catalog.
#[async_trait]
pub trait CatalogStore: Send + Sync {
    /// The catalog in force, at most a few seconds old.
    async fn current(&self) -> Result<Arc<Catalog>, CatalogError>;
}

/// The catalog could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the catalog {place} could not {action}: {cause}")]
pub struct CatalogError {
    /// Which table.
    pub place: String,
    /// What was tried.
    pub action: String,
    /// What went wrong.
    pub cause: String,
}

impl From<&CatalogError> for Failure {
    fn from(error: &CatalogError) -> Failure {
        Failure::new(
            "catalog_unavailable",
            error.to_string(),
            "It is tried again by itself; if it lasts, look at the table and at the role's \
             permissions, or `inlet apply` the definitions again",
            Disposition::Retry,
        )
    }
}

/// A catalog that does not change.
#[derive(Clone, Debug)]
pub struct FixedCatalog(Arc<Catalog>);

impl FixedCatalog {
    /// Always `catalog`.
    pub fn new(catalog: Catalog) -> Self {
        Self(Arc::new(catalog))
    }
}

#[async_trait]
impl CatalogStore for FixedCatalog {
    async fn current(&self) -> Result<Arc<Catalog>, CatalogError> {
        Ok(Arc::clone(&self.0))
    }
}
