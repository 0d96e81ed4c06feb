//! The link between nodes on Redis: words go over pub/sub, one channel for everyone, one for each node, and one for each
//! user and conversation that some node follows. Two connections: one that publishes what is queued, in order and many
//! at a time; one that hears. Both come back by themselves, and what went missing meanwhile is owned up to. Redis keeps
//! nothing of it: it may be restarted, or be another one, at any time.

mod channels;
mod followed;
mod health;
mod link;
mod publisher;
mod subscriber;
mod wire;

pub use link::{ConnectError, Options, RedisLink};
