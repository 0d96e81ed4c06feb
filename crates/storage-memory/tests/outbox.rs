//! The reference storage keeps every promise of the outbox.

use parlance_storage_memory::MemoryStorage;
use parlance_storage_testkit::{Posting, outbox_contract};

async fn fresh() -> Posting {
    Posting::new(MemoryStorage::new())
}

outbox_contract!(fresh);
