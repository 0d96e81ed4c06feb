//! The domain of Parlance: what a conversation is, who may do what in it, and what the rest of the
//! system must provide (ports). No I/O, no framework, no JSON: transports and storages depend on this
//! crate, never the other way round.
//!
//! - [`model`]: values that are valid because they exist.
//! - [`rules`]: decisions without `async` and without ports; storages call them inside transactions.
//! - [`ports`]: what an adapter promises.
//! - [`services`]: one per capability, what transports call.
//! - [`event`]: what happened, and who hears of it.
//! - [`error`]: what can go wrong, as a client may see it.
//! - [`meters`]: what storages measure.
//! - [`trace`]: what spans of traces are called.

pub mod error;
pub mod event;
pub mod meters;
pub mod model;
pub mod ports;
pub mod rules;
pub mod services;
pub mod trace;

pub use error::{Error, Result};
