//! A database file keeps what channels need.

use parlance_storage_sql::{Options, SqlStorage};
use parlance_storage_testkit::{Reachable, reach_contract};

async fn fresh() -> Reachable {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("chat.db").display());
    let storage = SqlStorage::connect(&url, &Options::default()).await.expect("a new database opens");
    storage.migrate().await.expect("a new database is migrated");
    Reachable::new(storage).keeping(folder)
}

reach_contract!(fresh);
