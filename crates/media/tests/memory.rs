//! How much memory an upload of 20 MiB takes: the growth of the process's peak, measured and printed. Alone in
//! its file and in one test, so that nothing else runs in the process.

#![expect(clippy::unwrap_used, reason = "what is not as it should be ends the test")]

mod support;

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use parlance_domain::model::{MediaType, Timestamp};
use parlance_domain::ports::{BlobKey, Blobs};
use parlance_media::{Intake, IntakeSettings, Upload};
use support::contents::png_header;
use support::medium;

const UPLOAD_BYTES: usize = 20 * 1024 * 1024;
const CHUNK_BYTES: usize = 64 * 1024;

/// `begin`, then noise, made as it is read: 20 MiB that are never whole in memory.
fn upload_of(begin: Vec<u8>) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    let mut left = UPLOAD_BYTES - begin.len();
    let rest = stream::iter(std::iter::from_fn(move || {
        let size = left.min(CHUNK_BYTES);
        left -= size;
        (size > 0).then(|| Bytes::from(vec![b'a'; size]))
    }));
    stream::iter([Bytes::from(begin)]).chain(rest).map(Ok)
}

fn status_kib(field: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// By how many KiB the peak during `work` is above what was held before it.
async fn growth_kib<T>(work: impl Future<Output = T>) -> (usize, T) {
    // Takes the peak back to what is held now.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = status_kib("VmRSS");
    let done = work.await;
    (status_kib("VmHWM").saturating_sub(before), done)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg(target_os = "linux")]
async fn an_upload_of_20_mib_takes_less_than_8() {
    let home = support::folder();
    let intake = Intake::new(Arc::new(home.blobs.clone()), IntakeSettings::default());
    let cases = [
        ("a text", b"hello ".to_vec(), MediaType::File),
        ("a zip", b"PK\x03\x04\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0aaaa".to_vec(), MediaType::File),
        ("an image above the limit of decoding", png_header(12_000, 12_000), MediaType::Image),
    ];
    // The first upload also pays for code and threads that are there once for all.
    let warm_up = Upload {
        id: medium(100),
        uploader: "u".parse().unwrap(),
        filename: "x",
        declared_bytes: None,
        uploaded_at: Timestamp::from_millis(0),
    };
    intake.receive(warm_up.clone(), stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"x"))])).await.unwrap();
    for (number, (what, begin, media_type)) in (0..).zip(cases) {
        let upload = Upload { id: medium(number), declared_bytes: Some(UPLOAD_BYTES as u64), ..warm_up.clone() };
        let (grown, taken) = growth_kib(intake.receive(upload, upload_of(begin))).await;
        let taken = taken.unwrap();
        assert_eq!((taken.bytes, taken.media_type), (UPLOAD_BYTES as u64, media_type));
        println!("20 MiB of {what}: the peak grew by {grown} KiB while it came in");
        assert!(grown < 8 * 1024, "{what}: {grown} KiB");

        let (grown, sent) = growth_kib(async {
            let whole = home.blobs.read(BlobKey::original(taken.id), 0..taken.bytes);
            let chunks = whole.await.unwrap().unwrap();
            chunks.fold(0, |sent, chunk| async move { sent + chunk.unwrap().len() }).await
        })
        .await;
        assert_eq!(sent, UPLOAD_BYTES);
        println!("20 MiB of {what}: the peak grew by {grown} KiB while it went out");
        assert!(grown < 8 * 1024, "{what}: {grown} KiB");
    }
    assert_eq!(home.blobs.list_finished_before(support::FUTURE, None, 10).await.unwrap().len(), 4);

    // The server and its client share this process: an upper limit for both.
    let home = support::s3().await;
    let intake = Intake::new(Arc::new(home.blobs.clone()), IntakeSettings::default());
    intake.receive(warm_up.clone(), stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"x"))])).await.unwrap();
    let (grown, taken) = growth_kib(intake.receive(warm_up, upload_of(b"hello ".to_vec()))).await;
    assert_eq!(taken.unwrap().bytes, UPLOAD_BYTES as u64);
    println!("20 MiB of text to S3: the peak of client and server together grew by {grown} KiB");
    assert!(grown < 20 * 1024, "{grown} KiB");
}
