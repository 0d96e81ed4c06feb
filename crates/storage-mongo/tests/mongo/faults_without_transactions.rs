//! What the storage survives without transactions: whoever comes next finishes or undoes what was broken off.

use parlance_storage_mongo::Transactions;
use parlance_storage_testkit::storage_faults;

use crate::server::OwnServer;

async fn server() -> OwnServer {
    OwnServer::start(Transactions::Never).await
}

storage_faults!(server);
