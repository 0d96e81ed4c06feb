//! Encrypted connections: what the URL asks for is what there is, and a server that cannot show its certificate is not
//! talked to.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use parlance_domain::ports::Users;
use parlance_storage_sql::{Options, SqlStorage};
use parlance_storage_testkit::faults::Server;

use crate::database::session;
use crate::server::OwnServer;

/// A key and a certificate for this machine, in files of this folder; answers the certificate.
fn certificate(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let (key, certificate) = (folder.join("server.key"), made.cert.pem());
    fs::write(&key, made.signing_key.serialize_pem()).expect("the key is written");
    // The server refuses a key that others may read.
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("the key is hidden");
    fs::write(folder.join("server.crt"), &certificate).expect("the certificate is written");
    certificate
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_encrypted_and_the_server_is_known_by_its_certificate() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let certificate = certificate(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let settings = vec![
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", file("server.crt")),
        format!("ssl_key_file={}", file("server.key")),
    ];
    let trusted = tempfile::NamedTempFile::new().expect("a temporary file");
    fs::write(trusted.path(), certificate).expect("the certificate is handed over");
    let stranger = tempfile::NamedTempFile::new().expect("a temporary file");
    let other = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    fs::write(stranger.path(), other.cert.pem()).expect("another's certificate is written");
    let server = OwnServer::start_in(folder, settings).await;
    let url = |mode: &str, host: &str, root: &Path| {
        let port = server.address().port();
        format!("postgres://postgres@{host}:{port}/postgres?sslmode={mode}&sslrootcert={}", root.display())
    };

    let options = Options::default();
    let storage =
        SqlStorage::connect(&url("verify-full", "127.0.0.1", trusted.path()), &options).await.expect("it is known");
    storage.migrate().await.expect("the database is migrated");
    assert_eq!(storage.find_user(&"ann".parse().expect("a valid id")).await.expect("answers"), None);
    let mut look = session(&crate::server::url(server.address())).await;
    let sessions = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                    WHERE datname IS NOT NULL AND pid <> pg_backend_pid()";
    let encrypted: Vec<bool> = sqlx::query_scalar(sessions).fetch_all(&mut look).await.expect("the server says so");
    assert!(!encrypted.is_empty() && encrypted.iter().all(|encrypted| *encrypted), "{encrypted:?}");
    storage.close().await.expect("closes");

    for (mode, host, root) in [
        ("verify-ca", "127.0.0.1", stranger.path()),
        ("verify-full", "127.0.0.1", stranger.path()),
        ("verify-full", "localhost", trusted.path()),
    ] {
        let error =
            SqlStorage::connect(&url(mode, host, root), &options).await.expect_err("it is not who it should be");
        let line = error.to_string();
        assert!(line.contains("certificate") && !line.contains('\n'), "{mode} {host}: {line}");
    }
}
