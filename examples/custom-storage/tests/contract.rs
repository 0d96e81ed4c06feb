//! It keeps every promise of the storage ports, and what it has answered for is on disk.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use parlance_domain::model::{ClaimedProfile, Timestamp};
use parlance_domain::ports::Users;
use parlance_example_custom_storage::EmbeddedStorage;
use parlance_storage_testkit::{Fresh, storage_contract};

async fn fresh() -> Fresh {
    let folder = tempfile::tempdir().unwrap();
    Fresh::new(EmbeddedStorage::open(&folder.path().join("chat.redb")).unwrap()).keeping(folder)
}

storage_contract!(fresh);

#[tokio::test]
async fn what_was_stored_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.redb");
    let ann = "ann".parse().unwrap();
    let claims = ClaimedProfile { name: Some("Ann".to_owned()), picture: None };
    let storage = EmbeddedStorage::open(&path).unwrap();
    let stored = storage.record_claims(&ann, &claims, true, Timestamp::from_millis(1)).await.unwrap();
    assert!(EmbeddedStorage::open(&path).is_err(), "one process owns the file, and opens it once");
    drop(storage);
    assert_eq!(EmbeddedStorage::open(&path).unwrap().find_user(&ann).await.unwrap(), stored);
}
