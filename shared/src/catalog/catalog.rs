//! The catalog: consistent connections and sources, and the sources that an object feeds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::definition::{
    Access, Connection, Dedup, Destination, Format, MAX_OBJECT_SIZE, Mode, OnRemove,
    RecordSettings, RefreshSchedule, RejectPolicy, Source,
};
use super::parse::Placed;
use super::path::PathPattern;
use super::problem::{Problem, Problems, nearest};
use super::reader::Position;

/// The key of the built-in connection: the permissions under which Inlet runs, where it runs. Every
/// catalog has it; a connection of one's own with this key takes its place.
pub const HOME_CONNECTION: &str = "inlet";

/// The key of the built-in source of the stack's own bucket, see [`Catalog::with_drop`].
pub const DROP_SOURCE: &str = "drop";

/// All connections and sources, checked against each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalog {
    connections: BTreeMap<String, Connection>,
    /// Sorted by key.
    sources: Vec<Source>,
    /// The places in `sources` that read a bucket.
    by_bucket: HashMap<String, Vec<usize>>,
    /// Takes what no other source takes; its place in `sources`.
    fallback: Option<usize>,
}

/// A source that takes an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match<'c> {
    /// The source.
    pub source: &'c Source,
    /// Its connection.
    pub connection: &'c Connection,
    /// The table that the object belongs to.
    pub table: String,
}

impl Catalog {
    /// A catalog of definitions that are valid each by itself.
    ///
    /// # Errors
    ///
    /// Lists every key that is there twice and every source whose connection is not there.
    pub fn new(connections: Vec<Connection>, sources: Vec<Source>) -> Result<Self, Problems> {
        let nowhere: Position = (0, 0);
        let connections: Vec<_> = connections
            .into_iter()
            .map(|value| Placed {
                file: format!("connection {}", value.key),
                value,
                key_at: nowhere,
                connection_at: nowhere,
            })
            .collect();
        let sources: Vec<_> = sources
            .into_iter()
            .map(|value| Placed {
                file: format!("source {}", value.key),
                value,
                key_at: nowhere,
                connection_at: nowhere,
            })
            .collect();
        let problems = inconsistencies(&connections, &sources, true);
        if !problems.is_empty() {
            return Err(Problems::new(problems));
        }
        Ok(Self::from_consistent(connections, sources))
    }

    /// What [`inconsistencies`] found nothing wrong with.
    pub(super) fn from_consistent(
        connections: Vec<Placed<Connection>>,
        sources: Vec<Placed<Source>>,
    ) -> Self {
        let mut by_key = BTreeMap::from([(HOME_CONNECTION.to_owned(), Connection::home())]);
        by_key.extend(connections.into_iter().map(|c| (c.value.key.clone(), c.value)));
        let sources = sources.into_iter().map(|source| source.value).collect();
        Self::index(by_key, sources, None)
    }

    fn index(
        connections: BTreeMap<String, Connection>,
        mut sources: Vec<Source>,
        fallback: Option<&str>,
    ) -> Self {
        sources.sort_by(|a, b| a.key.cmp(&b.key));
        let mut by_bucket: HashMap<String, Vec<usize>> = HashMap::new();
        for (place, source) in sources.iter().enumerate() {
            by_bucket.entry(source.bucket.clone()).or_default().push(place);
        }
        let fallback = fallback.and_then(|key| sources.iter().position(|source| source.key == key));
        Self { connections, sources, by_bucket, fallback }
    }

    /// Adds the built-in source `drop` for the stack's own bucket: it takes every supported file
    /// there that no other source takes. If the catalog defines a source with the key `drop`, that
    /// one is in its place, an ordinary source, and nothing is added.
    #[must_use]
    pub fn with_drop(self, bucket: &str) -> Self {
        if self.source(DROP_SOURCE).is_some() {
            return self;
        }
        let Self { connections, mut sources, .. } = self;
        sources.push(Source {
            key: DROP_SOURCE.to_owned(),
            connection: HOME_CONNECTION.to_owned(),
            bucket: bucket.to_owned(),
            path: PathPattern::supported_files(),
            table: None,
            mode: Mode::Append,
            max_size: MAX_OBJECT_SIZE,
            dedup: Dedup::Current,
            on_remove: OnRemove::Delete,
            format: Format::default(),
            fields: Vec::new(),
            records: RecordSettings::default(),
            rejects: RejectPolicy::default(),
            refresh: RefreshSchedule::default(),
            deliver: vec![Destination::Home],
            limits: BTreeMap::new(),
        });
        Self::index(connections, sources, Some(DROP_SOURCE))
    }

    /// Every source that takes the object `key` (decoded) of `bucket`, in the order of their keys.
    /// The built-in source `drop` is among them only if it is the only one.
    pub fn matching(&self, bucket: &str, key: &str) -> Vec<Match<'_>> {
        let places = self.by_bucket.get(bucket).map(Vec::as_slice).unwrap_or_default();
        let taken: Vec<_> = places
            .iter()
            .filter(|place| Some(**place) != self.fallback)
            .filter_map(|place| self.take(*place, key))
            .collect();
        if !taken.is_empty() {
            return taken;
        }
        let fallback = self.fallback.filter(|place| places.contains(place));
        fallback.and_then(|place| self.take(place, key)).into_iter().collect()
    }

    /// Whether `source` takes the object `key` (decoded) of its bucket.
    pub fn takes(&self, source: &Source, key: &str) -> bool {
        self.matching(&source.bucket, key).iter().any(|taken| taken.source.key == source.key)
    }

    fn take(&self, place: usize, key: &str) -> Option<Match<'_>> {
        let source = &self.sources[place];
        let captures = source.path.matches(key)?;
        let connection = self.connections.get(&source.connection)?;
        Some(Match { source, connection, table: source.table(&captures, key) })
    }

    /// The source with this key.
    pub fn source(&self, key: &str) -> Option<&Source> {
        let place = self.sources.binary_search_by(|source| source.key.as_str().cmp(key)).ok()?;
        self.sources.get(place)
    }

    /// The connection with this key.
    pub fn connection(&self, key: &str) -> Option<&Connection> {
        self.connections.get(key)
    }

    /// All sources, in the order of their keys, the built-in one among them.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// All connections, in the order of their keys, the built-in one among them.
    pub fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.values()
    }
}

impl Connection {
    /// The built-in connection: with the credentials and in the region that the caller has.
    pub fn home() -> Self {
        Self {
            key: HOME_CONNECTION.to_owned(),
            name: "Inlet".to_owned(),
            region: None,
            access: Access::Read,
            bucket_owner: None,
            endpoint: None,
            path_style: false,
        }
    }
}

/// What is wrong between definitions. With `complete` false, some connection could not be read at
/// all: then an unknown connection may be that one, and is not listed.
pub(super) fn inconsistencies(
    connections: &[Placed<Connection>],
    sources: &[Placed<Source>],
    complete: bool,
) -> Vec<Problem> {
    let connection_keys =
        connections.iter().map(|c| (c.value.key.as_str(), c.file.as_str(), c.key_at));
    let source_keys = sources.iter().map(|s| (s.value.key.as_str(), s.file.as_str(), s.key_at));
    let mut problems = duplicates("connection", connection_keys);
    problems.extend(duplicates("source", source_keys));
    let complete = complete && connections.iter().all(|c| !c.value.key.is_empty());
    let known: BTreeSet<&str> =
        connections.iter().map(|c| c.value.key.as_str()).chain([HOME_CONNECTION]).collect();
    for source in sources.iter().filter(|_| complete) {
        let wanted = source.value.connection.as_str();
        if wanted.is_empty() || known.contains(wanted) {
            continue;
        }
        let remedy = match nearest(wanted, known.iter().copied()) {
            Some(key) => format!("did you mean \"{key}\"?"),
            None => format!("add connections/{wanted}.toml, or use \"{HOME_CONNECTION}\""),
        };
        let message = format!("there is no connection \"{wanted}\"");
        problems.push(problem(&source.file, source.connection_at, message, remedy));
    }
    problems
}

fn duplicates<'p>(
    kind: &str,
    definitions: impl Iterator<Item = (&'p str, &'p str, Position)>,
) -> Vec<Problem> {
    let mut first: HashMap<&str, &str> = HashMap::new();
    let mut problems = Vec::new();
    for (key, file, at) in definitions.filter(|(key, ..)| !key.is_empty()) {
        if let Some(other) = first.get(key) {
            let message = format!("the {kind} \"{key}\" is in {other} already");
            problems.push(problem(file, at, message, "give one of them another key".to_owned()));
        } else {
            first.insert(key, file);
        }
    }
    problems
}

fn problem(file: &str, (line, column): Position, message: String, remedy: String) -> Problem {
    Problem { file: file.to_owned(), line, column, message, remedy }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says where it failed")]

    use super::*;

    fn source(key: &str, bucket: &str, more: &str) -> Source {
        let text = format!("key = '{key}'\nconnection = 'inlet'\nbucket = '{bucket}'\n{more}");
        Source::from_toml("x.toml", &text).unwrap()
    }

    fn taken<'c>(catalog: &'c Catalog, bucket: &str, key: &str) -> Vec<(&'c str, String)> {
        let matches = catalog.matching(bucket, key).into_iter();
        matches.map(|m| (m.source.key.as_str(), m.table)).collect()
    }

    #[test]
    fn an_object_feeds_every_source_that_takes_it() {
        let catalog = Catalog::new(
            vec![],
            vec![
                source("b", "one", "path = '{table}/**'"),
                source("a", "one", "path = 'x/*.csv'\ntable = 'all'"),
                source("c", "two", ""),
            ],
        )
        .unwrap();
        assert_eq!(taken(&catalog, "one", "x/1.csv"), [("a", "all".into()), ("b", "x".into())]);
        assert_eq!(taken(&catalog, "one", "x/1.pdf"), [("b", "x".into())]);
        assert_eq!(taken(&catalog, "two", "x/1.csv"), [("c", "1".into())]);
        assert_eq!(taken(&catalog, "three", "x/1.csv"), []);
        assert_eq!(catalog.matching("two", "1.csv")[0].connection.key, HOME_CONNECTION);
    }

    #[test]
    fn the_drop_takes_what_no_other_source_takes() {
        let deals = source("deals", "inbox", "path = 'deals/*'");
        let catalog = Catalog::new(vec![], vec![deals]).unwrap().with_drop("inbox");
        assert_eq!(taken(&catalog, "inbox", "deals/a.csv"), [("deals", "a".into())]);
        assert_eq!(taken(&catalog, "inbox", "orders.csv.gz"), [("drop", "orders".into())]);
        assert_eq!(taken(&catalog, "inbox", "notes.md"), []);
        assert_eq!(taken(&catalog, "other", "orders.csv"), []);
        assert!(catalog.source("drop").is_some() && catalog.sources().len() == 2);
    }

    #[test]
    fn a_source_of_ones_own_replaces_the_drop() {
        let own = source("drop", "inbox", "path = 'mine/*'");
        let catalog = Catalog::new(vec![], vec![own]).unwrap().with_drop("inbox");
        assert_eq!(taken(&catalog, "inbox", "orders.csv"), []);
        assert_eq!(taken(&catalog, "inbox", "mine/a.txt"), [("drop", "a".into())]);
    }

    #[test]
    fn definitions_without_files_are_checked_against_each_other() {
        let mut stray = source("b", "one", "");
        stray.connection = "inlett".to_owned();
        let twice = vec![source("a", "one", ""), source("a", "two", ""), stray];
        let problems = Catalog::new(vec![], twice).unwrap_err().to_string();
        assert_eq!(
            problems,
            "source a: the source \"a\" is in source a already; give one of them another key\n\
             source b: there is no connection \"inlett\"; did you mean \"inlet\"?"
        );
    }

    #[test]
    fn a_connection_of_ones_own_replaces_the_built_in_one() {
        let own = Connection { region: Some("eu-west-1".to_owned()), ..Connection::home() };
        let catalog = Catalog::new(vec![own.clone()], vec![source("a", "one", "")]).unwrap();
        assert_eq!(catalog.connection("inlet"), Some(&own));
        assert_eq!(catalog.connections().count(), 1);
    }
}
