//! The link to other nodes, where the configuration names one. Without it nothing here costs anything.

use std::sync::Arc;

use async_trait::async_trait;
use parlance_cluster_link::Options;
use parlance_domain::event::Event;
use parlance_domain::model::NodeId;
use parlance_domain::ports::{EventBus, Heard, Link, Topic, Word};
use parlance_domain::services::{ClusterBus, LocalBus, Relay, RelayEnds};
use parlance_rest::Probe;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::config::{Cluster, Config, ConfigError, DatabaseAt, Engine};
use crate::system::random_bytes;

/// A link, and what is heard on it.
pub(crate) struct Linked {
    pub(crate) link: Arc<dyn Link>,
    engine: Engine,
    heard: mpsc::Receiver<Heard>,
}

impl Linked {
    /// Links this node to the others, if there are to be any.
    pub(crate) async fn open(config: &Config) -> Result<Option<Self>, ConfigError> {
        let Some(Cluster { engine, url, prefix }) = &config.cluster else { return Ok(None) };
        // The one that is alone is number 0.
        let node = NodeId(u32::from_be_bytes(random_bytes()).max(1));
        let options = Options { node, prefix: prefix.clone() };
        let refused = |problem: &dyn std::error::Error| {
            config.refuse(engine.url_setting().name, url.redact(&problem.to_string()))
        };
        let (link, heard) = match engine {
            Engine::Redis => {
                parlance_cluster_redis::connect(url.reveal(), options).await.map_err(|error| refused(&error))?
            }
            Engine::Nats => {
                parlance_cluster_nats::connect(url.reveal(), options).await.map_err(|error| refused(&error))?
            }
        };
        tracing::info!(%node, link = engine.name(), "one node among others");
        Ok(Some(Self { link, engine: *engine, heard }))
    }

    /// Refuses a storage that no other node can share.
    pub(crate) fn check(config: &Config) -> Result<(), ConfigError> {
        match (&config.cluster, &config.database.at) {
            (Some(Cluster { engine, .. }), DatabaseAt::Memory | DatabaseAt::Sqlite { .. }) => {
                let setting = engine.url_setting().name;
                Err(config.refuse(setting, "several nodes need one PostgreSQL or MongoDB (DATABASE_URL)"))
            }
            _ => Ok(()),
        }
    }

    /// The bus to publish on: the one of this node alone, or of all.
    pub(crate) fn bus(linked: Option<&Self>, local: &Arc<LocalBus>) -> Arc<dyn EventBus> {
        match linked {
            Some(Self { link, .. }) => ClusterBus::new(Arc::clone(local), Arc::clone(link)),
            None => Arc::clone(local) as _,
        }
    }

    /// What says whether words get through.
    pub(crate) fn probe(&self) -> Arc<dyn Probe> {
        Arc::new(LinkProbe { link: Arc::clone(&self.link), engine: self.engine })
    }

    /// Puts the relay between the bus and the delivery: what comes out is to be delivered.
    pub(crate) fn relay(
        self,
        relay: Box<Relay>,
        local: mpsc::Receiver<Arc<Event>>,
        capacity: usize,
        tasks: &mut JoinSet<()>,
    ) -> mpsc::Receiver<Arc<Event>> {
        let (delivery, relayed) = mpsc::channel(capacity);
        tasks.spawn(relay.run(RelayEnds { local, heard: self.heard, delivery }));
        relayed
    }
}

/// Tells the other nodes that this one goes, and brings what was said.
pub(crate) async fn say_farewell(link: &dyn Link) {
    link.say(&Topic::Everyone, Word::Farewell);
    link.close().await;
}

/// Says whether words get through to other nodes. The node works without.
struct LinkProbe {
    link: Arc<dyn Link>,
    engine: Engine,
}

#[async_trait]
impl Probe for LinkProbe {
    fn name(&self) -> &'static str {
        self.engine.name()
    }

    fn is_needed(&self) -> bool {
        false
    }

    async fn answers(&self) -> bool {
        *self.link.health().borrow()
    }
}
