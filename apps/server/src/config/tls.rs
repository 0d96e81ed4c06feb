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
            (Some(_), None) => Err(layers.refuse(setting::TLS_CERT_FILE.name, "needs TLS_KEY_FILE".to_owned())),
            (None, Some(_)) => Err(layers.refuse(setting::TLS_KEY_FILE.name, "needs TLS_CERT_FILE".to_owned())),
        }
    }
}
