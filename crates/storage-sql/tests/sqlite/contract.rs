//! The whole storage contract, each case on a database file of its own.

use parlance_storage_sql::{Options, SqlStorage};
use parlance_storage_testkit::{Fresh, storage_contract};

async fn fresh() -> Fresh {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite://{}", folder.path().join("chat.db").display());
    let storage = SqlStorage::connect(&url, &Options::default()).await.expect("a new database opens");
    storage.migrate().await.expect("a new database is migrated");
    Fresh::new(storage).keeping(folder)
}

storage_contract!(fresh);
