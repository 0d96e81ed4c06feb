//! The storage keeps every promise of the storage ports, by transactions.

use parlance_storage_mongo::Options;
use parlance_storage_testkit::{Fresh, storage_contract};

use crate::database::Database;

async fn fresh() -> Fresh {
    let database = Database::new();
    let storage = database.open(&Options::default()).await;
    assert!(storage.is_transactional(), "the server of the tests has transactions");
    Fresh::new(storage).keeping(database)
}

storage_contract!(fresh);
