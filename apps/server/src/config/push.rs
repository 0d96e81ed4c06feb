//! How browsers are reached that are closed: by which key push services know this server, and whom they turn to.

use parlance_notify::{Reachable, VapidKey};

use super::layers::Layers;
use super::value::{self, choice};
use super::{ConfigError, needed, optional, setting};

/// What web push needs.
#[derive(Debug, Clone)]
pub struct PushConfig {
    /// The key by which push services know this server; `None` where browsers are not told.
    pub key: Option<VapidKey>,
    /// Whom push services turn to; there is one where there is a key.
    pub contact: Option<String>,
    /// Which endpoints are called.
    pub reachable: Reachable,
}

/// What is written for addresses of one's own network.
const PRIVATE: [(&str, Reachable); 2] = [("off", Reachable::Public), ("on", Reachable::Everything)];

impl PushConfig {
    pub(super) fn read(layers: &Layers) -> Result<Self, ConfigError> {
        let key = optional(layers, &setting::VAPID_PRIVATE_KEY, |text| {
            text.parse().map_err(|error: parlance_notify::InvalidVapidKey| error.to_string())
        })?;
        let contact = optional(layers, &setting::VAPID_SUBJECT, contact)?;
        let reachable = needed(layers, &setting::PUSH_PRIVATE_ADDRESSES, choice(PRIVATE))?;
        if key.is_some() && contact.is_none() {
            let problem = "VAPID_PRIVATE_KEY goes with it";
            return Err(ConfigError::Missing { name: setting::VAPID_SUBJECT.name, problem });
        }
        Ok(Self { key, contact, reachable })
    }
}

fn contact(text: &str) -> Result<String, String> {
    let text = value::text(text)?;
    let known =
        text.strip_prefix("mailto:").is_some_and(|address| address.contains('@')) || text.starts_with("https://");
    if known { Ok(text) } else { Err(format!("{text:?} is neither mailto:ADDRESS nor https://HOST")) }
}
