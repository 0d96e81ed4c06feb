//! Where media are kept, what links to them begin with, and how large and how many they may be. Opening the store
//! is `media`'s part.

use std::path::Path;

use parlance_media::{BlobsAt, S3Credentials, S3Settings};

use super::layers::Layers;
use super::{ConfigError, DatabaseAt, bounded, optional, setting, value};

/// What the server does with media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Where their bytes are.
    pub at: BlobsAt,
    /// The largest upload, in bytes.
    pub max_upload_bytes: usize,
    /// Uploads that run at a time.
    pub max_uploads: usize,
}

impl Media {
    /// Reads what was given. Media are where the rest of the data is, unless somebody chose a place.
    pub(super) fn read(layers: &Layers, data_dir: &Path, database: &DatabaseAt) -> Result<Self, ConfigError> {
        let given = optional(layers, &setting::MEDIA_DIR, |text| {
            BlobsAt::parse(value::text(text)?.trim()).map_err(|error| error.to_string())
        })?;
        let endpoint = optional(layers, &setting::S3_ENDPOINT, value::base_url)?;
        let region = optional(layers, &setting::S3_REGION, value::text)?;
        let key_id = optional(layers, &setting::S3_ACCESS_KEY_ID, value::text)?;
        let secret = optional(layers, &setting::S3_SECRET_ACCESS_KEY, value::text)?;
        let at = match (given, database) {
            (Some(BlobsAt::S3(bucket)), _) => {
                BlobsAt::S3(S3Settings { endpoint, region, credentials: credentials(key_id, secret)?, ..bucket })
            }
            (Some(at), _) => at,
            (None, DatabaseAt::Memory) => BlobsAt::Memory,
            (None, DatabaseAt::Sqlite { .. } | DatabaseAt::Postgres(_) | DatabaseAt::Mongo(_)) => {
                BlobsAt::Folder(data_dir.join("media"))
            }
        };
        Ok(Self {
            at,
            max_upload_bytes: bounded(layers, &setting::MAX_UPLOAD_BYTES)?,
            max_uploads: bounded(layers, &setting::MAX_UPLOADS)?,
        })
    }

    /// The place, as `MEDIA_DIR` names it.
    pub(super) fn place(&self) -> String {
        match &self.at {
            BlobsAt::Memory => "memory:".to_owned(),
            BlobsAt::Folder(folder) => folder.to_string_lossy().into_owned(),
            BlobsAt::S3(S3Settings { bucket, prefix, .. }) if prefix.is_empty() => format!("s3://{bucket}"),
            BlobsAt::S3(S3Settings { bucket, prefix, .. }) => format!("s3://{bucket}/{prefix}"),
        }
    }

    /// The bucket's settings, if media are in one.
    pub(super) const fn bucket(&self) -> Option<&S3Settings> {
        match &self.at {
            BlobsAt::S3(settings) => Some(settings),
            BlobsAt::Folder(_) | BlobsAt::Memory => None,
        }
    }
}

fn credentials(key_id: Option<String>, secret: Option<String>) -> Result<Option<S3Credentials>, ConfigError> {
    match (key_id, secret) {
        (Some(access_key_id), Some(secret_access_key)) => Ok(Some(S3Credentials { access_key_id, secret_access_key })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(ConfigError::Missing {
            name: setting::S3_SECRET_ACCESS_KEY.name,
            problem: "S3_ACCESS_KEY_ID goes with it",
        }),
        (None, Some(_)) => Err(ConfigError::Missing {
            name: setting::S3_ACCESS_KEY_ID.name,
            problem: "S3_SECRET_ACCESS_KEY goes with it",
        }),
    }
}
