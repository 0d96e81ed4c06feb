//! Opens the verifier of tokens that the configuration names. A key set that cannot be fetched does not keep the
//! server from starting: it is fetched again when tokens come, and `/readyz` says until then that it is missing.

use std::sync::Arc;

use async_trait::async_trait;
use parlance_auth::{Jwks, JwtVerifier, Keys, VerifierSettings};
use parlance_domain::ports::{Clock, TokenVerifier};
use parlance_rest::Probe;

use crate::config::{Config, ConfigError};

/// A verifier, and whom to ask whether it can work.
pub(crate) struct OpenedTokens {
    pub(crate) verifier: Arc<dyn TokenVerifier>,
    pub(crate) probe: Option<Arc<dyn Probe>>,
}

impl OpenedTokens {
    /// The verifier of `config`'s keys.
    pub(crate) async fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let settings = VerifierSettings {
            issuers: config.issuer.iter().cloned().collect(),
            audiences: config.audience.iter().cloned().collect(),
            leeway: config.tokens.leeway,
            required_claims: config.tokens.required_claims.clone(),
        };
        let (keys, published) = if config.tokens.are_signed_elsewhere() {
            let published = published(config).await?;
            (Keys::public(config.tokens.public_keys.clone(), published.clone()), published)
        } else {
            (secrets(config)?, None)
        };
        let probe = published.map(|jwks| Arc::new(KeysProbe(jwks)) as Arc<dyn Probe>);
        Ok(Self { verifier: Arc::new(JwtVerifier::new(keys, settings, clock)), probe })
    }

    /// Somebody else's verifier.
    pub(crate) fn given(verifier: Arc<dyn TokenVerifier>) -> Self {
        Self { verifier, probe: None }
    }
}

fn secrets(config: &Config) -> Result<Keys, ConfigError> {
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

async fn published(config: &Config) -> Result<Option<Arc<Jwks>>, ConfigError> {
    let Some(url) = &config.tokens.jwks_url else { return Ok(None) };
    let jwks = Jwks::at(url).map_err(|error| config.refuse("AUTH_JWKS_URL", error))?;
    if let Err(error) = jwks.load().await {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        tracing::error!(%error, cause, "AUTH_JWKS_URL: the keys of tokens cannot be fetched, nobody gets in until they can");
    }
    Ok(Some(Arc::new(jwks)))
}

/// Asks whether there are keys.
struct KeysProbe(Arc<Jwks>);

#[async_trait]
impl Probe for KeysProbe {
    fn name(&self) -> &'static str {
        "token keys"
    }

    async fn answers(&self) -> bool {
        self.0.is_loaded() || self.0.load().await.is_ok()
    }
}
