//! Fetches a key set over HTTP: bounded in size and time, without following redirects (a key set that moves is a
//! setting that has to change). Of the set only keys for signatures of supported kinds are kept.

use std::time::Duration;

use async_trait::async_trait;
use jsonwebtoken::jwk::Jwk;
use reqwest::header::{ACCEPT, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use serde_json::Value;

use super::Source;
use crate::key::Key;

/// How long a fetch may take in all: somebody waits for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest key set. Real ones have a few thousand bytes.
const MAX_BYTES: usize = 256 * 1024;
/// The most keys of a set that are kept: a token that names none is tried with each.
const MAX_KEYS: usize = 32;

/// Not the address of a key set.
#[derive(Debug, thiserror::Error)]
pub enum InvalidUrl {
    /// Must be of the form `https://…`.
    #[error("is not of the form https://HOST/PATH (http: inside one's own network)")]
    Form,
    /// There is no client for it.
    #[error("no client can be made for it")]
    Client(#[source] reqwest::Error),
}

/// Why there are no new keys.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The endpoint did not answer, or not in time.
    #[error("the endpoint does not answer")]
    Unreachable(#[source] reqwest::Error),
    /// It answered with another status than 200.
    #[error("the endpoint answers with status {0}")]
    Status(u16),
    /// The answer is too large.
    #[error("the key set has more than {MAX_BYTES} bytes")]
    TooLarge,
    /// The answer is no key set.
    #[error("the answer is no key set")]
    NotAKeySet,
    /// The set is empty, or has keys of other kinds only.
    #[error("the key set has no usable key")]
    NoKeys,
}

/// A key set behind an address.
pub(super) struct HttpKeys {
    client: Client,
    url: Url,
}

impl HttpKeys {
    pub(super) fn new(url: &str) -> Result<Self, InvalidUrl> {
        let url = address(url)?;
        // Somebody else may have chosen a provider for the process: theirs is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy().build();
        Ok(Self { client: client.map_err(InvalidUrl::Client)?, url })
    }
}

pub(super) fn address(url: &str) -> Result<Url, InvalidUrl> {
    let url = Url::parse(url).map_err(|_| InvalidUrl::Form)?;
    if matches!(url.scheme(), "https" | "http") && url.has_host() { Ok(url) } else { Err(InvalidUrl::Form) }
}

#[async_trait]
impl Source for HttpKeys {
    async fn fetch(&self) -> Result<Vec<Key>, FetchError> {
        let accept = HeaderValue::from_static("application/jwk-set+json, application/json");
        let response = self.client.get(self.url.clone()).header(ACCEPT, accept).send().await.map_err(unreachable)?;
        if response.status().as_u16() != 200 {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        keys(&body(response).await?)
    }
}

async fn body(mut response: Response) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The address may hold a key of its own.
fn unreachable(error: reqwest::Error) -> FetchError {
    FetchError::Unreachable(error.without_url())
}

fn keys(body: &[u8]) -> Result<Vec<Key>, FetchError> {
    let mut set: Value = serde_json::from_slice(body).map_err(|_| FetchError::NotAKeySet)?;
    let Some(Value::Array(listed)) = set.get_mut("keys").map(Value::take) else { return Err(FetchError::NotAKeySet) };
    let mut keys = Vec::new();
    for entry in listed {
        // One by one: a key of a kind that nobody knows yet must not take the others with it.
        match serde_json::from_value::<Jwk>(entry).map(|jwk| Key::published(&jwk)) {
            Ok(Ok(key)) => keys.push(key),
            Ok(Err(why)) => tracing::debug!(%why, "a published key is passed over"),
            Err(_) => tracing::debug!("a published key cannot be read"),
        }
    }
    if keys.len() > MAX_KEYS {
        tracing::warn!(keys = keys.len(), kept = MAX_KEYS, "the key set has more keys than are kept");
        keys.truncate(MAX_KEYS);
    }
    if keys.is_empty() { Err(FetchError::NoKeys) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    fn count(set: &Value) -> Option<usize> {
        keys(set.to_string().as_bytes()).ok().map(|keys| keys.len())
    }

    #[test]
    fn only_keys_for_signatures_are_kept() {
        let good = json!({"kty": "OKP", "crv": "Ed25519", "x": X});
        let with = |name: &str, value: Value| {
            let mut key = good.clone();
            key[name] = value;
            key
        };
        assert_eq!(count(&json!({ "keys": [good] })), Some(1));
        assert_eq!(count(&json!({ "keys": [with("use", json!("sig")), with("key_ops", json!(["verify"]))] })), Some(2));
        let others = json!([
            with("use", json!("enc")),
            with("key_ops", json!(["encrypt"])),
            with("alg", json!("RS256")),
            with("alg", json!("none")),
            with("x", json!("AAAA")),
            with("crv", json!("Ed448")),
            with("kty", json!("PQC")),
            {"kty": "oct", "k": "c2VjcmV0"},
            {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
            {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
            {}, 7, null, "key",
        ]);
        for other in others.as_array().unwrap() {
            assert_eq!(count(&json!({ "keys": [other] })), None, "{other}");
            assert_eq!(count(&json!({ "keys": [other, good] })), Some(1), "{other} takes a good one with it");
        }
    }

    #[test]
    fn what_is_no_key_set_is_said_so() {
        for text in ["", "[]", "{}", r#"{"keys": {}}"#, "<html>"] {
            assert!(matches!(keys(text.as_bytes()), Err(FetchError::NotAKeySet)), "{text}");
        }
        assert!(matches!(keys(br#"{"keys": []}"#), Err(FetchError::NoKeys)));
    }

    #[test]
    fn so_many_keys_and_no_more() {
        let many: Vec<Value> =
            (0..100).map(|n| json!({"kty": "OKP", "crv": "Ed25519", "x": X, "kid": n.to_string()})).collect();
        assert_eq!(count(&json!({ "keys": many })), Some(MAX_KEYS));
    }

    #[test]
    fn an_address_is_https_or_http() {
        for good in ["https://login.example/.well-known/jwks.json", "http://127.0.0.1:1/keys"] {
            assert!(HttpKeys::new(good).is_ok(), "{good}");
        }
        for bad in ["", "login.example", "file:///etc/passwd", "ftp://a/b", "https://"] {
            assert!(matches!(HttpKeys::new(bad), Err(InvalidUrl::Form)), "{bad}");
        }
    }
}
