//! Redis as a broker, and how a link on it is made.

use std::sync::Arc;

use async_trait::async_trait;
use parlance_cluster_link::{Broker, BrokerError, BrokerLink, Options};
use parlance_domain::ports::{Heard, Link};
use tokio::sync::mpsc;

use crate::channels::Channels;
use crate::hearing::Subscriber;
use crate::place::Place;
use crate::publishing::Publisher;

/// Why a link cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("not a URL of Redis")]
pub struct ConnectError(#[source] redis::RedisError);

/// Connects to `redis://[USER:PASSWORD@]HOST[:PORT]`; to the server that Sentinels name,
/// `redis+sentinel://[USER:PASSWORD@]HOST[:PORT],…/SERVICE`; or to a Redis Cluster,
/// `redis-cluster://[USER:PASSWORD@]HOST[:PORT],…`. With `rediss` it is TLS. User and password are the server's, and
/// those of Sentinels that want any. A Redis that is not there is waited for in the background. What is heard comes out at the second part.
///
/// # Errors
/// [`ConnectError`] for a URL that is none.
pub async fn connect(url: &str, options: Options) -> Result<(Arc<dyn Link>, mpsc::Receiver<Heard>), ConnectError> {
    let place = Place::read(url).map_err(ConnectError)?;
    let channels = Channels::new(&options.prefix, place.is_cluster());
    let (link, heard) = BrokerLink::connect(Redis { place, channels }, options.node).await;
    Ok((link, heard))
}

/// Redis, wherever it is.
struct Redis {
    place: Place,
    channels: Channels,
}

impl Redis {
    async fn primary(&self) -> Result<redis::Client, BrokerError> {
        self.place.primary(self.channels.any()).await.map_err(BrokerError::new)
    }
}

#[async_trait]
impl Broker for Redis {
    type Publishing = Publisher;
    type Hearing = Subscriber;

    fn name(&self) -> &'static str {
        "Redis"
    }

    async fn publishing(&self) -> Result<Publisher, BrokerError> {
        Publisher::connect(&self.primary().await?, self.channels.clone()).await.map_err(BrokerError::new)
    }

    async fn hearing(&self) -> Result<Subscriber, BrokerError> {
        Subscriber::connect(&self.primary().await?, self.channels.clone()).await.map_err(BrokerError::new)
    }
}
