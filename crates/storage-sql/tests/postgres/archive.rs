//! A database on a server can be moved.

use parlance_storage_sql::{Options, SqlStorage};
use parlance_storage_testkit::{Movable, archive_contract};

use crate::database::Database;

async fn fresh() -> Movable {
    let database = Database::migrated().await;
    let options = Options { max_connections: 4, ..Options::default() };
    let storage = SqlStorage::connect(&database.url, &options).await.expect("a migrated database opens");
    Movable::new(storage).keeping(database)
}

archive_contract!(fresh);
