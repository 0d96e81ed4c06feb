//! A database file can be moved.

use parlance_storage_sql::{Options, SqlStorage};
use parlance_storage_testkit::{Movable, archive_contract};

async fn fresh() -> Movable {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("chat.db").display());
    let storage = SqlStorage::connect(&url, &Options::default()).await.expect("a new database opens");
    storage.migrate().await.expect("a new database is migrated");
    Movable::new(storage).keeping(folder)
}

archive_contract!(fresh);
