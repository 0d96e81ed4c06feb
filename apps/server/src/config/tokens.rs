//! How access tokens are checked, beside the secret, the issuer and the audience: public keys instead of a secret,
//! a second secret while one replaces the other, leeway and required claims. Fetching keys is `tokens`' part.

use std::path::{Path, PathBuf};
use std::time::Duration;

use parlance_auth::{Jwks, PublicKeys, Secret};

use super::layers::Layers;
use super::{ConfigError, needed, one_line, optional, secret, setting, value};

/// What checks tokens.
#[derive(Debug, Clone, Default)]
pub struct Tokens {
    /// The secret before the present one, whose tokens are still valid.
    pub previous_secret: Option<Secret>,
    /// Public keys, from `AUTH_PUBLIC_KEY` or the file that `AUTH_PUBLIC_KEY_FILE` names.
    pub public_keys: Option<PublicKeys>,
    /// Where the public keys were read, if it was a file.
    pub public_key_file: Option<PathBuf>,
    /// Where an identity provider publishes its keys.
    pub jwks_url: Option<String>,
    /// How far the issuer's clock may be off.
    pub leeway: Duration,
    /// Claims that every token must have.
    pub required_claims: Vec<String>,
}

impl Tokens {
    pub(super) fn read(layers: &Layers) -> Result<Self, ConfigError> {
        let file = optional(layers, &setting::AUTH_PUBLIC_KEY_FILE, value::text)?.map(PathBuf::from);
        let given = optional(layers, &setting::AUTH_PUBLIC_KEY, public_keys)?;
        let public_keys = match (given, &file) {
            (Some(_), Some(_)) => return Err(beside(layers, setting::AUTH_PUBLIC_KEY_FILE.name, "AUTH_PUBLIC_KEY")),
            (None, Some(file)) => Some(read_file(layers, file)?),
            (given, None) => given,
        };
        Ok(Self {
            previous_secret: optional(layers, &setting::ACCESS_TOKEN_SECRET_PREVIOUS, secret)?,
            public_keys,
            public_key_file: file,
            jwks_url: optional(layers, &setting::AUTH_JWKS_URL, jwks_url)?,
            leeway: needed(layers, &setting::AUTH_LEEWAY, value::duration)?,
            required_claims: optional(layers, &setting::AUTH_REQUIRED_CLAIMS, value::words)?.unwrap_or_default(),
        })
    }

    /// Whether tokens are signed by somebody else, with a key that is not known here.
    pub fn are_signed_elsewhere(&self) -> bool {
        self.public_keys.is_some() || self.jwks_url.is_some()
    }

    /// Refuses settings that contradict each other: a secret beside public keys, or the second secret alone.
    pub(super) fn check(&self, layers: &Layers, has_secret: bool, dev: bool) -> Result<(), ConfigError> {
        let asymmetric = [&setting::AUTH_PUBLIC_KEY, &setting::AUTH_PUBLIC_KEY_FILE, &setting::AUTH_JWKS_URL]
            .into_iter()
            .find(|setting| layers.get(setting).is_some());
        match asymmetric {
            Some(setting) if has_secret => Err(beside(layers, setting.name, setting::ACCESS_TOKEN_SECRET.name)),
            Some(setting) if self.previous_secret.is_some() => {
                Err(beside(layers, setting.name, setting::ACCESS_TOKEN_SECRET_PREVIOUS.name))
            }
            Some(setting) if dev => Err(beside(layers, setting.name, "--dev, which signs with a secret of its own,")),
            None if self.previous_secret.is_some() && !has_secret => Err(ConfigError::Missing {
                name: setting::ACCESS_TOKEN_SECRET.name,
                problem: "ACCESS_TOKEN_SECRET_PREVIOUS goes with it",
            }),
            _ => Ok(()),
        }
    }
}

fn beside(layers: &Layers, name: &'static str, other: &str) -> ConfigError {
    layers.refuse(name, format!("cannot be used beside {other}"))
}

fn public_keys(text: &str) -> Result<PublicKeys, String> {
    text.parse().map_err(|error: parlance_auth::InvalidPublicKey| error.to_string())
}

fn read_file(layers: &Layers, file: &Path) -> Result<PublicKeys, ConfigError> {
    let refused = |problem: String| {
        layers.refuse(setting::AUTH_PUBLIC_KEY_FILE.name, format!("{} {}", file.display(), one_line(problem)))
    };
    let text = std::fs::read_to_string(file).map_err(|error| refused(format!("cannot be read: {error}")))?;
    public_keys(&text).map_err(refused)
}

fn jwks_url(text: &str) -> Result<String, String> {
    Jwks::check(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}
