//! What checks access tokens, made from the configuration: its secrets or public keys, and the keys that an identity
//! provider publishes, which are fetched before the first client comes. An endpoint that does not answer keeps the server
//! from being ready, not from starting; when the configuration changes later it keeps the keys of before in place.

use std::sync::Arc;

use async_trait::async_trait;
use parlance_auth::{Jwks, JwtVerifier, Keys, VerifierSettings};
use parlance_domain::ports::{Clock, TokenVerifier};
use parlance_rest::Probe;

use crate::config::{Config, ConfigError};

/// The setting of published keys.
const AUTH_JWKS_URL: &str = "AUTH_JWKS_URL";

/// A verifier, and where it is our own what is needed to renew it.
pub(crate) struct OpenedTokens {
    pub(crate) verifier: Arc<dyn TokenVerifier>,
    pub(crate) own: Option<OwnTokens>,
}

/// The verifier of the configuration's keys.
#[derive(Debug, Clone)]
pub(crate) struct OwnTokens {
    verifier: Arc<JwtVerifier>,
    published: Option<Published>,
}

/// Keys that somebody publishes, and where.
#[derive(Debug, Clone)]
struct Published {
    url: String,
    keys: Arc<Jwks>,
}

/// Other keys, ready to take the place of those that hold.
pub(crate) struct Renewal {
    keys: Keys,
    settings: VerifierSettings,
    published: Option<Published>,
}

impl OpenedTokens {
    /// The verifier of `config`'s keys.
    pub(crate) async fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let published = Published::of(config)?;
        if let Some(Published { keys, .. }) = &published
            && let Err(error) = keys.load().await
        {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, cause, "AUTH_JWKS_URL: the keys of tokens cannot be fetched, nobody gets in until they can");
        }
        let keys = keys(config, published.as_ref())?;
        let verifier = Arc::new(JwtVerifier::new(keys, settings(config), clock));
        Ok(Self { verifier: Arc::clone(&verifier) as Arc<_>, own: Some(OwnTokens { verifier, published }) })
    }

    /// Somebody else's verifier.
    pub(crate) fn given(verifier: Arc<dyn TokenVerifier>) -> Self {
        Self { verifier, own: None }
    }
}

impl OwnTokens {
    /// Whom to ask whether there are keys.
    pub(crate) fn probe(&self) -> Arc<dyn Probe> {
        Arc::new(KeysProbe(Arc::clone(&self.verifier)))
    }

    /// Makes `config`'s keys ready. Published ones are kept while their address stays; those of another one are fetched.
    ///
    /// # Errors
    /// [`ConfigError`] where they cannot be had. Nothing has changed.
    pub(crate) async fn prepare(&self, config: &Config) -> Result<Renewal, ConfigError> {
        let published = match (Published::of(config)?, &self.published) {
            (Some(next), Some(before)) if next.url == before.url => Some(before.clone()),
            (Some(next), _) => {
                let refused = |error| config.refuse(AUTH_JWKS_URL, format!("the keys cannot be fetched: {error}"));
                next.keys.load().await.map_err(refused)?;
                Some(next)
            }
            (None, _) => None,
        };
        Ok(Renewal { keys: keys(config, published.as_ref())?, settings: settings(config), published })
    }

    /// Lets other keys hold.
    pub(crate) fn renew(&mut self, Renewal { keys, settings, published }: Renewal) {
        self.verifier.renew(keys, settings);
        self.published = published;
    }
}

impl Published {
    fn of(config: &Config) -> Result<Option<Self>, ConfigError> {
        let Some(url) = config.tokens.jwks_url.clone() else { return Ok(None) };
        let keys = Jwks::at(&url).map_err(|error| config.refuse(AUTH_JWKS_URL, error))?;
        Ok(Some(Self { url, keys: Arc::new(keys) }))
    }
}

fn settings(config: &Config) -> VerifierSettings {
    VerifierSettings {
        issuers: config.issuer.iter().cloned().collect(),
        audiences: config.audience.iter().cloned().collect(),
        leeway: config.tokens.leeway,
        required_claims: config.tokens.required_claims.clone(),
    }
}

fn keys(config: &Config, published: Option<&Published>) -> Result<Keys, ConfigError> {
    if config.tokens.are_signed_elsewhere() {
        let published = published.map(|published| Arc::clone(&published.keys));
        return Ok(Keys::public(config.tokens.public_keys.clone(), published));
    }
    let secret = config.signing_secret()?;
    for (name, secret) in [
        ("ACCESS_TOKEN_SECRET", Some(&secret)),
        ("ACCESS_TOKEN_SECRET_PREVIOUS", config.tokens.previous_secret.as_ref()),
    ] {
        if secret.is_some_and(parlance_auth::Secret::is_short) {
            tracing::warn!("{name} has less than 32 bytes: who has seen one token can try to guess it");
        }
    }
    Ok(Keys::secrets([&secret].into_iter().chain(&config.tokens.previous_secret)))
}

/// Asks whether there are keys.
struct KeysProbe(Arc<JwtVerifier>);

#[async_trait]
impl Probe for KeysProbe {
    fn name(&self) -> &'static str {
        "token keys"
    }

    async fn answers(&self) -> bool {
        self.0.has_keys().await
    }
}
