//! Keys that an identity provider publishes (`AUTH_JWKS_URL`), kept between fetches. A token whose key is unknown has
//! them fetched again, at most once a minute; keys that are older than ten minutes are fetched again too, so that
//! one that was withdrawn does not stay for ever. While the endpoint is away the keys of before hold. How they are
//! fetched is `http`'s matter.

mod http;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jsonwebtoken::Header;
use parking_lot::RwLock;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::key::Key;
use crate::keys::NoKey;
use http::HttpKeys;

pub use http::{FetchError, InvalidUrl};

/// The least time from one fetch to the next.
const PAUSE: Duration = Duration::from_mins(1);
/// The same while there are no keys at all: nobody gets in until there are.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// When keys are fetched again although they fit.
const STALE_AFTER: Duration = Duration::from_mins(10);

/// There has been no key set yet.
#[derive(Debug, thiserror::Error)]
#[error("the keys of tokens could not be fetched yet")]
pub(crate) struct KeysUnavailable;

/// Where a key set comes from.
#[async_trait]
trait Source: Send + Sync {
    /// The usable keys of the set, at least one.
    async fn fetch(&self) -> Result<Vec<Key>, FetchError>;
}

/// The published keys of one issuer.
pub struct Jwks {
    source: Box<dyn Source>,
    cached: RwLock<Cached>,
    /// Held while the keys are fetched, by one caller at a time: when that was begun last.
    fetching: Mutex<Option<Instant>>,
}

#[derive(Default)]
struct Cached {
    keys: Vec<Arc<Key>>,
    /// When they came; `None` while there never were any.
    at: Option<Instant>,
}

impl Jwks {
    /// The key set at `url`. Nothing is fetched yet.
    ///
    /// # Errors
    /// [`InvalidUrl`] where it is no `https:` or `http:` address.
    pub fn at(url: &str) -> Result<Self, InvalidUrl> {
        Ok(Self::from(HttpKeys::new(url)?))
    }

    /// Whether `url` may be the address of a key set; it is not asked.
    ///
    /// # Errors
    /// [`InvalidUrl`], as from [`at`](Self::at).
    pub fn check(url: &str) -> Result<(), InvalidUrl> {
        http::address(url).map(|_| ())
    }

    fn from(source: impl Source + 'static) -> Self {
        Self { source: Box::new(source), cached: RwLock::default(), fetching: Mutex::new(None) }
    }

    /// Fetches the keys, at start: an address that does not work is better heard of then.
    ///
    /// # Errors
    /// [`FetchError`]; the keys are fetched again when the first token comes.
    pub async fn load(&self) -> Result<(), FetchError> {
        let mut begun = self.fetching.lock().await;
        self.fetch(&mut begun).await
    }

    /// Whether there are keys.
    pub fn is_loaded(&self) -> bool {
        self.cached.read().at.is_some()
    }

    /// The keys that fit, at least one. Who finds the keys old fetches them, and nobody else waits for that; who
    /// finds none waits for whoever fetches.
    pub(crate) async fn fitting(&self, header: &Header) -> Result<Vec<Arc<Key>>, NoKey> {
        let (found, stale) = self.look(header);
        if found.is_empty() {
            let mut begun = self.fetching.lock().await;
            // Whoever fetched while this one waited may have brought the key.
            if self.look(header).0.is_empty() {
                self.refresh(&mut begun).await;
            }
        } else if stale && let Ok(mut begun) = self.fetching.try_lock() {
            self.refresh(&mut begun).await;
        } else {
            return Ok(found);
        }
        match self.look(header).0 {
            found if !found.is_empty() => Ok(found),
            _ if self.is_loaded() => Err(NoKey::Refused("unknown key")),
            _ => Err(NoKey::Unavailable(KeysUnavailable)),
        }
    }

    fn look(&self, header: &Header) -> (Vec<Arc<Key>>, bool) {
        let cached = self.cached.read();
        let found = cached.keys.iter().filter(|key| key.fits(header)).cloned().collect();
        (found, cached.at.is_none_or(|at| at.elapsed() >= STALE_AFTER))
    }

    /// Fetches, unless that was done a moment ago.
    async fn refresh(&self, begun: &mut Option<Instant>) {
        let pause = if self.is_loaded() { PAUSE } else { FIRST_PAUSE };
        if begun.is_some_and(|begun| begun.elapsed() < pause) {
            return;
        }
        if let Err(error) = self.fetch(begun).await {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(%error, cause, "the keys of tokens cannot be fetched, those of before hold");
        }
    }

    async fn fetch(&self, begun: &mut Option<Instant>) -> Result<(), FetchError> {
        *begun = Some(Instant::now());
        let keys = self.source.fetch().await?;
        tracing::debug!(keys = keys.len(), "keys of tokens fetched");
        *self.cached.write() = Cached { keys: keys.into_iter().map(Arc::new).collect(), at: Some(Instant::now()) };
        Ok(())
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwks").field("keys", &self.cached.read().keys.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use jsonwebtoken::Algorithm;
    use jsonwebtoken::jwk::Jwk;
    use serde_json::json;

    use super::*;

    /// An endpoint that shows what it is told to, and counts who asks.
    #[derive(Clone, Default)]
    struct Endpoint(Arc<Shown>);

    #[derive(Default)]
    struct Shown {
        ids: parking_lot::Mutex<Option<Vec<&'static str>>>,
        asked: AtomicUsize,
    }

    impl Endpoint {
        fn shows(&self, ids: &[&'static str]) {
            *self.0.ids.lock() = Some(ids.to_vec());
        }

        fn is_down(&self) {
            *self.0.ids.lock() = None;
        }

        fn asked(&self) -> usize {
            self.0.asked.load(Ordering::Relaxed)
        }
    }

    #[async_trait]
    impl Source for Endpoint {
        async fn fetch(&self) -> Result<Vec<Key>, FetchError> {
            self.0.asked.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(10)).await;
            let ids = self.0.ids.lock().clone().ok_or(FetchError::Status(500))?;
            Ok(ids.iter().map(|id| key(id)).collect())
        }
    }

    fn key(id: &str) -> Key {
        let jwk: Jwk = serde_json::from_value(json!({
            "kty": "OKP", "crv": "Ed25519", "kid": id, "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }))
        .unwrap();
        Key::published(&jwk).unwrap()
    }

    fn header(id: Option<&str>) -> Header {
        Header { kid: id.map(str::to_owned), ..Header::new(Algorithm::EdDSA) }
    }

    async fn knows(jwks: &Jwks, id: &str) -> bool {
        jwks.fitting(&header(Some(id))).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_key_is_looked_for_once_a_minute_at_most() {
        let endpoint = Endpoint::default();
        let jwks = Jwks::from(endpoint.clone());
        endpoint.shows(&["one"]);
        assert!(knows(&jwks, "one").await);
        endpoint.shows(&["one", "two"]);
        for _ in 0..50 {
            assert!(!knows(&jwks, "two").await && !knows(&jwks, "never").await);
        }
        assert_eq!(endpoint.asked(), 1);
        tokio::time::advance(PAUSE).await;
        assert!(knows(&jwks, "two").await && knows(&jwks, "one").await);
        assert_eq!(endpoint.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_that_come_together_have_the_keys_fetched_once() {
        let endpoint = Endpoint::default();
        let jwks = Jwks::from(endpoint.clone());
        endpoint.shows(&["one"]);
        let header = header(Some("one"));
        let (a, b, c) = tokio::join!(jwks.fitting(&header), jwks.fitting(&header), jwks.fitting(&header));
        assert!(a.is_ok() && b.is_ok() && c.is_ok());
        assert_eq!(endpoint.asked(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_hold_while_the_endpoint_is_down_and_go_once_it_no_longer_shows_them() {
        let endpoint = Endpoint::default();
        let jwks = Jwks::from(endpoint.clone());
        endpoint.shows(&["one"]);
        assert!(knows(&jwks, "one").await);
        endpoint.is_down();
        tokio::time::advance(STALE_AFTER * 10).await;
        for _ in 0..50 {
            assert!(knows(&jwks, "one").await);
        }
        assert_eq!(endpoint.asked(), 2, "it is not asked more often for being down");
        endpoint.shows(&["two"]);
        tokio::time::advance(PAUSE).await;
        assert!(!knows(&jwks, "one").await, "withdrawn");
        assert!(knows(&jwks, "two").await);
    }

    #[tokio::test(start_paused = true)]
    async fn without_any_keys_yet_a_token_is_not_refused_but_put_off() {
        let endpoint = Endpoint::default();
        let jwks = Jwks::from(endpoint.clone());
        assert!(jwks.load().await.is_err() && !jwks.is_loaded());
        assert!(matches!(jwks.fitting(&header(Some("one"))).await, Err(NoKey::Unavailable(_))));
        assert_eq!(endpoint.asked(), 1);
        endpoint.shows(&["one"]);
        tokio::time::advance(FIRST_PAUSE).await;
        assert!(knows(&jwks, "one").await && jwks.is_loaded());
        assert!(matches!(jwks.fitting(&header(Some("two"))).await, Err(NoKey::Refused("unknown key"))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_names_no_key_may_be_of_any() {
        let endpoint = Endpoint::default();
        let jwks = Jwks::from(endpoint.clone());
        endpoint.shows(&["one", "two"]);
        assert_eq!(jwks.fitting(&header(None)).await.map(|keys| keys.len()).ok(), Some(2));
        assert_eq!(jwks.fitting(&header(Some("two"))).await.map(|keys| keys.len()).ok(), Some(1));
    }
}
