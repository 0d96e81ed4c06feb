//! The same by locks and a journal, as on a server that stands alone.

use parlance_storage_mongo::{Options, Transactions};
use parlance_storage_testkit::{Movable, archive_contract};

use crate::database::Database;

async fn fresh() -> Movable {
    let database = Database::new();
    let options = Options { transactions: Transactions::Never, ..Options::default() };
    Movable::new(database.open(&options).await).keeping(database)
}

archive_contract!(fresh);
