//! The storage on real database files: the whole contract, and what is particular to SQL.

mod contract;
mod opening;
mod plans;
mod statements;
mod support;
