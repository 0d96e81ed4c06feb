//! The connection on which words come in. Sharded pub/sub has no connection of its own kind in the driver (redis 1.8):
//! there words are pushed beside answers, which takes RESP3.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use parlance_cluster_link::{BrokerError, Hearing};
use parlance_domain::ports::Topic;
use redis::aio::{MultiplexedConnection, PubSubSink, PubSubStream};
use redis::{AsyncConnectionConfig, Client, Msg, ProtocolVersion, PushInfo, PushKind, RedisResult};
use tokio::sync::mpsc;

use crate::channels::Channels;

/// The most pushes that wait to be taken.
const PUSHED: usize = 16_384;

/// Hears words.
pub(crate) struct Subscriber {
    channels: Channels,
    subscription: Subscription,
}

enum Subscription {
    Plain { sink: PubSubSink, stream: PubSubStream },
    Sharded { connection: MultiplexedConnection, pushed: mpsc::Receiver<PushInfo>, full: Arc<AtomicBool> },
}

impl Subscriber {
    pub(crate) async fn connect(client: &Client, channels: Channels) -> RedisResult<Self> {
        let subscription = if channels.are_sharded() {
            sharded(client).await?
        } else {
            let (sink, stream) = client.get_async_pubsub().await?.split();
            Subscription::Plain { sink, stream }
        };
        Ok(Self { channels, subscription })
    }

    /// One command for each channel: the driver takes the many answers to a command of sharded pub/sub for those of the
    /// commands after it.
    async fn each(&mut self, command: &str, topics: &[Topic]) -> RedisResult<()> {
        let Subscription::Sharded { connection, .. } = &mut self.subscription else { return Ok(()) };
        let mut pipe = redis::pipe();
        for topic in topics {
            pipe.cmd(command).arg(self.channels.name(topic)).ignore();
        }
        pipe.query_async(connection).await
    }

    fn names(&self, topics: &[Topic]) -> Vec<String> {
        topics.iter().map(|topic| self.channels.name(topic)).collect()
    }
}

#[async_trait]
impl Hearing for Subscriber {
    async fn subscribe(&mut self, topics: &[Topic]) -> Result<(), BrokerError> {
        let names = self.names(topics);
        let subscribed = match &mut self.subscription {
            Subscription::Plain { sink, .. } => sink.subscribe(names).await,
            Subscription::Sharded { .. } => self.each("SSUBSCRIBE", topics).await,
        };
        subscribed.map_err(BrokerError::new)
    }

    async fn unsubscribe(&mut self, topics: &[Topic]) -> Result<(), BrokerError> {
        let names = self.names(topics);
        let unsubscribed = match &mut self.subscription {
            Subscription::Plain { sink, .. } => sink.unsubscribe(names).await,
            Subscription::Sharded { .. } => self.each("SUNSUBSCRIBE", topics).await,
        };
        unsubscribed.map_err(BrokerError::new)
    }

    async fn next(&mut self) -> Result<Bytes, BrokerError> {
        let message = match &mut self.subscription {
            Subscription::Plain { stream, .. } => stream.next().await.ok_or_else(gone)?,
            Subscription::Sharded { pushed, full, .. } => message(pushed, full).await?,
        };
        message.get_payload::<Vec<u8>>().map(Bytes::from).map_err(BrokerError::new)
    }
}

async fn sharded(client: &Client) -> RedisResult<Subscription> {
    let (push, pushed) = mpsc::channel(PUSHED);
    let full = Arc::new(AtomicBool::new(false));
    let no_room = Arc::clone(&full);
    let sender = move |info: PushInfo| {
        // Answers to commands are pushed as well, and while it is subscribed nobody takes anything.
        if !matches!(info.kind, PushKind::SMessage | PushKind::Disconnection) {
            return Ok(());
        }
        let sent = push.try_send(info);
        if sent.is_err() {
            no_room.store(true, Ordering::Release);
        }
        sent
    };
    let info = client.get_connection_info();
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let client = Client::open(info.clone().set_redis_settings(settings))?;
    let config = AsyncConnectionConfig::new().set_push_sender(sender);
    let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    Ok(Subscription::Sharded { connection, pushed, full })
}

async fn message(pushed: &mut mpsc::Receiver<PushInfo>, full: &AtomicBool) -> Result<Msg, BrokerError> {
    if full.load(Ordering::Acquire) {
        return Err(BrokerError::new("more is said than is taken"));
    }
    // What tells of the end of the connection is no message.
    pushed.recv().await.and_then(Msg::from_push_info).ok_or_else(gone)
}

fn gone() -> BrokerError {
    BrokerError::new("the connection is gone")
}
