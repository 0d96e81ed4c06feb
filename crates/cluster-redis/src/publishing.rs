//! The connection on which words go out: a batch is a pipeline, and its answers say that Redis has it.

use async_trait::async_trait;
use bytes::Bytes;
use parlance_cluster_link::{BrokerError, Publishing};
use parlance_domain::ports::Topic;
use redis::aio::MultiplexedConnection;
use redis::{Client, RedisResult};

use crate::channels::Channels;

/// Publishes words.
pub(crate) struct Publisher {
    connection: MultiplexedConnection,
    channels: Channels,
}

impl Publisher {
    pub(crate) async fn connect(client: &Client, channels: Channels) -> RedisResult<Self> {
        Ok(Self { connection: client.get_multiplexed_async_connection().await?, channels })
    }
}

#[async_trait]
impl Publishing for Publisher {
    async fn publish(&mut self, words: Vec<(Topic, Bytes)>) -> Result<(), BrokerError> {
        // A node of a cluster that has lost the channels says so, which is an error as well.
        let command = if self.channels.are_sharded() { "SPUBLISH" } else { "PUBLISH" };
        let mut pipe = redis::pipe();
        for (topic, word) in words {
            pipe.cmd(command).arg(self.channels.name(&topic)).arg(&word[..]).ignore();
        }
        pipe.query_async::<()>(&mut self.connection).await.map_err(BrokerError::new)
    }
}
