//! Who is told by webhooks: of what happens, and of what waits for people who are away. Making clients for it is
//! `webhooks`' part.

use std::time::Duration;

use parlance_domain::model::{WebhookKind, WebhookKinds};
use reqwest::Url;

use super::database_url::DatabaseUrl;
use super::layers::Layers;
use super::setting::Setting;
use super::value::choice;
use super::{ConfigError, needed, optional, setting, value};
use crate::webhooks::SigningKeys;

/// Somebody who is told.
#[derive(Debug, Clone)]
pub struct Receiver {
    /// Where they listen.
    pub url: DatabaseUrl,
    /// What is signed with.
    pub keys: SigningKeys,
}

/// The receiver of webhooks.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// Who it is.
    pub receiver: Receiver,
    /// What it is told of.
    pub kinds: WebhookKinds,
}

/// Which of people's preferences must allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// `pushNotifications`.
    Push,
    /// `emailNotifications`.
    Email,
}

/// The receiver of what waits for people who are away.
#[derive(Debug, Clone)]
pub struct NotificationWebhook {
    /// Who it is; `None` where nobody is told.
    pub receiver: Option<Receiver>,
    /// What people have to allow.
    pub preference: Preference,
    /// How long what is said in a conversation is gathered for one request.
    pub gathers: Duration,
}

/// What is written for preferences.
pub(super) const PREFERENCES: [(&str, Preference); 2] = [("push", Preference::Push), ("email", Preference::Email)];

impl Receiver {
    fn read(layers: &Layers, url: &Setting, problem: &'static str) -> Result<Option<Self>, ConfigError> {
        // Read even where they are of no use: a value that cannot be used is a slip worth hearing of.
        let keys = optional(layers, &setting::WEBHOOK_SECRETS, secrets)?;
        let Some(url) = optional(layers, url, address)? else { return Ok(None) };
        let keys = keys.ok_or(ConfigError::Missing { name: setting::WEBHOOK_SECRETS.name, problem })?;
        Ok(Some(Self { url, keys }))
    }
}

impl Webhooks {
    /// Reads what was given; `None` where nobody is told.
    pub(super) fn read(layers: &Layers) -> Result<Option<Self>, ConfigError> {
        let kinds = optional(layers, &setting::WEBHOOK_EVENTS, kinds)?.unwrap_or_else(WebhookKinds::all);
        let receiver = Receiver::read(layers, &setting::WEBHOOK_URL, "WEBHOOK_URL needs a secret to sign with")?;
        Ok(receiver.map(|receiver| Self { receiver, kinds }))
    }

    /// The names of the kinds, as they were given.
    pub(super) fn events(&self) -> String {
        self.kinds.iter().map(WebhookKind::name).collect::<Vec<_>>().join(",")
    }
}

impl NotificationWebhook {
    pub(super) fn read(layers: &Layers) -> Result<Self, ConfigError> {
        let problem = "NOTIFICATION_WEBHOOK_URL needs a secret to sign with";
        Ok(Self {
            receiver: Receiver::read(layers, &setting::NOTIFICATION_WEBHOOK_URL, problem)?,
            preference: needed(layers, &setting::NOTIFICATION_WEBHOOK_PREFERENCE, choice(PREFERENCES))?,
            gathers: needed(layers, &setting::NOTIFICATION_WEBHOOK_GATHERS, value::nonzero_duration)?,
        })
    }
}

/// An address. Problems do not repeat it: it may hold a password.
fn address(url: &str) -> Result<DatabaseUrl, String> {
    let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    match parsed {
        Some(_) => DatabaseUrl::new(url),
        None => Err("is not of the form https://HOST/PATH (http: inside one's own network)".to_owned()),
    }
}

fn secrets(text: &str) -> Result<SigningKeys, String> {
    text.parse().map_err(|error: crate::webhooks::InvalidSecrets| error.to_string())
}

fn kinds(text: &str) -> Result<WebhookKinds, String> {
    let kind = |name: &String| {
        let known = || WebhookKind::ALL.map(WebhookKind::name).join(", ");
        name.parse::<WebhookKind>().map_err(|_| format!("{name:?} is no event of webhooks ({})", known()))
    };
    value::words(text)?.iter().map(kind).collect()
}
