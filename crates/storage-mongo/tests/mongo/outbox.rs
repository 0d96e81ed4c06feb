//! The outbox, by transactions.

use parlance_storage_mongo::Options;
use parlance_storage_testkit::{Posting, outbox_contract};

use crate::database::Database;

async fn fresh() -> Posting {
    let database = Database::new();
    Posting::new(database.open(&Options::default()).await).keeping(database)
}

outbox_contract!(fresh);
