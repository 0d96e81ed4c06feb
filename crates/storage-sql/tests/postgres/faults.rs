//! What a storage on a PostgreSQL server survives.

use parlance_storage_testkit::storage_faults;

use crate::server::OwnServer;

async fn server() -> OwnServer {
    OwnServer::start().await
}

storage_faults!(server);
