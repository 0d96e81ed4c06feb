//! TLS over a connection that has begun without, as NATS servers want it: after their greeting. Certificates are checked
//! against those that the machine trusts.

use std::sync::Arc;

use parlance_cluster_link::BrokerError;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Begins TLS with a server.
pub(crate) async fn over<S>(socket: S, host: &str) -> Result<TlsStream<S>, BrokerError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    // It reads files.
    let trusted = tokio::task::spawn_blocking(trusted).await.map_err(BrokerError::new)?;
    handshake(socket, host, trusted).await
}

async fn handshake<S>(socket: S, host: &str, trusted: RootCertStore) -> Result<TlsStream<S>, BrokerError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
{
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(BrokerError::new)?.with_root_certificates(trusted).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(BrokerError::new)?;
    TlsConnector::from(Arc::new(config)).connect(name, socket).await.map_err(BrokerError::new)
}

/// What the machine trusts; certificates that cannot be read are passed over.
fn trusted() -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    store
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn a_server_with_a_certificate_that_is_trusted_is_spoken_to() {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut running =
            Command::new(std::env::var("TEST_NATS_SERVER").expect("tests/services/run names nats-server"))
                .args(["--addr", "127.0.0.1", "--port", &port.to_string(), "--tls", "--tlscert"])
                .arg(&cert)
                .arg("--tlskey")
                .arg(&key)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
        let socket = loop {
            match TcpStream::connect(("127.0.0.1", port)).await {
                Ok(socket) => break socket,
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            }
        };
        let greeted = async |mut socket: TcpStream| {
            while socket.read_u8().await.unwrap() != b'\n' {}
            socket
        };
        let mut store = RootCertStore::empty();
        store.add(made.cert.der().clone()).unwrap();
        let mut socket = handshake(greeted(socket).await, "127.0.0.1", store).await.unwrap();
        socket.write_all(b"CONNECT {\"verbose\":false}\r\nPING\r\n").await.unwrap();
        let mut answer = [0; 6];
        socket.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"PONG\r\n");

        let socket = greeted(TcpStream::connect(("127.0.0.1", port)).await.unwrap()).await;
        assert!(handshake(socket, "127.0.0.1", RootCertStore::empty()).await.is_err(), "whom nobody trusts");
        running.kill().unwrap();
        running.wait().unwrap();
    }
}
