//! The storage on a real PostgreSQL server: the whole contract, faults, and what is particular to this engine. The
//! server is named by `TEST_POSTGRES_URL`; each case has a database of its own on it.

mod archive;
#[path = "../shared/batches.rs"]
mod batches;
mod contract;
mod database;
mod faults;
mod opening;
mod outbox;
#[path = "../shared/outbox_statements.rs"]
mod outbox_statements;
mod plans;
mod reach;
#[path = "../shared/search.rs"]
mod search;
mod server;
mod sessions;
mod support;
mod tls;
#[path = "../shared/world.rs"]
mod world;
