//! Blobs on `object_store`: a folder, an S3 bucket, or memory, behind the domain's `Blobs` port.

mod blobs;
mod locations;
mod open;
mod remains;
mod write;

pub use blobs::ObjectBlobs;
pub use open::{BlobsAt, OpenError, S3Credentials, S3Settings};
