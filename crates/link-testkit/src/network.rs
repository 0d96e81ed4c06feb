//! A network as the cases see it, whatever it is made of.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parlance_domain::model::NodeId;
use parlance_domain::ports::{Heard, Link, Word};
use tokio::sync::mpsc;
use tokio::time::timeout;

/// How long a word may take.
const SOON: Duration = Duration::from_secs(10);

/// Makes links between nodes that nobody else is on.
#[async_trait]
pub trait Network: Send + Sync {
    /// A node comes. When this returns it hears what is said.
    async fn join(&self, node: NodeId) -> Member;
}

/// A node on a network.
pub struct Member {
    /// Its end of the link.
    pub link: Arc<dyn Link>,
    /// What it hears.
    pub heard: mpsc::Receiver<Heard>,
}

impl Member {
    /// The next thing that it hears.
    pub async fn hear(&mut self) -> Heard {
        timeout(SOON, self.heard.recv()).await.expect("something is heard soon").expect("the link is open")
    }

    /// The next word that it hears, and from whom.
    pub async fn word(&mut self) -> (NodeId, Word) {
        match self.hear().await {
            Heard::Word(node, word) => (node, word),
            Heard::Lost => panic!("nothing was lost"),
        }
    }
}
