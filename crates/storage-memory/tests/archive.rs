//! The reference storage can be moved.

use parlance_storage_memory::MemoryStorage;
use parlance_storage_testkit::{Movable, archive_contract};

async fn fresh() -> Movable {
    Movable::new(MemoryStorage::new())
}

archive_contract!(fresh);
