//! The binary and the library as those see them who run or embed the server: what a wrong configuration says, what
//! commands print, how the server starts and ends. How clients talk to it is shown by the end-to-end tests.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod channels;
mod configuration;
mod databases;
mod embedding;
mod health;
mod identities;
mod keys;
mod moving;
mod process;
mod reloading;
mod serving;
mod tls;
mod tokens;
mod top;
mod traces;
mod web;
