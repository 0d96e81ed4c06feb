//! The outbox in a database on a server.

use parlance_storage_sql::{Options, SqlStorage};
use parlance_storage_testkit::{Posting, outbox_contract};

use crate::database::Database;

async fn fresh() -> Posting {
    let database = Database::migrated().await;
    let options = Options { max_connections: 8, ..Options::default() };
    let storage = SqlStorage::connect(&database.url, &options).await.expect("a migrated database opens");
    Posting::new(storage).keeping(database)
}

outbox_contract!(fresh);
