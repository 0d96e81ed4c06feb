//! The outbox also without transactions, by locks and the journal.

use parlance_storage_mongo::{Options, Transactions};
use parlance_storage_testkit::{Posting, outbox_contract};

use crate::database::Database;

async fn fresh() -> Posting {
    let database = Database::new();
    let options = Options { transactions: Transactions::Never, ..Options::default() };
    Posting::new(database.open(&options).await).keeping(database)
}

outbox_contract!(fresh);
