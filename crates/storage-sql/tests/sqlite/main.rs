//! The storage on real database files: the whole contract, and what is particular to SQL.

mod archive;
mod contract;
mod locks;
mod notifications;
mod opening;
mod plans;
mod search;
mod statements;
mod support;
