//! Decisions: plain functions over the model, without `async` and without ports. Services call them
//! before they ask a storage; storages call them again inside the transaction, where races are decided.

pub mod amending;
pub mod appending;
pub mod blocking;
pub mod calling;
pub mod content;
pub mod limits;
pub mod media;
pub mod membership;
pub mod messages;
pub mod ranges;
pub mod rates;
pub mod reading;
pub mod retrying;
pub mod search;
pub mod tally;
pub mod webhooks;

pub use limits::Limits;
pub use rates::{Rate, Rates};
