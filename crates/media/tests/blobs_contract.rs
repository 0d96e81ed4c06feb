//! What the `Blobs` port promises, checked on every backend.

#![expect(clippy::unwrap_used, reason = "what is not as it should be ends the test")]

mod support;

use bytes::Bytes;
use parlance_domain::model::Timestamp;
use parlance_domain::ports::{BlobKey, Blobs};
use support::{FUTURE, Home, gathered, medium, until};

async fn put(home: &Home, key: BlobKey, bytes: &[u8]) {
    let mut write = home.blobs.begin(key).await.unwrap();
    for chunk in bytes.chunks(100_000) {
        write.write(Bytes::copy_from_slice(chunk)).await.unwrap();
    }
    write.finish().await.unwrap();
}

/// Larger than a part of any backend, and different everywhere.
fn large() -> Vec<u8> {
    (0..11_000_000_u32).map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect()
}

async fn what_is_written_is_read(home: Home) {
    let key = BlobKey::original(medium(1));
    for bytes in [b"".to_vec(), b"x".to_vec(), large()] {
        put(&home, key, &bytes).await;
        let info = home.blobs.find_info(key).await.unwrap().unwrap();
        assert_eq!(info.bytes, bytes.len() as u64);
        assert!(info.modified < FUTURE && info.modified > Timestamp::from_millis(1_600_000_000_000));
        let all = home.blobs.read(key, 0..u64::MAX).await.unwrap().unwrap();
        assert!(gathered(all).await == bytes, "{} bytes come back", bytes.len());
    }
}

async fn ranges_are_cut_at_the_end(home: Home) {
    let key = BlobKey::original(medium(1));
    put(&home, key, b"0123456789").await;
    for (range, expected) in
        [(0..10, "0123456789"), (2..5, "234"), (9..10, "9"), (8..100, "89"), (10..20, ""), (100..200, ""), (3..3, "")]
    {
        let read = home.blobs.read(key, range.clone()).await.unwrap().unwrap();
        assert_eq!(gathered(read).await, expected.as_bytes(), "{range:?}");
    }
}

async fn chunks_are_bounded(home: Home) {
    use futures::TryStreamExt;
    let key = BlobKey::original(medium(1));
    put(&home, key, &large()).await;
    let chunks: Vec<_> = home.blobs.read(key, 0..u64::MAX).await.unwrap().unwrap().try_collect().await.unwrap();
    assert!(chunks.iter().all(|chunk| chunk.len() <= 1024 * 1024));
}

async fn what_is_not_there_is_none(home: Home) {
    let key = BlobKey::thumbnail(medium(1));
    put(&home, BlobKey::original(medium(1)), b"x").await;
    assert_eq!(home.blobs.find_info(key).await.unwrap(), None);
    assert!(home.blobs.read(key, 0..1).await.unwrap().is_none());
    assert!(home.blobs.read(key, 0..0).await.unwrap().is_none());
    home.blobs.remove(key).await.unwrap();
}

async fn removed_is_gone(home: Home) {
    let key = BlobKey::original(medium(1));
    put(&home, key, b"x").await;
    home.blobs.remove(key).await.unwrap();
    home.blobs.remove(key).await.unwrap();
    assert_eq!(home.blobs.find_info(key).await.unwrap(), None);
    assert_eq!(home.all().await, []);
}

async fn nothing_shows_before_the_end(home: Home) {
    let key = BlobKey::original(medium(1));
    let mut write = home.blobs.begin(key).await.unwrap();
    write.write(Bytes::from(large())).await.unwrap();
    assert_eq!(home.blobs.find_info(key).await.unwrap(), None);
    assert_eq!(home.all().await, []);
    write.finish().await.unwrap();
    assert_eq!(home.all().await.len(), 1);
}

async fn an_aborted_write_leaves_nothing(home: Home) {
    let key = BlobKey::original(medium(1));
    let before = home.files();
    for bytes in [b"x".to_vec(), large()] {
        let mut write = home.blobs.begin(key).await.unwrap();
        write.write(Bytes::from(bytes)).await.unwrap();
        write.abort().await.unwrap();
        assert_eq!(home.blobs.find_info(key).await.unwrap(), None);
        assert_eq!(home.files(), before);
    }
}

async fn a_dropped_write_leaves_nothing(home: Home) {
    let key = BlobKey::original(medium(1));
    let before = home.files();
    let mut write = home.blobs.begin(key).await.unwrap();
    write.write(Bytes::from(large())).await.unwrap();
    drop(write);
    until(async || home.files() == before).await;
    assert_eq!(home.blobs.find_info(key).await.unwrap(), None);
}

async fn an_aborted_replacement_keeps_the_old(home: Home) {
    let key = BlobKey::original(medium(1));
    put(&home, key, b"old").await;
    let mut write = home.blobs.begin(key).await.unwrap();
    write.write(Bytes::from(large())).await.unwrap();
    write.abort().await.unwrap();
    assert_eq!(gathered(home.blobs.read(key, 0..9).await.unwrap().unwrap()).await, b"old");
}

async fn a_listing_shows_each_once(home: Home) {
    let mut keys = Vec::new();
    // Two in some shards, one in others, many in one.
    for number in (0..20).chain((0..20).map(|it| it * 256 + 7)) {
        let part = if number % 3 == 0 { BlobKey::thumbnail } else { BlobKey::original };
        if !keys.contains(&part(medium(number))) {
            keys.push(part(medium(number)));
            put(&home, part(medium(number)), b"x").await;
        }
    }
    for limit in [1, 7, 1000] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = home.blobs.list_finished_before(FUTURE, after, limit).await.unwrap();
            assert!(page.len() <= limit && page.iter().all(|entry| entry.info.bytes == 1));
            let Some(last) = page.last() else { break };
            after = Some(last.key);
            seen.extend(page.into_iter().map(|entry| entry.key));
        }
        seen.sort_unstable();
        keys.sort_unstable();
        assert_eq!(seen, keys, "in pages of {limit}");
    }
}

async fn a_listing_shows_only_what_is_old(home: Home) {
    let key = BlobKey::original(medium(1));
    put(&home, key, b"x").await;
    let finished = home.blobs.find_info(key).await.unwrap().unwrap().modified;
    // The backend may tell whole seconds here and milliseconds in listings.
    let just_after = Timestamp::from_millis(finished.millis() + 1000);
    assert_eq!(home.blobs.list_finished_before(finished, None, 10).await.unwrap(), []);
    assert_eq!(home.blobs.list_finished_before(just_after, None, 10).await.unwrap().len(), 1);
    assert_eq!(home.blobs.list_finished_before(FUTURE, None, 0).await.unwrap(), []);
}

async fn finished_blobs_are_not_broken_writes(home: Home) {
    put(&home, BlobKey::original(medium(1)), b"x").await;
    assert_eq!(home.blobs.remove_broken_writes(FUTURE).await.unwrap(), 0);
    assert_eq!(home.all().await.len(), 1);
}

macro_rules! blobs_contract {
    ($($backend:ident: $home:expr),*; $cases:tt) => {
        $(mod $backend {
            use super::*;
            blobs_contract!(@each $home, $cases);
        })*
    };
    (@each $home:expr, [$($case:ident),* $(,)?]) => {
        $(#[tokio::test]
        async fn $case() {
            super::$case($home).await;
        })*
    };
}

blobs_contract!(memory: support::memory(), folder: support::folder(), s3: support::s3().await; [
    what_is_written_is_read,
    ranges_are_cut_at_the_end,
    chunks_are_bounded,
    what_is_not_there_is_none,
    removed_is_gone,
    nothing_shows_before_the_end,
    an_aborted_write_leaves_nothing,
    a_dropped_write_leaves_nothing,
    an_aborted_replacement_keeps_the_old,
    a_listing_shows_each_once,
    a_listing_shows_only_what_is_old,
    finished_blobs_are_not_broken_writes,
]);

#[tokio::test]
async fn a_folder_is_swept_of_killed_writes() {
    let home = support::folder();
    let root = home.folder.as_ref().unwrap().path().join("data/media/07");
    let staged = root.join("000000000000000000000007.original#1");
    std::fs::write(&staged, b"half").unwrap();
    assert_eq!(home.all().await, []);
    assert_eq!(home.blobs.remove_broken_writes(Timestamp::from_millis(0)).await.unwrap(), 0);
    assert!(staged.exists());
    assert_eq!(home.blobs.remove_broken_writes(FUTURE).await.unwrap(), 1);
    assert!(!staged.exists());
}

#[tokio::test]
async fn a_bucket_that_is_away_is_not_an_empty_one() {
    use parlance_domain::ports::StorageError;
    use parlance_media::{BlobsAt, ObjectBlobs, S3Credentials, S3Settings};
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Some(format!("http://{}", nobody.local_addr().unwrap()));
    drop(nobody);
    let credentials = Some(S3Credentials { access_key_id: "a".into(), secret_access_key: "b".into() });
    let settings = S3Settings { bucket: "b".into(), endpoint, credentials, ..S3Settings::default() };
    let blobs = ObjectBlobs::open(&BlobsAt::S3(settings)).unwrap();
    let key = BlobKey::original(medium(1));
    assert!(matches!(blobs.find_info(key).await, Err(StorageError::Unavailable { .. })));
    assert!(matches!(blobs.read(key, 0..1).await.err(), Some(StorageError::Unavailable { .. })));
    assert!(matches!(blobs.remove(key).await, Err(StorageError::UnknownOutcome { .. })));
}
