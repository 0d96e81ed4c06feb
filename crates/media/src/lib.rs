//! x
mod store;
pub use store::{BlobsAt, ObjectBlobs, OpenError, S3Credentials, S3Settings};
