//! A database keeps what channels need. That asks for no transactions, so it is tried once.

use parlance_storage_mongo::Options;
use parlance_storage_testkit::{Reachable, reach_contract};

use crate::database::Database;

async fn fresh() -> Reachable {
    let database = Database::new();
    Reachable::new(database.open(&Options::default()).await).keeping(database)
}

reach_contract!(fresh);
