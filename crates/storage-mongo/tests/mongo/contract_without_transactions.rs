//! The storage keeps every promise of the storage ports also without transactions, by locks and its journal.

use parlance_storage_mongo::{Options, Transactions};
use parlance_storage_testkit::{Fresh, storage_contract};

use crate::database::Database;

async fn fresh() -> Fresh {
    let database = Database::new();
    let options = Options { transactions: Transactions::Never, ..Options::default() };
    Fresh::new(database.open(&options).await).keeping(database)
}

storage_contract!(fresh);
