//! Media of Parlance: [`Intake`] takes an upload, finds out what it really is, keeps it and makes its
//! thumbnail; [`ObjectBlobs`] keeps bytes in a folder, an S3 bucket or memory.
//! No HTTP here: how media go out again is the transport's matter.

mod filename;
mod intake;
mod sniff;
mod store;
mod thumbnail;

pub use filename::clean_filename;
pub use intake::{Intake, IntakeError, IntakeSettings};
pub use parlance_domain::ports::Upload;
pub use sniff::{Format, Found, HEAD_BYTES, Refusal, Sniffer};
pub use store::{BlobsAt, ObjectBlobs, OpenError, S3Credentials, S3Settings};
