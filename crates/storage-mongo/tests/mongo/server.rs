//! A server of a case's own, which it may kill.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use parlance_domain::ports::Storage;
use parlance_storage_mongo::{MongoStorage, Options, Transactions};
use parlance_storage_testkit::faults::Server;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

/// A running server; it ends when it is dropped.
pub(crate) struct OwnServer {
    address: SocketAddr,
    transactions: Transactions,
    folder: TempDir,
    process: Mutex<Option<Child>>,
}

impl OwnServer {
    /// Starts the server that `TEST_SECANTUSD` names, on a free port.
    pub(crate) async fn start(transactions: Transactions) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        drop(listener);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let server = Self { address, transactions, folder, process: Mutex::default() };
        server.run().await;
        server
    }

    async fn run(&self) {
        let program = std::env::var_os("TEST_SECANTUSD").expect("run make test, or set TEST_SECANTUSD");
        let process = Command::new(PathBuf::from(program))
            .args(["--host", "127.0.0.1", "--port", &self.address.port().to_string(), "--sync-on-commit"])
            .args(["--cache-size", "64M", "--log-level", "ERROR", "--storage-path"])
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the server starts");
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = Some(process);
        // It says nothing when it is ready; that it takes connections says so.
        while TcpStream::connect(self.address).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn options(&self, connections: u32) -> Options {
        Options {
            max_connections: connections,
            acquire_timeout: Duration::from_secs(1),
            // A server that has been killed needs a moment.
            server_selection_timeout: Duration::from_secs(20),
            call_timeout: Duration::from_mins(1),
            transactions: self.transactions,
            lease: Duration::from_secs(4),
            ..Options::default()
        }
    }

    fn kill(&self) {
        let process = self.process.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut process) = process {
            process.kill().and_then(|()| process.wait()).expect("the server can be killed");
        }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.kill();
    }
}

#[async_trait]
impl Server for OwnServer {
    fn address(&self) -> SocketAddr {
        self.address
    }

    async fn open(&self, address: SocketAddr, connections: u32) -> Arc<dyn Storage> {
        let url = format!("mongodb://{address}/chat?directConnection=true");
        let storage = MongoStorage::connect(&url, &self.options(connections)).await;
        let storage = storage.expect("the server answers");
        storage.migrate().await.expect("its database is brought up to date");
        Arc::new(storage)
    }

    async fn restart(&self) {
        self.kill();
        self.run().await;
    }

    fn commit(&self) -> &'static [u8] {
        match self.transactions {
            Transactions::WhereTheyAre => b"commitTransaction",
            Transactions::Never => b"journal",
        }
    }
}
