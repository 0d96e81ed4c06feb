//! Webhooks over HTTP: the sender that the configuration names, and the dead letters for those who look at them from
//! the command line. When what is sent, and how often, is the domain's part.

mod sender;
mod signing;

use std::sync::Arc;

use parlance_domain::services::{DeadLetters, WebhookReceiver};

pub(crate) use signing::{InvalidSecrets, SigningKeys};

use crate::config::{Config, ConfigError, WEBHOOK_URL};
use crate::storage::Opened;
use crate::system::SystemClock;
use sender::HttpSender;

/// The receiver that the configuration names, if there is to be any; `storage` must have an outbox then.
pub(crate) fn receiver(config: &Config, storage: &Opened) -> Result<Option<WebhookReceiver>, ConfigError> {
    let Some(webhooks) = &config.webhooks else { return Ok(None) };
    if storage.outbox.is_none() {
        return Err(config.refuse(WEBHOOK_URL, "webhooks need a storage that keeps an outbox, which this one does not"));
    }
    let url = &webhooks.url;
    if url.reveal().starts_with("http:") {
        tracing::warn!("WEBHOOK_URL is http: what people write goes to the receiver in the clear");
    }
    let sender = HttpSender::new(url.reveal(), webhooks.keys.clone(), Arc::new(SystemClock));
    let sender = sender.map_err(|error| config.refuse(WEBHOOK_URL, url.redact(&error.to_string())))?;
    Ok(Some(WebhookReceiver { sender: Arc::new(sender), kinds: webhooks.kinds }))
}

/// The dead letters of the storage that the configuration names, which a server may use at the same time.
pub struct DeadLetterBox {
    letters: DeadLetters,
    storage: Opened,
}

impl DeadLetterBox {
    /// Opens the storage.
    ///
    /// # Errors
    /// [`ConfigError`], if the configuration names a storage that cannot be had.
    pub async fn open(config: &Config) -> Result<Self, ConfigError> {
        let storage = Opened::open_whole(config).await?;
        match storage.outbox.clone() {
            Some(outbox) => Ok(Self { letters: DeadLetters::new(outbox, Arc::new(SystemClock)), storage }),
            None => Err(config.refuse(config.database_setting(), "this storage keeps no outbox")),
        }
    }

    /// What is in it.
    pub fn letters(&self) -> &DeadLetters {
        &self.letters
    }

    /// Lets go of files and connections.
    pub async fn close(self) {
        self.storage.close().await;
    }
}
