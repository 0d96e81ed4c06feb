//! A database can be moved. A copy asks for no transactions, so it is tried once.

use parlance_storage_mongo::Options;
use parlance_storage_testkit::{Movable, archive_contract};

use crate::database::Database;

async fn fresh() -> Movable {
    let database = Database::new();
    Movable::new(database.open(&Options::default()).await).keeping(database)
}

archive_contract!(fresh);
