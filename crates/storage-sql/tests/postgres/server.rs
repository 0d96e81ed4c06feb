//! A PostgreSQL server of one case's own, which it may kill and start again.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use parlance_domain::ports::Storage;
use parlance_storage_sql::{Options, SqlStorage};
use parlance_storage_testkit::faults::Server;
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tempfile::TempDir;

/// A running server with one empty database, reached without a password.
pub(crate) struct OwnServer {
    address: SocketAddr,
    running: Mutex<Child>,
    folder: TempDir,
    settings: Vec<String>,
}

impl OwnServer {
    /// Starts one that keeps what it has committed.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Likewise, with these settings.
    pub(crate) async fn start_with(settings: &[&str]) -> Self {
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        Self::start_in(tempfile::tempdir().expect("a temporary folder"), settings).await
    }

    /// Likewise, in a folder in which there is what the settings name.
    pub(crate) async fn start_in(folder: TempDir, settings: Vec<String>) -> Self {
        give_away(folder.path());
        let made = command("initdb")
            .arg("--pgdata")
            .arg(data(&folder))
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(made.expect("`initdb` runs").success(), "`initdb` makes a server");
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr()).expect("a free port");
        let running = Mutex::new(spawn(&folder, port, &settings));
        let server = Self { address: port, running, folder, settings };
        server.wait().await;
        server
    }

    async fn wait(&self) {
        let options: PgConnectOptions = url(self.address).parse().expect("a valid URL");
        let up = async {
            while PgConnection::connect_with(&options).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), up).await.expect("the server comes up");
    }

    fn kill(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // The first process ends all others at once when it is told to quit; what it has not written down is lost.
        let quit = Command::new("kill").args(["-QUIT", &running.id().to_string()]).status();
        assert!(quit.is_ok_and(|status| status.success()), "the server is told to quit");
        running.wait().expect("the server ends");
    }
}

#[async_trait]
impl Server for OwnServer {
    fn address(&self) -> SocketAddr {
        self.address
    }

    async fn open(&self, address: SocketAddr, connections: u32) -> Arc<dyn Storage> {
        let options =
            Options { max_connections: connections, acquire_timeout: Duration::from_secs(1), ..Options::default() };
        let storage = SqlStorage::connect(&url(address), &options).await.expect("the server is reached");
        storage.migrate().await.expect("the database is migrated");
        Arc::new(storage)
    }

    async fn restart(&self) {
        self.kill();
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) =
            spawn(&self.folder, self.address, &self.settings);
        self.wait().await;
    }

    fn commit(&self) -> &'static [u8] {
        b"COMMIT"
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where a storage finds the database of such a server, over `address`.
pub(crate) fn url(address: SocketAddr) -> String {
    format!("postgres://postgres@{address}/postgres?sslmode=disable")
}

fn data(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

fn spawn(folder: &TempDir, address: SocketAddr, settings: &[String]) -> Child {
    let options = [
        format!("port={}", address.port()),
        format!("listen_addresses={}", address.ip()),
        "unix_socket_directories=".to_owned(),
        "shared_buffers=16MB".to_owned(),
        "max_connections=40".to_owned(),
    ];
    let mut server = command("postgres");
    server.arg("-D").arg(data(folder)).args(options.iter().flat_map(|option| ["-c", option]));
    server.args(settings.iter().flat_map(|setting| ["-c", setting.as_str()]));
    server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    server.spawn().expect("`postgres` starts")
}

/// One of PostgreSQL's programs, from the folder that `TEST_POSTGRES_BIN` names or from the search path. They refuse to
/// run as root, so root runs them as `postgres`.
fn command(name: &str) -> Command {
    let program = std::env::var_os("TEST_POSTGRES_BIN").map_or_else(|| name.into(), |bin| Path::new(&bin).join(name));
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn give_away(folder: &Path) {
    if is_root() {
        let given = Command::new("chown").args(["--recursive", "postgres"]).arg(folder).status();
        assert!(given.is_ok_and(|status| status.success()), "the folder is given to the user `postgres`");
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("`id` runs");
    id.stdout == b"0\n"
}
