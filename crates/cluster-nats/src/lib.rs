//! The link between nodes on NATS: words are messages on subjects, one for everyone, one for each node, and one for each
//! user and conversation that some node follows. Plain NATS, no `JetStream`: nothing is kept, and any server will do. Here is
//! the connection, and what subjects are called; queues, words as bytes and coming back after an outage are
//! `cluster-link`'s. The protocol is spoken here (0088).

mod broker;
mod connection;
mod servers;
mod subjects;
mod tls;
mod wire;

pub use broker::connect;
pub use parlance_cluster_link::Options;
pub use servers::ConnectError;
