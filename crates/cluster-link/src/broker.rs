//! What an adapter brings. A connection is used until it fails once, and then another one is made: it need not mend
//! itself, and must not.

use async_trait::async_trait;
use bytes::Bytes;
use parlance_domain::ports::Topic;

/// Why words do not get through. It is logged, and then tried again.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BrokerError(Box<dyn std::error::Error + Send + Sync>);

impl BrokerError {
    /// With a driver's error, or a text.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }

    /// Something took longer than it may.
    pub(crate) fn late() -> Self {
        Self::new("the broker takes too long")
    }
}

/// A server, or several, that bring what is published to whoever has subscribed.
#[async_trait]
pub trait Broker: Send + Sync + 'static {
    /// A connection on which words go out.
    type Publishing: Publishing;
    /// A connection on which words come in.
    type Hearing: Hearing;

    /// What people call it.
    fn name(&self) -> &'static str;

    /// Connects to where words are to be published now, which may be elsewhere than before.
    async fn publishing(&self) -> Result<Self::Publishing, BrokerError>;

    /// Connects to where they are heard.
    async fn hearing(&self) -> Result<Self::Hearing, BrokerError>;
}

/// A connection on which words go out. Nothing says that it is gone but an error of the next call.
#[async_trait]
pub trait Publishing: Send + 'static {
    /// The longest word that can be brought, in bytes. A longer one is not handed over.
    fn max_word_bytes(&self) -> usize {
        usize::MAX
    }

    /// Brings words in this order to those who have subscribed to their topics, also if that is this node. Returns when
    /// the broker has all of them.
    async fn publish(&mut self, words: Vec<(Topic, Bytes)>) -> Result<(), BrokerError>;
}

/// A connection on which words come in, in the order in which a node published them, whatever their topics.
#[async_trait]
pub trait Hearing: Send + 'static {
    /// Subscribes to a few hundred topics. When this returns they are heard.
    async fn subscribe(&mut self, topics: &[Topic]) -> Result<(), BrokerError>;

    /// Subscribes to a few hundred topics no longer. When this returns they are not heard.
    async fn unsubscribe(&mut self, topics: &[Topic]) -> Result<(), BrokerError>;

    /// The next word. Loses nothing if it is dropped before it returns.
    async fn next(&mut self) -> Result<Bytes, BrokerError>;
}
