//! Opens the channels that the configuration names, beside those that were handed in, on what the storage keeps for them.

use std::sync::Arc;

use parlance_domain::ports::{Clock, NotificationChannel, WebPush};
use parlance_domain::services::Reach;
use parlance_notify::{InvalidMail, Mail, MailSettings, Push, PushSettings, UnsubscribeKeys};

use crate::config::{Config, ConfigError, MAIL_FROM, NOTIFICATION_WEBHOOK_URL, SMTP_URL, VAPID_PRIVATE_KEY};
use crate::webhooks;

/// What the key of links is made for.
const LINKS: &str = "parlance unsubscribe links";

/// What reaches people who are not there.
pub(crate) struct Channels {
    pub(crate) reach: Option<Reach>,
    /// The links that mails have.
    pub(crate) links: Option<Arc<UnsubscribeKeys>>,
}

impl Channels {
    /// Opens what is configured. `kept` is where addresses and errands are, if the storage has them.
    pub(crate) fn open(
        config: &Config,
        kept: Option<Reach>,
        own: Vec<Arc<dyn NotificationChannel>>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let mut channels = own;
        let mut asked_by = None;
        let mut links = None;
        if let Some((mail, keys)) = mail(config)? {
            asked_by.get_or_insert(SMTP_URL);
            channels.push(Arc::new(mail));
            links = Some(Arc::new(keys));
        }
        let push = push(config, clock)?.map(Arc::new);
        if let Some(push) = &push {
            asked_by.get_or_insert(VAPID_PRIVATE_KEY);
            channels.push(push.clone());
        }
        if let Some(webhook) = webhooks::channel(config)? {
            asked_by.get_or_insert(NOTIFICATION_WEBHOOK_URL);
            channels.push(Arc::new(webhook));
        }
        if kept.is_none() && !channels.is_empty() {
            let problem = "the storage that was handed in keeps nothing for channels: hand in a `Reach` as well";
            return Err(config.refuse(asked_by.unwrap_or(config.database_setting()), problem));
        }
        let push = push.map(|push| push as Arc<dyn WebPush>);
        // One that was handed in stays, unless the configuration has its own.
        let reach = kept.map(|kept| Reach { channels, push: push.or(kept.push), ..kept });
        Ok(Self { reach, links })
    }
}

/// E-mail with the keys of its links, where it is configured.
fn mail(config: &Config) -> Result<Option<(Mail, UnsubscribeKeys)>, ConfigError> {
    let mail = &config.mail;
    let (Some(server), Some(from), Some(public_url)) = (&mail.server, &mail.from, &mail.public_url) else {
        return Ok(None);
    };
    let keys = if let Some(secret) = &mail.link_secret {
        UnsubscribeKeys::new(secret.key_for(LINKS), [])
    } else {
        let previous = config.tokens.previous_secret.as_ref().map(|secret| secret.key_for(LINKS));
        UnsubscribeKeys::new(config.signing_secret()?.key_for(LINKS), previous)
    };
    let settings = MailSettings {
        server: server.reveal().to_owned(),
        from: from.clone(),
        public_url: public_url.clone(),
        conversation_link: mail.conversation_link.clone(),
        gathers: mail.gathers,
        keys: keys.clone(),
    };
    let opened = Mail::new(settings).map_err(|error| {
        let setting = if matches!(error, InvalidMail::From) { MAIL_FROM } else { SMTP_URL };
        config.refuse(setting, error)
    })?;
    Ok(Some((opened, keys)))
}

/// Web push, where it is configured.
fn push(config: &Config, clock: &Arc<dyn Clock>) -> Result<Option<Push>, ConfigError> {
    let (Some(key), Some(contact)) = (&config.push.key, &config.push.contact) else { return Ok(None) };
    let settings = PushSettings {
        key: key.clone(),
        contact: contact.clone(),
        reachable: config.push.reachable,
        clock: Arc::clone(clock),
    };
    Push::new(settings).map(Some).map_err(|error| config.refuse(VAPID_PRIVATE_KEY, error))
}
