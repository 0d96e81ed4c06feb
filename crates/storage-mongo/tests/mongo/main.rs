//! The storage on a real server: the whole contract with transactions and without, what it survives, and what is
//! particular to MongoDB.

mod archive;
mod contract;
mod contract_without_transactions;
mod database;
mod faults;
mod faults_without_transactions;
mod journal;
mod opening;
mod outbox;
mod outbox_without_transactions;
mod plans;
mod reach;
mod server;
