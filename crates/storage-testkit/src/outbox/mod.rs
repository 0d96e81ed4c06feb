//! What every storage must pass that has an outbox: the promises of the `Outbox` port. A storage of one's own that does
//! not have the port leaves them out.
//!
//! ```text
//! use parlance_storage_testkit::{Posting, outbox_contract};
//!
//! async fn fresh() -> Posting {
//!     Posting::new(MyStorage::new())
//! }
//!
//! outbox_contract!(fresh);
//! ```

pub mod cases;
mod contract;
mod office;

pub use office::{Office, Posting};
