//! The reference storage keeps every promise of the storage ports.

use parlance_storage_memory::MemoryStorage;
use parlance_storage_testkit::{Fresh, storage_contract};

async fn fresh() -> Fresh {
    Fresh::new(MemoryStorage::new())
}

storage_contract!(fresh);
