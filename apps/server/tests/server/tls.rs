//! The server with a certificate of its own: HTTP and WebSocket go through TLS, and nothing goes without it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{CertifiedKey, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

use crate::process::{Parlance, Running};

const SECRET: (&str, &str) = ("ACCESS_TOKEN_SECRET", "a secret of this test, long enough");
const MEMORY: (&str, &str) = ("DATABASE_URL", "memory:");
const LISTEN: (&str, &str) = ("LISTEN", "127.0.0.1:0");
const CERTIFICATE: (&str, &str) = ("TLS_CERT_FILE", "chain.pem");
const KEY: (&str, &str) = ("TLS_KEY_FILE", "key.pem");

fn certificate() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

/// A connection to a server that is known by this certificate.
fn connect(
    server: &Running,
    known: &CertifiedKey<KeyPair>,
    version: &'static SupportedProtocolVersion,
) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(known.cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let client = client.with_protocol_versions(&[version]).unwrap();
    let client = client.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(Arc::new(client), name).unwrap();
    StreamOwned::new(session, TcpStream::connect(server.address(0)).unwrap())
}

#[test]
fn http_and_websocket_go_through_tls() {
    let (parlance, own) = (Parlance::new(), certificate());
    parlance.file("chain.pem", &own.cert.pem());
    parlance.file("key.pem", &own.signing_key.serialize_pem());
    let server = parlance.start(&[], &[SECRET, MEMORY, LISTEN, CERTIFICATE, KEY], 1);
    assert!(server.lines[0].starts_with("parlance listening on https://127.0.0.1:"), "{:?}", server.lines);
    for version in [&TLS12, &TLS13] {
        let mut stream = connect(&server, &own, version);
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    let mut stream = connect(&server, &own, &TLS13);
    stream
        .write_all(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
              Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .unwrap();
    let mut heard = Vec::new();
    while !heard.windows(5).any(|window| window == b"\"sid\"") {
        let mut piece = [0; 1024];
        let length = stream.read(&mut piece).unwrap();
        assert_ne!(length, 0, "{}", String::from_utf8_lossy(&heard));
        heard.extend_from_slice(&piece[..length]);
    }
    assert!(heard.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&heard));

    let mut plain = TcpStream::connect(server.address(0)).unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "nothing is said without TLS");

    let ended = server.signalled("TERM");
    assert_eq!(ended.code, Some(0), "{}", ended.log);
}

#[test]
fn what_cannot_be_used_is_refused_with_its_setting() {
    let (parlance, own) = (Parlance::new(), certificate());
    parlance.file("chain.pem", &own.cert.pem());
    parlance.file("key.pem", &own.signing_key.serialize_pem());
    parlance.file("other.pem", &certificate().signing_key.serialize_pem());
    parlance.file("empty.pem", "");
    for (chain, key, said) in [
        ("nowhere.pem", "key.pem", "TLS_CERT_FILE (environment): nowhere.pem cannot be used: "),
        (
            "empty.pem",
            "key.pem",
            "TLS_CERT_FILE (environment): empty.pem cannot be used: there is no certificate in it",
        ),
        ("chain.pem", "empty.pem", "TLS_KEY_FILE (environment): empty.pem cannot be used: "),
        (
            "chain.pem",
            "other.pem",
            "TLS_KEY_FILE (environment): other.pem cannot be used: it is not the key of the certificate",
        ),
    ] {
        let env = [SECRET, MEMORY, LISTEN, ("TLS_CERT_FILE", chain), ("TLS_KEY_FILE", key)];
        let refused = parlance.refused(&["serve"], &env);
        assert!(refused.starts_with(said), "{refused}");
    }
    let refused = parlance.refused(&["check-config"], &[SECRET, CERTIFICATE]);
    assert_eq!(refused, "TLS_CERT_FILE (environment): needs TLS_KEY_FILE");
}
