//! The link between nodes on Redis: words go over pub/sub, one channel for everyone, one for each node, and one for each
//! user and conversation that some node follows. Redis keeps nothing of it: it may be restarted, or be another one, at
//! any time. Here is where it is (`place`), what channels are called, and the two kinds of connection;
//! queues, words as bytes and coming back after an outage are `cluster-link`'s.

mod broker;
mod channels;
mod hearing;
mod place;
mod publishing;

pub use broker::{ConnectError, connect};
pub use parlance_cluster_link::Options;
