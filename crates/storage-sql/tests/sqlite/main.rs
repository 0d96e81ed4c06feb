//! The storage on real database files: the whole contract, and what is particular to SQL.

mod archive;
#[path = "../shared/batches.rs"]
mod batches;
mod contract;
mod locks;
mod newcomers;
mod notifications;
mod opening;
mod outbox;
#[path = "../shared/outbox_statements.rs"]
mod outbox_statements;
mod plans;
mod reach;
#[path = "../shared/search.rs"]
mod search;
mod statements;
mod support;
#[path = "../shared/world.rs"]
mod world;
