//! Where the certificate is and its key: both, or none. Reading them is the listener's part, which reads them again.

use std::path::PathBuf;

use super::error::ConfigError;
use super::layers::Layers;
use super::{optional, setting, value};

/// The files that TLS takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those that lead to one which clients know, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM.
    pub key: PathBuf,
}

impl TlsFiles {
    pub(super) fn read(layers: &Layers) -> Result<Option<Self>, ConfigError> {
        let file = |setting| Ok(optional(layers, setting, value::text)?.map(PathBuf::from));
        match (file(&setting::TLS_CERT_FILE)?, file(&setting::TLS_KEY_FILE)?) {
            (Some(certificate), Some(key)) => Ok(Some(Self { certificate, key })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(alone(layers, setting::TLS_CERT_FILE.name, setting::TLS_KEY_FILE.name)),
            (None, Some(_)) => Err(alone(layers, setting::TLS_KEY_FILE.name, setting::TLS_CERT_FILE.name)),
        }
    }
}

fn alone(layers: &Layers, name: &'static str, other: &str) -> ConfigError {
    let origin = layers.origins().get(name).cloned().unwrap_or(super::Origin::Default);
    ConfigError::Value { name, origin, problem: format!("needs {other}") }
}
