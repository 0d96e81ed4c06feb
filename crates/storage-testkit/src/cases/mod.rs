//! The cases, one file per port or large method. Each takes a world of its own and panics, saying what was
//! promised, where the storage does otherwise.

pub mod amend;
pub mod append;
pub mod blocks;
pub mod changes;
pub mod conversations;
pub mod delivery;
pub mod history;
pub mod laws;
pub mod listing;
pub mod media_items;
pub mod media_races;
pub mod membership;
pub mod membership_races;
pub mod notification_laws;
pub mod notification_races;
pub mod notifications;
pub mod races;
pub mod receipts;
pub mod search;
pub mod users;
