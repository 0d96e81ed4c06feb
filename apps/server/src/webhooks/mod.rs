//! Webhooks over HTTP: the senders that the configuration names, one of what happens and one of what waits for people who
//! are away, and the dead letters for those who look at them from the command line. When what is sent, and how often, is
//! the domain's part.

mod sender;
mod signing;
mod waiting;

use std::sync::Arc;

use parlance_domain::services::{DeadLetters, WebhookReceiver};

pub(crate) use signing::{InvalidSecrets, SigningKeys};
pub(crate) use waiting::WaitingSender;

use crate::config::{Config, ConfigError, NOTIFICATION_WEBHOOK_URL, NotificationWebhook, Receiver, WEBHOOK_URL};
use crate::storage::Opened;
use crate::system::SystemClock;
use sender::HttpSender;

/// The receiver that the configuration names, if there is to be any; `storage` must have an outbox then.
pub(crate) fn receiver(config: &Config, storage: &Opened) -> Result<Option<WebhookReceiver>, ConfigError> {
    let Some(webhooks) = &config.webhooks else { return Ok(None) };
    if storage.outbox.is_none() {
        return Err(config.refuse(WEBHOOK_URL, "webhooks need a storage that keeps an outbox, which this one does not"));
    }
    let sender = sender(config, WEBHOOK_URL, &webhooks.receiver)?;
    Ok(Some(WebhookReceiver { sender: Arc::new(sender), kinds: webhooks.kinds }))
}

/// The channel to whom the configuration names for what waits for people who are away, if there is anybody.
pub(crate) fn channel(config: &Config) -> Result<Option<WaitingSender>, ConfigError> {
    let NotificationWebhook { receiver, preference, gathers } = &config.notification_webhook;
    let Some(receiver) = receiver else { return Ok(None) };
    let sender = sender(config, NOTIFICATION_WEBHOOK_URL, receiver)?;
    Ok(Some(WaitingSender { sender, preference: *preference, gathers: *gathers }))
}

fn sender(config: &Config, setting: &'static str, receiver: &Receiver) -> Result<HttpSender, ConfigError> {
    let Receiver { url, keys } = receiver;
    if url.reveal().starts_with("http:") {
        tracing::warn!("{setting} is http: what people write goes to the receiver in the clear");
    }
    let sender = HttpSender::new(url.reveal(), keys.clone(), Arc::new(SystemClock));
    sender.map_err(|error| config.refuse(setting, url.redact(&error.to_string())))
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
