//! What every storage must pass that can be moved: the promises of the `Archive` port. A storage of one's own that
//! does not have the port leaves them out.
//!
//! ```text
//! use parlance_storage_testkit::{Movable, archive_contract};
//!
//! async fn fresh() -> Movable {
//!     Movable::new(MyStorage::new())
//! }
//!
//! archive_contract!(fresh);
//! ```

mod answers;
pub mod cases;
mod contract;
mod crowd;
mod depot;
mod life;

pub use answers::Answers;
pub use crowd::Crowd;
pub use depot::{Depot, Movable};
