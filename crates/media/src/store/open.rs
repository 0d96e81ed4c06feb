//! Opens the store that the configuration names. Called once at start; everything here may block.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::RetryConfig;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::prefix::PrefixStore;

use super::blobs::ObjectBlobs;
use super::locations::shards_from;

/// How much is gathered before it is sent on: S3 refuses parts below 5 MiB, other stores take any.
const S3_PART_BYTES: usize = 5 * 1024 * 1024;
const PART_BYTES: usize = 256 * 1024;

/// Where media are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobsAt {
    /// A folder, made if it is not there. The default is `./data/media`.
    Folder(PathBuf),
    /// A bucket of S3 or of a server that speaks its protocol.
    S3(S3Settings),
    /// Memory: gone with the process.
    Memory,
}

/// A bucket and the way to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct S3Settings {
    /// The bucket, which must exist.
    pub bucket: String,
    /// What all names in it begin with; empty for none.
    pub prefix: String,
    /// The server, for any but AWS itself: `https://…` or, inside one's own network, `http://…`.
    pub endpoint: Option<String>,
    /// The region; `us-east-1` if there is none.
    pub region: Option<String>,
    /// Keys; without them the machine's role is used, as AWS offers it.
    pub credentials: Option<S3Credentials>,
    /// Whether the bucket is part of the host name instead of the path.
    pub virtual_hosted: bool,
}

/// Keys to a bucket. The secret is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Credentials {
    /// The access key's id.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: String,
}

impl fmt::Debug for S3Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The text names no store.
    #[error("must be a folder, `s3://bucket/prefix` or `memory:`")]
    Unknown,
    /// The folder cannot be made or read.
    #[error("the folder {0:?} cannot be used")]
    Folder(PathBuf, #[source] std::io::Error),
    /// The store refuses its settings.
    #[error("the store's settings do not work")]
    Settings(#[source] object_store::Error),
}

impl Default for BlobsAt {
    fn default() -> Self {
        Self::Folder("data/media".into())
    }
}

impl BlobsAt {
    /// Reads `memory:`, `s3://bucket/prefix`, `file:///folder` or a folder. Keys and endpoint of a bucket are
    /// settings of their own: put them in afterwards.
    pub fn parse(text: &str) -> Result<Self, OpenError> {
        if text == "memory:" {
            Ok(Self::Memory)
        } else if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(OpenError::Unknown);
            }
            let prefix = prefix.trim_matches('/').to_owned();
            Ok(Self::S3(S3Settings { bucket: bucket.to_owned(), prefix, ..S3Settings::default() }))
        } else {
            let folder = text.strip_prefix("file://").unwrap_or(text);
            if folder.is_empty() || folder.contains("://") {
                return Err(OpenError::Unknown);
            }
            Ok(Self::Folder(folder.into()))
        }
    }
}

impl ObjectBlobs {
    /// Opens a store. Blocks on the file system; a bucket is not asked anything yet.
    pub fn open(at: &BlobsAt) -> Result<Self, OpenError> {
        match at {
            BlobsAt::Folder(folder) => Self::folder(folder),
            BlobsAt::S3(settings) => Self::bucket(settings),
            BlobsAt::Memory => Ok(Self::memory()),
        }
    }

    /// Blobs in memory.
    pub fn memory() -> Self {
        Self::new(Arc::new(InMemory::new()), PART_BYTES, None)
    }

    fn folder(folder: &Path) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Folder(folder.to_owned(), error);
        // The shards are made now, so that no upload waits for directories to reach the disk.
        for shard in shards_from(0) {
            std::fs::create_dir_all(folder.join(shard)).map_err(failed)?;
        }
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(OpenError::Settings)?.with_fsync(true);
        let root = std::fs::canonicalize(folder).map_err(failed)?;
        Ok(Self::new(Arc::new(store), PART_BYTES, Some(root)))
    }

    fn bucket(settings: &S3Settings) -> Result<Self, OpenError> {
        // Somebody else may have chosen a provider for the process: theirs is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&settings.bucket)
            .with_region(settings.region.as_deref().unwrap_or("us-east-1"))
            .with_virtual_hosted_style_request(settings.virtual_hosted)
            // An uploader waits for this: rather say soon that the store is away.
            .with_retry(RetryConfig {
                max_retries: 3,
                retry_timeout: Duration::from_secs(15),
                ..RetryConfig::default()
            });
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        if let Some(S3Credentials { access_key_id, secret_access_key }) = &settings.credentials {
            builder = builder.with_access_key_id(access_key_id).with_secret_access_key(secret_access_key);
        }
        let bucket = builder.build().map_err(OpenError::Settings)?;
        let store: Arc<dyn ObjectStore> = if settings.prefix.is_empty() {
            Arc::new(bucket)
        } else {
            Arc::new(PrefixStore::new(bucket, settings.prefix.as_str()))
        };
        Ok(Self::new(store, S3_PART_BYTES, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_named_by_text() {
        assert_eq!(BlobsAt::parse("memory:").unwrap(), BlobsAt::Memory);
        assert_eq!(BlobsAt::parse("./data/media").unwrap(), BlobsAt::Folder("./data/media".into()));
        assert_eq!(BlobsAt::parse("file:///srv/media").unwrap(), BlobsAt::Folder("/srv/media".into()));
        let BlobsAt::S3(s3) = BlobsAt::parse("s3://photos/chat/media/").unwrap() else { panic!("not S3") };
        assert_eq!((s3.bucket.as_str(), s3.prefix.as_str()), ("photos", "chat/media"));
        for wrong in ["", "s3://", "ftp://x/y", "file://"] {
            assert!(BlobsAt::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_secret_is_not_printed() {
        let credentials = S3Credentials { access_key_id: "id".into(), secret_access_key: "hush".into() };
        assert!(!format!("{credentials:?}").contains("hush"));
    }
}
