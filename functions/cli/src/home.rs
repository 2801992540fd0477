//! The two homes, opened: a directory on this machine, or a deployed stack.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_config::BehaviorVersion;
use aws_sdk_cloudformation::error::{DisplayErrorContext, ProvideErrorMetadata};
use inlet::catalog::{self, Catalog, CatalogStore, Connection, FixedCatalog};
use inlet::clock::SystemClock;
use inlet::delivery::file::LocalDeliveries;
use inlet::ledger::Ledger;
use inlet::ledger::sqlite::SqliteLedger;
use inlet::local::Database;
use inlet::object::directory::DirectoryObjects;
use inlet::object::{Listed, ObjectError, ObjectId};
use inlet::observe::Observer;
use inlet::queue::DeadLetters;
use inlet::queue::sqlite::SqliteQueue;
use inlet::rejects::directory::DirectoryRejects;
use inlet::stack::{Names, Stack};
use inlet::{ingest, refresh, replay};

use crate::{Ending, HomeArguments};

/// The home on one machine.
pub(crate) struct LocalHome {
    pub(crate) root: PathBuf,
    /// This process, in the ledger.
    pub(crate) owner: String,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) ledger: Arc<SqliteLedger>,
    pub(crate) queue: Arc<SqliteQueue>,
    database: Database,
    objects: Arc<DirectoryObjects>,
}

impl LocalHome {
    /// Opens `dir`, or the current directory, or `samples` in it.
    pub(crate) fn open(dir: Option<&Path>) -> Result<Self, Ending> {
        let root = match dir {
            Some(dir) => dir.to_owned(),
            None => [".", "samples"]
                .map(PathBuf::from)
                .into_iter()
                .find(|dir| dir.join("sources").is_dir())
                .ok_or_else(|| {
                    Ending::Usage(
                        "neither this directory nor `samples` in it has a directory `sources`; \
                         name the directory: inlet dev DIR"
                            .to_owned(),
                    )
                })?,
        };
        let catalog = load(&root)?;
        let state = root.join(".inlet");
        let failed = |e: std::io::Error| {
            Ending::Failed(Some(format!("{} cannot be made: {e}", state.display())))
        };
        fs::create_dir_all(&state).map_err(failed)?;
        let database = Database::open(&state.join("inlet.db"))?;
        Ok(Self {
            owner: owner("dev"),
            catalog: Arc::new(catalog),
            ledger: Arc::new(SqliteLedger::new(database.clone())),
            queue: Arc::new(SqliteQueue::new(database.clone(), Arc::new(SystemClock))),
            objects: Arc::new(DirectoryObjects::new(root.join("buckets"), database.clone())),
            database,
            root,
        })
    }

    pub(crate) fn ingest(&self, observer: Arc<dyn Observer>) -> ingest::Ports {
        ingest::Ports {
            catalog: Arc::new(FixedCatalog::new((*self.catalog).clone())),
            ledger: self.ledger.clone(),
            shapes: self.ledger.clone(),
            objects: self.objects.clone(),
            queue: self.queue.clone(),
            deliveries: Arc::new(LocalDeliveries::new(&self.root, self.database.clone())),
            rejects: Arc::new(DirectoryRejects::new(self.root.join("out"))),
            clock: Arc::new(SystemClock),
            observer,
        }
    }

    pub(crate) fn refresh(&self) -> refresh::Ports {
        refresh::Ports {
            ledger: self.ledger.clone(),
            objects: self.objects.clone(),
            queue: self.queue.clone(),
            journal: self.ledger.clone(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// A name for this process that no other has.
pub(crate) fn owner(what: &str) -> String {
    format!("{what}-{}-{}", std::process::id(), jiff::Timestamp::now().as_millisecond())
}

/// The definitions in `dir`, or everything that is wrong with them.
pub(crate) fn load(dir: &Path) -> Result<Catalog, Ending> {
    catalog::load(dir).map_err(|problems| {
        let n = problems.as_slice().len();
        Ending::Usage(format!(
            "{n} problem{} in {}:\n{problems}",
            if n == 1 { "" } else { "s" },
            dir.display()
        ))
    })
}

/// What an operator's command works on, in either home.
pub(crate) struct Operated {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) letters: Arc<dyn DeadLetters>,
    pub(crate) refresh: refresh::Ports,
}

impl Operated {
    pub(crate) fn replay(&self) -> replay::Ports {
        replay::Ports {
            ledger: self.ledger.clone(),
            queue: self.refresh.queue.clone(),
            letters: self.letters.clone(),
            clock: self.refresh.clock.clone(),
        }
    }

    /// The object as a listing of its bucket tells of it; `None`: there is no such object.
    pub(crate) async fn listed(
        &self,
        connection: &Connection,
        object: &ObjectId,
    ) -> Result<Option<Listed>, ObjectError> {
        let page = self.refresh.objects.list(connection, &object.bucket, &object.key, None).await?;
        // The key itself is the first of those that begin with it.
        Ok(page.into_iter().next().filter(|listed| listed.key == object.key))
    }

    /// An error that lists the sources there are, if `key` is none of them.
    pub(crate) fn must_have(&self, key: &str) -> Result<(), Ending> {
        if self.catalog.source(key).is_some() {
            return Ok(());
        }
        let known: Vec<&str> = self.catalog.sources().iter().map(|s| s.key.as_str()).collect();
        Err(Ending::Usage(format!("there is no source {key:?}; there are: {}", known.join(", "))))
    }
}

/// Opens the home that the arguments name.
pub(crate) async fn open(home: &HomeArguments) -> Result<Operated, Ending> {
    match &home.stack {
        Some(name) => {
            let stack = stack(name).await?;
            let catalog = stack.catalog.current().await?;
            Ok(Operated {
                catalog,
                ledger: stack.ledger.clone(),
                letters: stack.queue.clone(),
                refresh: stack.refresh(),
            })
        }
        None => {
            let local = LocalHome::open(home.dir.as_deref())?;
            let refresh = local.refresh();
            Ok(Operated {
                catalog: local.catalog,
                ledger: local.ledger,
                letters: local.queue,
                refresh,
            })
        }
    }
}

/// A deployed stack, by its name, from its outputs.
pub(crate) async fn stack(name: &str) -> Result<Stack, Ending> {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let client = aws_sdk_cloudformation::Client::new(&config);
    let answer = client.describe_stacks().stack_name(name).send().await.map_err(|error| {
        let what = match error.as_service_error().and_then(|e| e.message()) {
            Some(message) => message.to_owned(),
            None => DisplayErrorContext(error).to_string(),
        };
        Ending::Failed(Some(format!(
            "the stack {name} cannot be asked for: {what}. Check its name, AWS_REGION and the credentials"
        )))
    })?;
    let outputs =
        answer.stacks.unwrap_or_default().into_iter().flat_map(|s| s.outputs.unwrap_or_default());
    let outputs: std::collections::HashMap<String, String> =
        outputs.filter_map(|o| Some((o.output_key?, o.output_value?))).collect();
    let names = Names::from(|name| {
        let output = match name {
            "INLET_LEDGER_TABLE" => "LedgerTableName",
            "INLET_CATALOG_TABLE" => "CatalogTableName",
            "INLET_NOTICE_QUEUE_URL" => "NoticeQueueUrl",
            "INLET_DEAD_LETTER_QUEUE_URL" => "DeadLetterQueueUrl",
            "INLET_RECORDS_QUEUE_URL" => "RecordsQueueUrl",
            "INLET_STATE_BUCKET" => "StateBucketName",
            "INLET_DROP_BUCKET" => "DropBucketName",
            _ => return None,
        };
        outputs.get(output).cloned()
    });
    let names = names.map_err(|error| {
        Ending::Failed(Some(format!("{name} is no stack of Inlet, or not deployed yet: {error}")))
    })?;
    Ok(Stack::new(names, config))
}

/// Reads `s3://bucket/key`.
pub(crate) fn object(text: &str) -> Result<ObjectId, Ending> {
    match text.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
            Ok(ObjectId::new(bucket, key))
        }
        _ => Err(Ending::Usage(format!("{text:?} names no object; write s3://bucket/key"))),
    }
}
