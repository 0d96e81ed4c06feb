//! Which servers there are, and which of them is used: both connections of a node go to one server, and to the next one
//! when that does not answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parlance_cluster_link::BrokerError;
use percent_encoding::percent_decode_str;
use tokio::time::timeout;
use url::{Host, Url};

use crate::connection::Connection;

/// How long one server may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// Where a server listens that names no port.
const PORT: u16 = 4222;

/// Why a link cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL is none of NATS.
    #[error("not a URL of NATS")]
    Url(#[source] Option<url::ParseError>),
    /// The prefix cannot begin a subject.
    #[error("a prefix of subjects has letters, digits, _ and -")]
    Prefix,
}

/// Where a server is, and who asks it.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// TLS is wanted, whatever the server wants.
    pub(crate) encrypted: bool,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
}

/// The servers of a NATS.
#[derive(Debug)]
pub(crate) struct Servers {
    servers: Vec<Server>,
    /// The one that answered last.
    current: AtomicUsize,
}

impl Servers {
    /// Reads a URL. What stands before the hosts holds for all of them.
    pub(crate) fn read(url: &str) -> Result<Self, ConnectError> {
        let (scheme, rest) = url.split_once("://").ok_or(ConnectError::Url(None))?;
        let rest = rest.trim_end_matches('/');
        let (credentials, hosts) = rest.split_at(rest.rfind('@').map_or(0, |at| at + 1));
        let server = |host: &str| Server::read(&format!("{scheme}://{credentials}{host}"));
        let servers = hosts.split(',').map(server).collect::<Result<_, _>>()?;
        Ok(Self { servers, current: AtomicUsize::new(0) })
    }

    /// Connects to the server that answered last, or the next one that does.
    pub(crate) async fn connect(&self) -> Result<Connection, BrokerError> {
        let (current, count) = (self.current.load(Ordering::Relaxed), self.servers.len());
        let mut problem = BrokerError::new("no servers");
        for at in (0..count).map(|n| (current + n) % count) {
            match timeout(PATIENCE, Connection::open(&self.servers[at])).await {
                Ok(Ok(connection)) => {
                    self.current.store(at, Ordering::Relaxed);
                    return Ok(connection);
                }
                Ok(Err(error)) => problem = error,
                Err(_) => problem = BrokerError::new("the server takes too long"),
            }
        }
        Err(problem)
    }
}

impl Server {
    fn read(url: &str) -> Result<Self, ConnectError> {
        let url = Url::parse(url).map_err(|error| ConnectError::Url(Some(error)))?;
        let encrypted = match url.scheme() {
            "nats" => false,
            "tls" => true,
            _ => return Err(ConnectError::Url(None)),
        };
        let host = match url.host().ok_or(ConnectError::Url(None))? {
            Host::Domain(name) if !name.is_empty() => name.to_owned(),
            Host::Domain(_) => return Err(ConnectError::Url(None)),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = Some(url.username()).filter(|user| !user.is_empty()).map(decoded);
        let password = url.password().filter(|password| !password.is_empty()).map(decoded);
        Ok(Self { host, port: url.port().unwrap_or(PORT), encrypted, user, password })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_before_the_hosts_holds_for_all_of_them() {
        let Servers { servers, .. } = Servers::read("tls://me:hu%40sh@a,b:5222,[::1]/").unwrap();
        let places: Vec<_> = servers.iter().map(|server| (server.host.as_str(), server.port)).collect();
        assert_eq!(places, [("a", 4222), ("b", 5222), ("::1", 4222)]);
        for Server { user, password, encrypted, .. } in servers {
            assert_eq!((user.as_deref(), password.as_deref(), encrypted), (Some("me"), Some("hu@sh"), true));
        }
        let Servers { servers, .. } = Servers::read("nats://:hush@127.0.0.1").unwrap();
        assert_eq!((servers[0].user.as_deref(), servers[0].password.as_deref()), (None, Some("hush")));
    }

    #[test]
    fn what_names_no_server_is_refused() {
        for url in ["nats", "http://a", "ws://a", "nats://", "nats://a,"] {
            assert!(Servers::read(url).is_err(), "{url}");
        }
    }
}
