//! What the tests of this crate share: an S3 server on this machine, and small contents of every kind.
#![allow(dead_code, reason = "each test uses its part")]

pub(crate) mod contents;

use std::net::SocketAddr;

use futures::TryStreamExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use parlance_domain::model::{MediumId, Timestamp};
use parlance_domain::ports::{BlobChunks, BlobEntry, Blobs};
use parlance_media::{BlobsAt, ObjectBlobs, S3Credentials, S3Settings};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tempfile::TempDir;
use tokio::net::TcpListener;

const KEY_ID: &str = "key";
const SECRET: &str = "secret";
const BUCKET: &str = "media";

/// Some far future.
pub(crate) const FUTURE: Timestamp = Timestamp::from_millis(9_000_000_000_000);

/// Blobs with what must live as long as they do.
pub(crate) struct Home {
    pub(crate) blobs: ObjectBlobs,
    /// The folder that is behind them.
    pub(crate) folder: Option<TempDir>,
}

pub(crate) fn memory() -> Home {
    Home { blobs: ObjectBlobs::open(&BlobsAt::Memory).unwrap(), folder: None }
}

pub(crate) fn folder() -> Home {
    let folder = TempDir::new().unwrap();
    let blobs = ObjectBlobs::open(&BlobsAt::Folder(folder.path().join("data/media"))).unwrap();
    Home { blobs, folder: Some(folder) }
}

/// A bucket on a real S3 server, which runs in this process on a free port.
pub(crate) async fn s3() -> Home {
    let folder = TempDir::new().unwrap();
    std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
    let at = serve_s3(&folder).await;
    let blobs = ObjectBlobs::open(&BlobsAt::S3(S3Settings {
        bucket: BUCKET.into(),
        prefix: "some/prefix".into(),
        endpoint: Some(format!("http://{at}")),
        credentials: Some(S3Credentials { access_key_id: KEY_ID.into(), secret_access_key: SECRET.into() }),
        ..S3Settings::default()
    }))
    .unwrap();
    Home { blobs, folder: Some(folder) }
}

async fn serve_s3(folder: &TempDir) -> SocketAddr {
    let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
    service.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
    let service = service.build();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            tokio::spawn(async move {
                let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    at
}

impl Home {
    /// Every file behind the blobs, finished or not.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders: Vec<_> = self.folder.iter().map(|folder| folder.path().to_owned()).collect();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    files.push(entry.path().display().to_string());
                }
            }
        }
        files
    }

    pub(crate) async fn all(&self) -> Vec<BlobEntry> {
        self.blobs.list_finished_before(FUTURE, None, 10_000).await.unwrap()
    }
}

pub(crate) async fn gathered(chunks: BlobChunks) -> Vec<u8> {
    chunks
        .try_fold(Vec::new(), |mut all, chunk| async move {
            all.extend_from_slice(&chunk);
            Ok(all)
        })
        .await
        .unwrap()
}

pub(crate) fn medium(number: u32) -> MediumId {
    let mut bytes = [0; 12];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    MediumId::from_bytes(bytes)
}

/// Waits until `done`, giving background tasks their turn; the test's runner ends what never comes.
pub(crate) async fn until(mut done: impl AsyncFnMut() -> bool) {
    while !done().await {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}
