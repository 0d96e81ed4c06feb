//! A database on a server keeps what channels need.

use parlance_storage_sql::{Options, SqlStorage};
use parlance_storage_testkit::{Reachable, reach_contract};

use crate::database::Database;

async fn fresh() -> Reachable {
    let database = Database::migrated().await;
    let options = Options { max_connections: 4, ..Options::default() };
    let storage = SqlStorage::connect(&database.url, &options).await.expect("a migrated database opens");
    Reachable::new(storage).keeping(database)
}

reach_contract!(fresh);
