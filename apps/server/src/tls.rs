//! Speaking TLS with the certificate that the configuration names. It is looked at once a minute and read again when it
//! has changed, so that a renewal needs no restart; what cannot be read leaves the one before in place.

use std::convert::Infallible;
use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::RwLock;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

use crate::config::{Config, ConfigError, TLS_CERT_FILE, TLS_KEY_FILE, TlsFiles};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_mins(1);

/// What listeners need for TLS, and what keeps the certificate fresh.
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    shown: Arc<Shown>,
    files: TlsFiles,
    read_at: Changed,
}

/// The certificate that clients are shown.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

/// When the files were changed last.
type Changed = [Option<SystemTime>; 2];

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read()))
    }
}

/// What is wrong with the certificate or its key, and which setting names it.
struct Unusable {
    setting: &'static str,
    problem: String,
}

impl Tls {
    /// Reads what the configuration names. Blocks, as a server may while it starts.
    pub(crate) fn open(config: &Config) -> Result<Option<Self>, ConfigError> {
        let Some(files) = config.tls.clone() else { return Ok(None) };
        let refused = |Unusable { setting, problem }| config.refuse(setting, problem);
        let read_at = changed(&files);
        let provider = Arc::new(ring::default_provider());
        let certified = read(&files, &provider).map_err(refused)?;
        let shown = Arc::new(Shown(RwLock::new(Arc::new(certified))));
        let server = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let server = server.map_err(|error| config.refuse(TLS_CERT_FILE, error))?;
        let mut server = server.with_no_client_auth().with_cert_resolver(Arc::clone(&shown) as Arc<_>);
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Some(Self { acceptor: TlsAcceptor::from(Arc::new(server)), shown, files, read_at }))
    }

    /// What makes a connection an encrypted one.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Reads the files again whenever they have changed, for as long as it is awaited.
    pub(crate) async fn keep_fresh(self) -> Infallible {
        let Self { shown, files, mut read_at, .. } = self;
        let mut minutes = interval(EVERY);
        minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            minutes.tick().await;
            let (looked_at, before) = (files.clone(), read_at);
            let look = tokio::task::spawn_blocking(move || {
                let now = changed(&looked_at);
                (now != before).then(|| (now, read(&looked_at, &ring::default_provider())))
            });
            let Ok(Some((now, certified))) = look.await else { continue };
            read_at = now;
            match certified {
                Ok(certified) => {
                    *shown.0.write() = Arc::new(certified);
                    tracing::info!("the certificate has changed and is shown from now on");
                }
                Err(Unusable { setting, problem }) => {
                    tracing::error!(setting, problem, "the certificate has changed and cannot be used");
                }
            }
        }
    }
}

fn changed(files: &TlsFiles) -> Changed {
    let when = |file: &Path| file.metadata().and_then(|about| about.modified()).ok();
    [when(&files.certificate), when(&files.key)]
}

fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, Unusable> {
    let unusable = |setting, file: &Path, error: &dyn Display| Unusable {
        setting,
        problem: format!("{} cannot be used: {error}", file.display()),
    };
    let certificate = |error: &dyn Display| unusable(TLS_CERT_FILE, &files.certificate, error);
    let key = |error: &dyn Display| unusable(TLS_KEY_FILE, &files.key, error);
    let chain = CertificateDer::pem_file_iter(&files.certificate).map_err(|error| certificate(&error))?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(|error| certificate(&error))?;
    if chain.is_empty() {
        return Err(certificate(&"there is no certificate in it"));
    }
    let private = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| key(&error))?;
    CertifiedKey::from_der(chain, private, provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => key(&"it is not the key of the certificate"),
        error => key(&error),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn write(folder: &Path) -> CertificateDer<'static> {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(folder.join("chain.pem"), made.cert.pem()).unwrap();
        fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        made.cert.der().clone()
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewed_certificate_is_shown_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = TlsFiles { certificate: folder.path().join("chain.pem"), key: folder.path().join("key.pem") };
        let first = write(folder.path());
        let mut config = Config::defaults().unwrap();
        config.tls = Some(files.clone());
        let tls = Tls::open(&config).unwrap().unwrap();
        let shown = Arc::clone(&tls.shown);
        let certificate = || shown.0.read().cert[0].clone();
        let fresh = tokio::spawn(tls.keep_fresh());
        assert_eq!(certificate(), first);
        let second = write(folder.path());
        tokio::time::sleep(EVERY * 2).await;
        assert_eq!(certificate(), second);
        fs::write(&files.key, "no key").unwrap();
        tokio::time::sleep(EVERY * 2).await;
        assert_eq!(certificate(), second);
        fresh.abort();
    }
}
