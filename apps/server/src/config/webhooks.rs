//! Who is told of what happens by webhooks. Making a client for it is `webhooks`' part.

use parlance_domain::model::{WebhookKind, WebhookKinds};
use reqwest::Url;

use super::database_url::DatabaseUrl;
use super::layers::Layers;
use super::{ConfigError, optional, setting, value};
use crate::webhooks::SigningKeys;

/// The receiver of webhooks.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// Where it listens.
    pub url: DatabaseUrl,
    /// What is signed with.
    pub keys: SigningKeys,
    /// What it is told of.
    pub kinds: WebhookKinds,
}

impl Webhooks {
    /// Reads what was given; `None` where nobody is told.
    pub(super) fn read(layers: &Layers) -> Result<Option<Self>, ConfigError> {
        // Read even where they are of no use: a value that cannot be used is a slip worth hearing of.
        let keys = optional(layers, &setting::WEBHOOK_SECRETS, secrets)?;
        let kinds = optional(layers, &setting::WEBHOOK_EVENTS, kinds)?.unwrap_or_else(WebhookKinds::all);
        let Some(url) = optional(layers, &setting::WEBHOOK_URL, receiver)? else { return Ok(None) };
        let keys = keys.ok_or(ConfigError::Missing {
            name: setting::WEBHOOK_SECRETS.name,
            problem: "WEBHOOK_URL needs a secret to sign with",
        })?;
        Ok(Some(Self { url, keys, kinds }))
    }

    /// The names of the kinds, as they were given.
    pub(super) fn events(&self) -> String {
        self.kinds.iter().map(WebhookKind::name).collect::<Vec<_>>().join(",")
    }
}

/// An address. Problems do not repeat it: it may hold a password.
fn receiver(url: &str) -> Result<DatabaseUrl, String> {
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
