//! The whole storage contract, each case on a database of its own.

use parlance_storage_sql::{Options, SqlStorage};
use parlance_storage_testkit::{Fresh, storage_contract};

use crate::database::Database;

async fn fresh() -> Fresh {
    let database = Database::migrated().await;
    let options = Options { max_connections: 8, ..Options::default() };
    let storage = SqlStorage::connect(&database.url, &options).await.expect("a migrated database opens");
    Fresh::new(storage).keeping(database)
}

storage_contract!(fresh);
