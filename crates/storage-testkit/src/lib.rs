//! What every storage must pass: one case for each promise of the storage ports, and for each race. The
//! list of cases is here alone, so no adapter can leave one out:
//!
//! ```text
//! use parlance_storage_testkit::{Fresh, storage_contract};
//!
//! /// An empty storage, and whatever must live as long as it does.
//! async fn fresh() -> Fresh {
//!     let folder = tempfile::tempdir().unwrap();
//!     Fresh::new(MyStorage::open(folder.path()).await.unwrap()).keeping(folder)
//! }
//!
//! storage_contract!(fresh);
//! ```
//!
//! The adapter needs `tokio` with `macros` and `rt-multi-thread` among its dev-dependencies. Every case gets
//! a storage of its own, so cases can run side by side.
#![expect(clippy::missing_panics_doc, reason = "every case panics where a promise is broken: that is its job")]

pub mod archive;
pub mod cases;
mod contract;
mod doing;
pub mod faults;
pub mod outbox;
mod race;
pub mod reach;
mod telling;
mod world;

pub use archive::{Crowd, Depot, Movable};
pub use outbox::{Office, Posting};
pub use race::{race, race_two};
pub use reach::{Country, Reachable};
pub use world::{Fresh, World};
