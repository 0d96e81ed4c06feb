//! NATS as a broker, and how a link on it is made.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use parlance_cluster_link::{Broker, BrokerError, BrokerLink, Hearing, Options, Publishing};
use parlance_domain::ports::{Heard, Link, Topic};
use tokio::sync::mpsc;

use crate::connection::Connection;
use crate::servers::{ConnectError, Servers};
use crate::subjects::Subjects;

/// Connects to `nats://[USER:PASSWORD@]HOST[:PORT][,HOST…]`, or `tls://…`; a password without a name is a token. Of several
/// hosts, which are one cluster, the first that answers is used. A NATS that is not there is waited for in the background.
/// What is heard comes out at the second part.
///
/// # Errors
/// [`ConnectError`] for a URL or a prefix that is none.
pub async fn connect(url: &str, options: Options) -> Result<(Arc<dyn Link>, mpsc::Receiver<Heard>), ConnectError> {
    let nats = Nats { servers: Servers::read(url)?, subjects: Subjects::new(&options.prefix)? };
    let (link, heard) = BrokerLink::connect(nats, options.node).await;
    Ok((link, heard))
}

/// NATS, wherever it is.
struct Nats {
    servers: Servers,
    subjects: Subjects,
}

#[async_trait]
impl Broker for Nats {
    type Publishing = Publisher;
    type Hearing = Subscriber;

    fn name(&self) -> &'static str {
        "NATS"
    }

    async fn publishing(&self) -> Result<Publisher, BrokerError> {
        Ok(Publisher { connection: self.servers.connect().await?, subjects: self.subjects.clone() })
    }

    async fn hearing(&self) -> Result<Subscriber, BrokerError> {
        let connection = self.servers.connect().await?;
        Ok(Subscriber { connection, subjects: self.subjects.clone(), subscribed: HashMap::new(), last: 0 })
    }
}

/// Publishes words.
struct Publisher {
    connection: Connection,
    subjects: Subjects,
}

#[async_trait]
impl Publishing for Publisher {
    fn max_word_bytes(&self) -> usize {
        self.connection.max_payload()
    }

    async fn publish(&mut self, words: Vec<(Topic, Bytes)>) -> Result<(), BrokerError> {
        for (topic, word) in words {
            self.connection.commands().publish(&self.subjects.name(&topic), &word);
        }
        self.connection.settle().await
    }
}

/// Hears words.
struct Subscriber {
    connection: Connection,
    subjects: Subjects,
    /// Subscriptions by their numbers, the last of which was this.
    subscribed: HashMap<Topic, u64>,
    last: u64,
}

#[async_trait]
impl Hearing for Subscriber {
    async fn subscribe(&mut self, topics: &[Topic]) -> Result<(), BrokerError> {
        for topic in topics {
            self.last += 1;
            self.connection.commands().subscribe(&self.subjects.name(topic), self.last);
            self.subscribed.insert(topic.clone(), self.last);
        }
        self.connection.settle().await
    }

    async fn unsubscribe(&mut self, topics: &[Topic]) -> Result<(), BrokerError> {
        for number in topics.iter().filter_map(|topic| self.subscribed.remove(topic)) {
            self.connection.commands().unsubscribe(number);
        }
        self.connection.settle().await
    }

    async fn next(&mut self) -> Result<Bytes, BrokerError> {
        self.connection.next().await
    }
}
