//! A catalog from a directory, or from texts.

use std::fs;
use std::path::Path;

use super::catalog::{Catalog, inconsistencies};
use super::definition::Source;
use super::parse::{self, Placed};
use super::problem::{Problem, Problems};
use super::reader::Document;

const CONNECTIONS: &str = "connections";
const SOURCES: &str = "sources";

/// The name of a file, for problems, and its text.
type File = (String, String);

/// Reads `dir/connections/*.toml` and `dir/sources/*.toml`, one definition in each file. Other files
/// are left alone.
///
/// # Errors
///
/// Lists everything that is wrong in all of them, with file names relative to `dir`.
pub fn load(dir: &Path) -> Result<Catalog, Problems> {
    if !dir.is_dir() {
        let name = dir.display().to_string();
        let remedy = format!("make it, with {SOURCES}/ and {CONNECTIONS}/ in it");
        return Err(Problems::new(vec![problem(&name, "there is no such directory", &remedy)]));
    }
    let mut problems = Vec::new();
    let connections = toml_files(dir, CONNECTIONS, &mut problems);
    let sources = toml_files(dir, SOURCES, &mut problems);
    if sources.found == 0 && problems.is_empty() {
        let remedy =
            format!("add {SOURCES}/NAME.toml with a key, connection = \"inlet\", and a bucket");
        problems.push(problem(SOURCES, "there is no source", &remedy));
    }
    let complete = connections.found == connections.read.len();
    assemble(&borrow(&connections.read), &borrow(&sources.read), complete, problems)
}

impl Catalog {
    /// A catalog from the texts of its files, each with the name that problems call it by.
    ///
    /// # Errors
    ///
    /// Lists everything that is wrong in all of them.
    pub fn from_toml(
        connections: &[(&str, &str)],
        sources: &[(&str, &str)],
    ) -> Result<Self, Problems> {
        assemble(connections, sources, true, Vec::new())
    }
}

impl Source {
    /// One source by itself: its connection is not looked for.
    ///
    /// # Errors
    ///
    /// Lists everything that is wrong in it; `name` is the name of the file.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let source = read(name, text, parse::source, &mut problems);
        match source {
            Some(source) if problems.is_empty() => Ok(source.value),
            _ => Err(Problems::new(problems)),
        }
    }
}

fn assemble(
    connections: &[(&str, &str)],
    sources: &[(&str, &str)],
    complete: bool,
    mut problems: Vec<Problem>,
) -> Result<Catalog, Problems> {
    let read_connections: Vec<_> = connections
        .iter()
        .filter_map(|(name, text)| read(name, text, parse::connection, &mut problems))
        .collect();
    let read_sources: Vec<_> = sources
        .iter()
        .filter_map(|(name, text)| read(name, text, parse::source, &mut problems))
        .collect();
    let complete = complete && read_connections.len() == connections.len();
    problems.extend(inconsistencies(&read_connections, &read_sources, complete));
    if problems.is_empty() {
        return Ok(Catalog::from_consistent(read_connections, read_sources));
    }
    Err(Problems::new(problems))
}

fn read<T>(
    name: &str,
    text: &str,
    parse: impl FnOnce(&Document<'_>) -> Option<Placed<T>>,
    problems: &mut Vec<Problem>,
) -> Option<Placed<T>> {
    let document = Document::parse(name, text);
    let placed = parse(&document);
    problems.extend(document.into_problems());
    placed
}

struct Files {
    found: usize,
    read: Vec<File>,
}

/// The TOML files of `dir/folder`, by name. A folder that is not there has none.
fn toml_files(dir: &Path, folder: &str, problems: &mut Vec<Problem>) -> Files {
    let mut files = Files { found: 0, read: Vec::new() };
    let path = dir.join(folder);
    if !path.exists() {
        return files;
    }
    let entries = fs::read_dir(&path).and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()
    });
    let mut paths = match entries {
        Ok(paths) => paths,
        Err(error) => {
            problems.push(problem(folder, &unreadable(&error), "make it a readable directory"));
            // A folder that cannot be listed may hold anything.
            files.found = 1;
            return files;
        }
    };
    paths.retain(|path| {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        !hidden && path.extension().is_some_and(|extension| extension == "toml")
    });
    paths.sort();
    for path in paths {
        files.found += 1;
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("{folder}/{file}");
        match fs::read(&path).map(String::from_utf8) {
            Ok(Ok(text)) => files.read.push((name, text)),
            Ok(Err(error)) => {
                let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
                    .iter()
                    .filter(|byte| **byte == b'\n')
                    .count();
                let message = format!("line {} is not UTF-8", line + 1);
                problems.push(problem(&name, &message, "save the file as UTF-8"));
            }
            Err(error) => {
                problems.push(problem(&name, &unreadable(&error), "make it a readable file"));
            }
        }
    }
    files
}

fn borrow(files: &[File]) -> Vec<(&str, &str)> {
    files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
}

fn unreadable(error: &std::io::Error) -> String {
    format!("it cannot be read: {error}")
}

fn problem(file: &str, message: &str, remedy: &str) -> Problem {
    let (message, remedy) = (message.to_owned(), remedy.to_owned());
    Problem { file: file.to_owned(), line: 0, column: 0, message, remedy }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says where it failed")]

    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::*;

    const SOURCE: &str = "key = 'a'\nconnection = 'acme'\nbucket = 'one'\n";

    fn directory(files: &[(&str, &[u8])]) -> TempDir {
        let dir = TempDir::new().unwrap();
        for (name, bytes) in files {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        dir
    }

    fn problems(files: &[(&str, &[u8])]) -> Vec<String> {
        let problems = load(directory(files).path()).unwrap_err();
        problems.as_slice().iter().map(Problem::to_string).collect()
    }

    #[test]
    fn every_sample_loads() {
        let samples = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples");
        let catalog = load(&samples).unwrap_or_else(|problems| panic!("{problems}"));
        let keys: Vec<_> = catalog.sources().iter().map(|source| source.key.as_str()).collect();
        assert_eq!(keys, ["deals", "orders"]);
        let taken = |bucket: &str, key: &str| -> Vec<(String, String)> {
            let matches = catalog.matching(bucket, key).into_iter();
            matches.map(|m| (m.source.key.clone(), m.table)).collect()
        };
        for (file, expected) in [
            ("crm/deals.csv", Some(("deals", "deals"))),
            ("shop/orders-2026-01.csv.gz", Some(("orders", "orders"))),
            ("shop/orders-2026-02.csv.gz", Some(("orders", "orders"))),
            ("notes.md", None),
        ] {
            assert!(samples.join("buckets/acme-drop").join(file).is_file(), "{file}");
            let expected = expected.map(|(source, table)| (source.to_owned(), table.to_owned()));
            assert_eq!(taken("acme-drop", file), Vec::from_iter(expected), "{file}");
        }
    }

    #[test]
    fn a_directory_is_read_by_name_and_only_its_toml() {
        let dir = directory(&[
            ("connections/acme.toml", b"key = 'acme'"),
            ("sources/b.toml", SOURCE.as_bytes()),
            ("sources/README.md", b"not a definition"),
            ("sources/.b.toml", b"an editor's swap file"),
        ]);
        assert_eq!(load(dir.path()).unwrap().sources().len(), 1);
    }

    #[test]
    fn a_directory_without_sources_says_what_to_do() {
        let found = problems(&[("connections/acme.toml", b"key = 'acme'")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("sources: there is no source; add sources/NAME.toml"));
        let missing = load(Path::new("no/such/directory")).unwrap_err().to_string();
        assert!(missing.starts_with("no/such/directory: there is no such directory"), "{missing}");
    }

    #[test]
    fn a_file_that_is_no_text_is_a_problem_and_hides_no_other() {
        let found = problems(&[
            ("connections/acme.toml", b"key = 'acme'\nname = '\xff'"),
            ("sources/a.toml", SOURCE.as_bytes()),
            ("sources/b.toml", b"key = 'b'\nconnection = 'inlet'\n"),
            ("sources/c.toml/not-a-file", b""),
        ]);
        assert_eq!(found[0], "connections/acme.toml: line 2 is not UTF-8; save the file as UTF-8");
        assert_eq!(
            found[1], "sources/b.toml:1:1: bucket is missing at the top level; name the bucket",
            "and a.toml is not blamed for a connection that could not be read"
        );
        assert!(found[2].starts_with("sources/c.toml: it cannot be read:"), "{}", found[2]);
        assert_eq!(found.len(), 3);
    }
}
