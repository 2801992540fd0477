//! The one-machine adapters against the suites. Those of AWS pass the same ones end to end.

use std::sync::Arc;

use inlet::clock::SystemClock;
use inlet::ledger::sqlite::SqliteLedger;
use inlet::local::Database;
use inlet::queue::sqlite::SqliteQueue;

#[tokio::test]
async fn the_ledger_in_sqlite_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(&directory.path().join("inlet.db")).unwrap();
    inlet_tests::conformance::ledger(Arc::new(SqliteLedger::new(database))).await;
}

#[tokio::test]
async fn the_dead_letters_in_sqlite_conform() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(&directory.path().join("inlet.db")).unwrap();
    let queue = SqliteQueue::new(database, Arc::new(SystemClock));
    inlet_tests::conformance::dead_letters(&queue).await;
}

#[tokio::test]
async fn the_journal_in_sqlite_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(&directory.path().join("inlet.db")).unwrap();
    inlet_tests::conformance::journal(&SqliteLedger::new(database)).await;
}

#[tokio::test]
async fn the_shapes_in_sqlite_conform() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(&directory.path().join("inlet.db")).unwrap();
    inlet_tests::conformance::shapes(&SqliteLedger::new(database)).await;
}
