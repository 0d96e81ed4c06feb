//! What the storage survives with transactions.

use parlance_storage_mongo::Transactions;
use parlance_storage_testkit::storage_faults;

use crate::server::OwnServer;

async fn server() -> OwnServer {
    OwnServer::start(Transactions::WhereTheyAre).await
}

storage_faults!(server);
