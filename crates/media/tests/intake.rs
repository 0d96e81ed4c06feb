//! The intake: what it keeps, what it refuses and when, that nothing is left of what it does not keep, and
//! thumbnails.

#![expect(clippy::unwrap_used, reason = "what is not as it should be ends the test")]

mod support;

use std::convert::Infallible;
use std::io::Cursor;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use image::{GenericImageView, ImageFormat, ImageReader};
use parlance_domain::Error;
use parlance_domain::model::{Dimensions, MediaType, Medium, Timestamp};
use parlance_domain::ports::{BlobKey, Blobs};
use parlance_media::{Intake, IntakeError, IntakeSettings, Upload};
use proptest::prelude::*;
use support::contents::{mp4, picture, png_header, segment, transparent, turned_png, with_exif, zip};
use support::{Home, gathered, medium, until};

/// Text of the size that transports hand on.
static A_CHUNK: [u8; 65_536] = [b'a'; 65_536];

fn intake(home: &Home) -> Intake {
    Intake::new(Arc::new(home.blobs.clone()), IntakeSettings::default())
}

fn upload(filename: &str) -> Upload<'_> {
    Upload {
        id: medium(1),
        uploader: "alice".parse().unwrap(),
        filename,
        declared_bytes: None,
        uploaded_at: Timestamp::from_millis(5),
    }
}

fn chunks(bytes: &[u8]) -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
    let chunks: Vec<_> = bytes.chunks(3000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    stream::iter(chunks)
}

async fn taken(home: &Home, bytes: &[u8]) -> Medium {
    intake(home).receive(upload("it"), chunks(bytes)).await.unwrap()
}

async fn thumbnail(home: &Home) -> image::DynamicImage {
    let bytes = thumbnail_bytes(home).await;
    ImageReader::new(Cursor::new(bytes)).with_guessed_format().unwrap().decode().unwrap()
}

async fn thumbnail_bytes(home: &Home) -> Vec<u8> {
    gathered(home.blobs.read(BlobKey::thumbnail(medium(1)), 0..u64::MAX).await.unwrap().unwrap()).await
}

#[tokio::test]
async fn what_is_taken_is_kept_and_described() {
    for home in [support::memory(), support::folder(), support::s3().await] {
        let bytes = picture(400, 300, ImageFormat::Png);
        let medium = intake(&home).receive(upload("../my cat.PNG"), chunks(&bytes)).await.unwrap();
        assert_eq!(medium.media_type, MediaType::Image);
        assert_eq!((medium.format.as_str(), medium.content_type.as_str()), ("png", "image/png"));
        assert_eq!((medium.filename.as_str(), medium.bytes), ("my cat.png", bytes.len() as u64));
        assert_eq!(medium.dimensions, Some(Dimensions { width: 400, height: 300 }));
        assert_eq!((medium.thumbnail.clone(), medium.uploaded_at), (None, Timestamp::from_millis(5)));
        assert_eq!(medium.uploader.as_str(), "alice");
        let size = medium.bytes;
        let tail = home.blobs.read(BlobKey::original(medium.id), size - 20..size).await.unwrap().unwrap();
        assert_eq!(gathered(tail).await, bytes[bytes.len() - 20..].to_vec());
    }
}

#[tokio::test]
async fn the_digest_is_of_the_content() {
    let home = support::memory();
    let medium = taken(&home, b"abc").await;
    assert_eq!(medium.digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[tokio::test]
async fn what_is_too_large_is_refused_before_it_is_read() {
    let home = support::memory();
    let intake = intake(&home);
    let unread = || stream::poll_fn(|_| -> std::task::Poll<Option<Result<Bytes, Infallible>>> { panic!("read") });
    let declared = Upload { declared_bytes: Some(20 * 1024 * 1024 + 1), ..upload("x") };
    assert!(matches!(intake.receive(declared, unread()).await, Err(IntakeError::TooLarge(20_971_520))));
    assert!(intake.check_content_length(20 * 1024 * 1024 + 1000).is_ok());
    assert!(intake.check_content_length(21 * 1024 * 1024).is_err());
}

#[tokio::test]
async fn what_turns_out_too_large_is_not_read_to_its_end() {
    let home = support::folder();
    let read = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&read);
    let endless = stream::repeat_with(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Infallible>(Bytes::from_static(&A_CHUNK))
    });
    let before = home.files();
    let refused = intake(&home).receive(upload("x"), endless).await;
    assert!(matches!(refused, Err(IntakeError::TooLarge(_))));
    assert_eq!(read.load(Ordering::Relaxed), 20 * 16 + 1);
    assert_eq!(home.files(), before);
}

#[tokio::test]
async fn a_refused_head_ends_the_reading() {
    let home = support::memory();
    let read = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&read);
    let audio = stream::repeat_with(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok::<_, Infallible>(Bytes::from_static(b"OggS\0\x02 OpusHead  "))
    });
    let refused = intake(&home).receive(upload("x"), audio).await.map_err(Error::from);
    assert_eq!(refused, Err(Error::AudioNotAllowed));
    assert!(read.load(Ordering::Relaxed) <= 1000);
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    for home in [support::folder(), support::s3().await] {
        let before = home.files();
        for whole in [0, 1, 120] {
            let some = stream::repeat(Bytes::from_static(&A_CHUNK)).take(whole).map(Ok);
            let broken = some.chain(stream::iter([Err(std::io::Error::other("gone"))]));
            let error = intake(&home).receive(upload("x"), broken).await.unwrap_err();
            assert!(matches!(error, IntakeError::BrokenOff(_)), "{error:?}");
            assert_eq!(home.files(), before, "after {whole} chunks");
        }
    }
}

#[tokio::test]
async fn an_upload_that_is_dropped_leaves_nothing() {
    for home in [support::folder(), support::s3().await] {
        let before = home.files();
        let some = stream::repeat(Bytes::from_static(&A_CHUNK)).take(120).map(Ok::<_, Infallible>);
        let (reached, stalled) = tokio::sync::oneshot::channel();
        let stall = stream::once(async move {
            reached.send(()).unwrap();
            std::future::pending::<Result<Bytes, Infallible>>().await
        });
        let intake = intake(&home);
        let task = tokio::spawn(async move { intake.receive(upload("x"), some.chain(stall)).await.map(|_| ()) });
        stalled.await.unwrap();
        assert_ne!(home.files(), before);
        task.abort();
        until(async || home.files() == before).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_uploader_who_falls_silent_is_given_up() {
    let home = support::memory();
    let silent = chunks(b"hello").chain(stream::pending());
    let begun = tokio::time::Instant::now();
    let error = intake(&home).receive(upload("x"), silent).await.unwrap_err();
    assert!(matches!(error, IntakeError::BrokenOff(_)));
    assert_eq!(begun.elapsed().as_secs(), 30);
}

#[tokio::test]
async fn what_cannot_be_recorded_is_discarded() {
    let home = support::memory();
    assert!(taken(&home, &picture(900, 600, ImageFormat::Jpeg)).await.thumbnail.is_some());
    assert_eq!(home.all().await.len(), 2);
    intake(&home).discard(medium(1)).await.unwrap();
    assert_eq!(home.all().await, []);
}

#[tokio::test]
async fn large_pictures_of_every_format_get_a_thumbnail() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let home = support::memory();
        let medium = taken(&home, &picture(1024, 640, format)).await;
        let described = medium.thumbnail.unwrap_or_else(|| panic!("{format:?}"));
        assert_eq!(described.dimensions, Dimensions { width: 512, height: 320 });
        assert_eq!(described.content_type, "image/jpeg");
        assert_eq!(described.bytes, thumbnail_bytes(&home).await.len() as u64);
        let small = thumbnail(&home).await;
        assert_eq!(small.dimensions(), (512, 320));
        assert!(small.get_pixel(10, 10).0[0] > 200 && small.get_pixel(500, 10).0[2] > 200, "{format:?}");
    }
}

#[tokio::test]
async fn small_pictures_need_none() {
    let home = support::memory();
    assert_eq!(taken(&home, &picture(512, 512, ImageFormat::Png)).await.thumbnail, None);
    assert_eq!(home.all().await.len(), 1);
}

#[tokio::test]
async fn transparency_is_kept() {
    let home = support::memory();
    let medium = taken(&home, &transparent(600, 10)).await;
    assert_eq!(medium.thumbnail.unwrap().content_type, "image/webp");
    assert_eq!(thumbnail(&home).await.get_pixel(0, 0).0[3], 90);
}

#[tokio::test]
async fn thumbnails_stand_upright_and_tell_nothing() {
    // The left half is red; turned by these, the red half is elsewhere: (orientation, width, height, a red corner).
    let cases = [(1, 512, 256, (5, 5)), (3, 512, 256, (505, 250)), (6, 256, 512, (5, 5)), (8, 256, 512, (250, 505))];
    for (orientation, width, height, (x, y)) in cases {
        let home = support::memory();
        let source = with_exif(&picture(1024, 512, ImageFormat::Jpeg), orientation);
        let medium = taken(&home, &source).await;
        let upright = (width > height) == (1024 > 512);
        let expected = if upright { (1024, 512) } else { (512, 1024) };
        let size = medium.dimensions.unwrap();
        assert_eq!((size.width, size.height), expected, "as shown, by orientation {orientation}");
        let small = thumbnail(&home).await;
        assert_eq!(small.dimensions(), (width, height));
        assert!(small.get_pixel(x, y).0[0] > 200, "orientation {orientation}");
        let bytes = thumbnail_bytes(&home).await;
        for secret in [&b"Exif"[..], b"GPS", b"52.52"] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret));
        }
    }
}

#[tokio::test]
async fn a_turned_png_is_measured_as_shown() {
    let home = support::memory();
    let medium = taken(&home, &turned_png(1024, 512)).await;
    assert_eq!(medium.dimensions, Some(Dimensions { width: 512, height: 1024 }));
    assert_eq!(thumbnail(&home).await.dimensions(), (256, 512));
}

#[tokio::test]
async fn the_size_of_a_picture_is_found_behind_much_metadata() {
    let jpeg = picture(30, 20, ImageFormat::Jpeg);
    let metadata: Vec<u8> = (0..40).flat_map(|_| segment(0xe2, &vec![7; 60_000])).collect();
    let home = support::memory();
    let medium = taken(&home, &[&jpeg[..2], &metadata, &jpeg[2..]].concat()).await;
    assert_eq!(medium.dimensions, Some(Dimensions { width: 30, height: 20 }));
}

#[tokio::test]
async fn bombs_do_not_go_off() {
    // More pixels than are decoded, but not than are taken; nothing decodable behind the header; 16 bits a channel.
    for (width, height) in [(15_000, 15_000), (10_000, 4_000)] {
        let home = support::memory();
        let medium = taken(&home, &png_header(width, height)).await;
        assert_eq!((medium.dimensions, medium.thumbnail), (Some(Dimensions { width, height }), None));
    }
    let home = support::memory();
    let settings = IntakeSettings { max_decoded_bytes: 1_000_000, ..IntakeSettings::default() };
    let intake = Intake::new(Arc::new(home.blobs.clone()), settings);
    let medium = intake.receive(upload("x"), chunks(&picture(2000, 2000, ImageFormat::Png))).await.unwrap();
    assert_eq!(medium.thumbnail, None);
    assert_eq!(home.all().await.len(), 1);
}

#[tokio::test]
async fn damaged_pictures_are_kept_without_a_thumbnail() {
    let home = support::memory();
    let mut png = picture(900, 900, ImageFormat::Png);
    png.truncate(png.len() / 2);
    assert_eq!(taken(&home, &png).await.thumbnail, None);
}

#[tokio::test]
async fn who_gets_no_turn_goes_without() {
    let home = support::memory();
    let settings = IntakeSettings { max_thumbnail_wait: Duration::ZERO, ..IntakeSettings::default() };
    let intake = Intake::new(Arc::new(home.blobs.clone()), settings);
    let large = picture(3000, 3000, ImageFormat::Png);
    let all = (0..8).map(|number| intake.receive(Upload { id: medium(number), ..upload("x") }, chunks(&large)));
    let media = futures::future::join_all(all).await;
    let with = media.iter().filter(|medium| medium.as_ref().unwrap().thumbnail.is_some()).count();
    assert!((1..8).contains(&with), "{with} of 8 got a thumbnail");
}

/// Bytes that get past the signatures and are wrong behind them.
fn spoiled() -> impl Strategy<Value = Vec<u8>> {
    let seeds = prop::sample::select(vec![
        picture(600, 2, ImageFormat::Jpeg),
        with_exif(&picture(600, 2, ImageFormat::Jpeg), 6),
        picture(600, 2, ImageFormat::Png),
        picture(600, 2, ImageFormat::Gif),
        picture(600, 2, ImageFormat::WebP),
        mp4(b"isom", &[b"vide", b"soun"], false)[..2000].to_vec(),
        support::contents::matroska(b"webm", &[1, 2])[..1000].to_vec(),
        zip(&[("[Content_Types].xml", &[7; 100]), ("word/document.xml", b"x")]),
        zip(&[("mimetype", b"application/vnd.oasis.opendocument.text"), ("x", b"x")]),
        support::contents::ole([6, 9, 2, 0], "x"),
        support::contents::avi(b"vids")[..500].to_vec(),
        b"<html> and <?xml and text \xc3\xbc".to_vec(),
    ]);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12);
    (seeds, changes, any::<prop::sample::Index>(), any::<bool>()).prop_map(|(mut bytes, changes, end, cut)| {
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if cut {
            bytes.truncate(end.index(bytes.len()));
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_bytes_break_the_intake(
        bytes in prop_oneof![spoiled(), prop::collection::vec(any::<u8>(), 0..300)],
        filename: String,
        size in 1_usize..700,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let home = support::memory();
            let chunks: Vec<_> = bytes.chunks(size).map(|it| Ok::<_, Infallible>(Bytes::copy_from_slice(it))).collect();
            if let Ok(medium) = intake(&home).receive(upload(&filename), stream::iter(chunks)).await {
                let original = home.blobs.read(BlobKey::original(medium.id), 0..u64::MAX).await.unwrap().unwrap();
                prop_assert_eq!(gathered(original).await, bytes);
                prop_assert_eq!(home.all().await.len(), 1 + usize::from(medium.thumbnail.is_some()));
            } else {
                prop_assert_eq!(home.all().await, []);
            }
            Ok(())
        })?;
    }
}
