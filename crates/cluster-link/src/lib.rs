//! What all links over a broker have in common, whatever the broker is: words as bytes, a queue of what is said, what is
//! followed, two connections that come back by themselves, and whether words get through. One connection publishes what
//! is queued, in order and many at a time; one hears. What went missing meanwhile is owned up to. How a connection is
//! made and what topics are called on it is the adapter's part (`cluster-redis`, `cluster-nats`): it brings a [`Broker`].

mod broker;
mod followed;
mod health;
mod link;
mod publisher;
mod seldom;
mod subscriber;
mod wire;

pub use broker::{Broker, BrokerError, Hearing, Publishing};
pub use link::{BrokerLink, Options};
