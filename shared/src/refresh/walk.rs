//! The bucket and the ledger beside each other, key by key.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::sleep;

use super::{Found, Ports, reconcile};
use crate::catalog::{Catalog, Connection, Source};
use crate::failure::{Disposition, Failure};
use crate::ledger::{Entry, Range, Scan};
use crate::object::{ETag, Listed};

/// How often a page of the listing is asked for before the walk ends with an error.
const TRIES: u32 = 4;
/// The wait before a page is asked for again; doubled each time.
const PAUSE: Duration = Duration::from_millis(500);

/// One key of the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The key.
    pub(crate) key: String,
    /// Whether the listing has it and the source takes it.
    pub(crate) listed: bool,
    /// The content that the listing tells of.
    pub(crate) etag: Option<ETag>,
    /// How the two disagree.
    pub(crate) found: Option<Found>,
}

/// A walk through the objects of a source and through its entries, in the order of their keys. A page
/// of either is in memory at a time, whatever the size of the bucket.
pub(crate) struct Walk<'a> {
    catalog: &'a Catalog,
    source: &'a Source,
    full: bool,
    fingerprint: String,
    ports: &'a Ports,
    listing: Listing<'a>,
    scan: Box<dyn Scan>,
    entry: Option<(String, Entry)>,
    scanned: bool,
}

impl<'a> Walk<'a> {
    /// Begins behind the key `after`, or with the first one.
    pub(crate) async fn begin(
        ports: &'a Ports,
        catalog: &'a Catalog,
        source: &'a Source,
        full: bool,
        after: Option<&str>,
    ) -> Result<Self, Failure> {
        let connection = catalog.connection(&source.connection).ok_or_else(|| {
            Failure::new(
                "no_such_connection",
                format!("source {} names the connection {}", source.key, source.connection),
                "Apply the definitions again",
                Disposition::Park,
            )
        })?;
        // What the source takes begins so; other entries are no news of its objects.
        let range = Range { prefix: source.path.literal_prefix(), after };
        let scan = ports.ledger.scan(&source.key, &source.bucket, range).await;
        Ok(Self {
            catalog,
            source,
            full,
            fingerprint: source.fingerprint(),
            ports,
            listing: Listing::new(ports, connection, source, after),
            scan: scan.map_err(|error| Failure::from(&error))?,
            entry: None,
            scanned: false,
        })
    }

    /// The next key; `None` after the last one. After an error nothing was passed over.
    pub(crate) async fn next(&mut self) -> Result<Option<Step>, Failure> {
        self.listing.fill().await?;
        if self.entry.is_none() && !self.scanned {
            self.entry = self.scan.next().await.map_err(|error| Failure::from(&error))?;
            self.scanned = self.entry.is_none();
        }
        // The lesser key of the two comes next; an equal one is of both.
        let (object, entry) = (self.listing.page.front(), self.entry.as_ref());
        let from_listing = match (object, entry) {
            (None, None) => return Ok(None),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(listed), Some((key, _))) => listed.key <= *key,
        };
        let listed = if from_listing { self.listing.page.pop_front() } else { None };
        let entry = match &listed {
            Some(listed) => self.entry.take_if(|(key, _)| *key == listed.key),
            None => self.entry.take(),
        };
        let (key, etag) = match (listed.as_ref(), entry.as_ref()) {
            (Some(listed), _) => (listed.key.clone(), Some(listed.etag.clone())),
            (None, Some((key, _))) => (key.clone(), None),
            (None, None) => return Ok(None),
        };
        // What the source does not take, or takes no more, is no object of it.
        if !self.catalog.takes(self.source, &key) {
            return Ok(Some(Step { key, listed: false, etag: None, found: None }));
        }
        let now = self.ports.clock.now();
        let entry = entry.map(|(_, entry)| entry);
        let found = reconcile(listed.as_ref(), entry.as_ref(), self.full, &self.fingerprint, now);
        Ok(Some(Step { key, listed: listed.is_some(), etag, found }))
    }
}

/// The keys of a bucket under the source's prefix, in order, a page in memory at a time.
struct Listing<'a> {
    ports: &'a Ports,
    connection: &'a Connection,
    source: &'a Source,
    page: VecDeque<Listed>,
    after: Option<String>,
    ended: bool,
}

impl<'a> Listing<'a> {
    fn new(
        ports: &'a Ports,
        connection: &'a Connection,
        source: &'a Source,
        after: Option<&str>,
    ) -> Self {
        let (page, after) = (VecDeque::new(), after.map(str::to_owned));
        Self { ports, connection, source, page, after, ended: false }
    }

    /// Makes sure that the page holds a key, unless there is none any more. A page that is refused for
    /// the moment is asked for again, a few times; the next page is never asked for in its place.
    async fn fill(&mut self) -> Result<(), Failure> {
        let mut pause = PAUSE;
        for last in (1..=TRIES).map(|n| n == TRIES) {
            if self.ended || !self.page.is_empty() {
                break;
            }
            let (source, objects) = (self.source, &self.ports.objects);
            let (prefix, after) = (source.path.literal_prefix(), self.after.as_deref());
            match objects.list(self.connection, &source.bucket, prefix, after).await {
                Ok(page) => {
                    self.ended = page.is_empty();
                    if let Some(listed) = page.last() {
                        self.after = Some(listed.key.clone());
                    }
                    self.page = page.into();
                }
                Err(error) => {
                    let failure = Failure::from(&error);
                    if last || failure.disposition != Disposition::Retry {
                        return Err(failure);
                    }
                    tracing::warn!(source = source.key, cause = failure.message, "listed again");
                    sleep(pause).await;
                    pause *= 2;
                }
            }
        }
        Ok(())
    }
}
