//! Changes in the directories, as notices.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use inlet::object::ObjectId;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::Ending;
use crate::home::LocalHome;

/// A file is looked at when nothing has been written to it for this long.
const QUIET: Duration = Duration::from_millis(300);

/// Watches `buckets/` of a home, and its definitions.
pub(super) struct Watcher {
    root: PathBuf,
    /// `sources` and `connections`, as the watcher tells them.
    definitions: Vec<(&'static str, PathBuf)>,
    events: mpsc::UnboundedReceiver<notify::Result<Event>>,
    touched: HashMap<PathBuf, Instant>,
    _watcher: RecommendedWatcher,
}

/// What was seen.
pub(super) enum Seen {
    /// An object changed.
    Object(ObjectId),
    /// More than can be told by name: compare everything.
    Much,
    /// A definition changed, such as `sources/deals.toml`.
    Definition(String),
}

impl Watcher {
    pub(super) fn start(home: &LocalHome) -> Result<Self, Ending> {
        let failed = |path: &Path, e: &dyn std::fmt::Display| {
            Ending::Failed(Some(format!("{} cannot be watched: {e}", path.display())))
        };
        let root = home.root.join("buckets");
        std::fs::create_dir_all(&root).map_err(|e| failed(&root, &e))?;
        // The watcher tells absolute paths.
        let root = root.canonicalize().map_err(|e| failed(&root, &e))?;
        let (sender, events) = mpsc::unbounded_channel();
        let mut watcher = notify::recommended_watcher(move |event| {
            // Nobody listens when the process ends.
            if sender.send(event).is_err() {
                tracing::debug!("a change came after the end");
            }
        })
        .map_err(|e| failed(&root, &e))?;
        watcher.watch(&root, RecursiveMode::Recursive).map_err(|e| failed(&root, &e))?;
        let mut definitions = Vec::new();
        for name in ["sources", "connections"] {
            let path = home.root.join(name);
            if !path.is_dir() {
                continue;
            }
            let path = path.canonicalize().map_err(|e| failed(&path, &e))?;
            match watcher.watch(&path, RecursiveMode::NonRecursive) {
                Ok(()) => definitions.push((name, path)),
                // A change of theirs goes unsaid; files are taken as they come.
                Err(error) => tracing::warn!(path = %path.display(), %error, "not watched"),
            }
        }
        Ok(Self { root, definitions, events, touched: HashMap::new(), _watcher: watcher })
    }

    async fn next(&mut self) -> Seen {
        loop {
            let due = self.touched.values().min().map(|touched| *touched + QUIET);
            tokio::select! {
                event = self.events.recv() => match event {
                    Some(Ok(event)) if event.need_rescan() => return Seen::Much,
                    Some(Ok(event)) => {
                        if matches!(event.kind, EventKind::Access(_)) {
                            continue;
                        }
                        for path in event.paths {
                            if !path.starts_with(&self.root) {
                                if self.definition(&path).is_some() {
                                    self.touched.insert(path, Instant::now());
                                }
                                continue;
                            }
                            // A directory that came or went took its files along.
                            if path.is_dir() || (path.extension().is_none() && !path.exists()) {
                                return Seen::Much;
                            }
                            self.touched.insert(path, Instant::now());
                        }
                    }
                    Some(Err(error)) => {
                        tracing::warn!(%error, "the watcher");
                        return Seen::Much;
                    }
                    // The regular refresh goes on without it.
                    None => std::future::pending().await,
                },
                () = until(due) => {
                    let now = Instant::now();
                    let quiet = self.touched.iter().find(|(_, at)| **at + QUIET <= now);
                    let Some(path) = quiet.map(|(path, _)| path.clone()) else { continue };
                    self.touched.remove(&path);
                    if let Some(definition) = self.definition(&path) {
                        return Seen::Definition(definition);
                    }
                    if let Some(object) = self.object(&path) {
                        return Seen::Object(object);
                    }
                }
            }
        }
    }

    fn definition(&self, path: &Path) -> Option<String> {
        let (of, _) = self.definitions.iter().find(|(_, of)| path.parent() == Some(of))?;
        let name = path.file_name()?.to_str()?;
        name.ends_with(".toml").then(|| format!("{of}/{name}"))
    }

    fn object(&self, path: &Path) -> Option<ObjectId> {
        let relative = path.strip_prefix(&self.root).ok()?;
        let mut parts = relative.components().map(|part| match part {
            Component::Normal(name) => name.to_str(),
            _ => None,
        });
        let bucket = parts.next()??;
        let key = parts.collect::<Option<Vec<_>>>()?.join("/");
        (!key.is_empty()).then(|| ObjectId::new(bucket, key))
    }
}

/// The next change; never, if nobody watches.
pub(super) async fn next(watcher: &mut Option<Watcher>) -> Seen {
    match watcher {
        Some(watcher) => watcher.next().await,
        None => std::future::pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
