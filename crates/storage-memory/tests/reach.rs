//! The reference storage keeps what channels need.

use parlance_storage_memory::MemoryStorage;
use parlance_storage_testkit::{Reachable, reach_contract};

async fn fresh() -> Reachable {
    Reachable::new(MemoryStorage::new())
}

reach_contract!(fresh);
