//! The one-machine adapters against the suites. Those of AWS pass the same ones end to end.

use std::sync::Arc;

use inlet::ledger::sqlite::SqliteLedger;
use inlet::local::Database;

#[tokio::test]
async fn the_ledger_in_sqlite_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(&directory.path().join("inlet.db")).unwrap();
    inlet_tests::conformance::ledger(Arc::new(SqliteLedger::new(database))).await;
}
