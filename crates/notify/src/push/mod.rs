//! Web push: a digest is one message to each browser that subscribed, encrypted for it (`sealing`), signed for its push
//! service (`vapid`), and sent to no address inside our own network (`endpoint`). A newer message of a conversation takes
//! the place of one that has not been fetched.

mod endpoint;
mod payload;
mod sealing;
mod vapid;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures::future::join_all;
use parlance_domain::model::{Address, Preferences};
use parlance_domain::ports::{
    ChannelError, Clock, Delivered, Digest, NotificationChannel, PUSH, Subscription, WebPush,
};
use parlance_domain::{Error, Result};
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde::{Deserialize, Serialize};

pub use self::endpoint::Reachable;
use self::sealing::Recipient;
pub use self::vapid::{InvalidVapidKey, VapidKey};

/// How long what is said in a conversation is gathered for one message: a burst is one.
const GATHERS: Duration = Duration::from_secs(1);
/// How long a push service may take. Whoever subscribes names it, and others wait behind one that is slow on purpose.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many people are told at a time, each in all of their browsers.
const AT_ONCE: usize = 64;
/// How long it keeps a message for a browser that is off, in seconds.
const TTL_SECONDS: &str = "86400";

/// What push needs to know.
#[derive(Clone)]
pub struct PushSettings {
    /// The key by which push services know this server.
    pub key: VapidKey,
    /// Whom they turn to, as `mailto:` or `https:`.
    pub contact: String,
    /// Which endpoints are called.
    pub reachable: Reachable,
    /// Until when signatures hold.
    pub clock: Arc<dyn Clock>,
}

/// Web push cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("no client can be made for push services")]
pub struct NoClient(#[source] reqwest::Error);

/// The channel `push`.
pub struct Push {
    client: Client,
    settings: PushSettings,
    public_key: String,
}

/// What is kept beside an endpoint.
#[derive(Serialize, Deserialize)]
struct Keys {
    p256dh: String,
    auth: String,
}

/// What has become of a message.
enum Sent {
    Taken,
    Gone,
    /// The push service will refuse it again.
    Refused(u16),
    /// It may not.
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

#[derive(Debug, thiserror::Error)]
#[error("the push service answers with status {0}")]
struct Status(u16);

impl Push {
    /// A channel to all push services, each of which is first asked when there is something to send.
    ///
    /// # Errors
    /// [`NoClient`] where the TLS of the process cannot be used.
    pub fn new(settings: PushSettings) -> std::result::Result<Self, NoClient> {
        // Somebody else may have chosen a provider for the process: theirs is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(PATIENCE)
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(settings.reachable))
            .build()
            .map_err(NoClient)?;
        let public_key = settings.key.public_key();
        Ok(Self { client, settings, public_key })
    }

    async fn send(&self, address: &Address, topic: &str, message: &[u8]) -> Sent {
        // Where it is none, it was taken under other settings.
        let Ok(endpoint) = self.settings.reachable.endpoint(&address.target) else { return Sent::Gone };
        let recipient = serde_json::from_str::<Keys>(&address.extra).ok().and_then(|keys| recipient(&keys));
        let Some(recipient) = recipient else { return Sent::Gone };
        let sealed = match recipient.seal(message) {
            Ok(sealed) => sealed,
            Err(error) => return Sent::Failed(Box::new(error)),
        };
        match self.post(endpoint, topic, sealed).await {
            Ok(200..=299) => Sent::Taken,
            Ok(404 | 410) => Sent::Gone,
            Ok(status @ (408 | 429 | 500..=599)) => Sent::Failed(Box::new(Status(status))),
            Ok(status) => Sent::Refused(status),
            // The endpoint is a key to somebody's browser.
            Err(error) => Sent::Failed(Box::new(error.without_url())),
        }
    }

    async fn post(&self, endpoint: Url, topic: &str, sealed: Vec<u8>) -> std::result::Result<u16, reqwest::Error> {
        let PushSettings { key, contact, clock, .. } = &self.settings;
        let authorization = key.authorization(&endpoint.origin().ascii_serialization(), contact, clock.now());
        let request = self.client.post(endpoint).header(AUTHORIZATION, authorization);
        let request = request.header(CONTENT_TYPE, "application/octet-stream").header(CONTENT_ENCODING, "aes128gcm");
        let request = request.header("TTL", TTL_SECONDS).header("Urgency", "normal").header("Topic", topic);
        Ok(request.body(sealed).send().await?.status().as_u16())
    }
}

fn recipient(keys: &Keys) -> Option<Recipient> {
    let decoded = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
    Recipient::new(&decoded(&keys.p256dh)?, &decoded(&keys.auth)?)
}

impl WebPush for Push {
    fn public_key(&self) -> &str {
        &self.public_key
    }

    fn address(&self, subscription: &Subscription) -> Result<Address> {
        let Subscription { endpoint, p256dh, auth } = subscription;
        if endpoint.len() > Address::MAX_TARGET_BYTES {
            return Err(Error::validation("endpoint", "must have at most 2048 bytes"));
        }
        self.settings.reachable.endpoint(endpoint).map_err(|problem| Error::validation("endpoint", problem))?;
        let keys = Keys { p256dh: p256dh.clone(), auth: auth.clone() };
        if recipient(&keys).is_none() {
            return Err(Error::validation(
                "keys",
                "must be p256dh, a point of P-256, and auth, 16 bytes, as base64url",
            ));
        }
        let extra = serde_json::to_string(&keys).map_err(Error::internal)?;
        Ok(Address { target: endpoint.clone(), extra })
    }
}

#[async_trait]
impl NotificationChannel for Push {
    fn name(&self) -> &'static str {
        PUSH
    }

    fn is_wanted(&self, preferences: &Preferences) -> bool {
        preferences.push
    }

    fn gathers(&self) -> Duration {
        GATHERS
    }

    fn at_once(&self) -> usize {
        AT_ONCE
    }

    async fn deliver(&self, digest: &Digest) -> std::result::Result<Delivered, ChannelError> {
        let (topic, message) = payload::write(digest).map_err(|error| ChannelError::Refused(error.into()))?;
        let mut delivered = Delivered::default();
        let (mut taken, mut failed, mut refused) = (0, None, None);
        let mut sending = Vec::with_capacity(digest.addresses.len());
        for address in &digest.addresses {
            sending.push(self.send(address, &topic, &message));
        }
        for (address, sent) in digest.addresses.iter().zip(join_all(sending).await) {
            match sent {
                Sent::Taken => taken += 1,
                Sent::Gone => delivered.gone.push(address.target.clone()),
                Sent::Refused(status) => refused = Some(Status(status)),
                Sent::Failed(error) => failed = Some(error),
            }
        }
        // One browser that was told is enough: trying again would ring there once more.
        match (taken, failed, refused) {
            (0, Some(error), _) => Err(ChannelError::Later(error)),
            (0, None, Some(status)) => Err(ChannelError::Refused(Box::new(status))),
            _ => Ok(delivered),
        }
    }
}
