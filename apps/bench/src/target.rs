//! Where the load goes: host and port of plain HTTP servers, the nodes of one. Loopback only unless a flag says otherwise,
//! so that a mistyped address is no attack. TLS is left to the proxy before the server and not measured.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::lookup_host;

use crate::failure::Failure;

/// One node.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// `host:port`, as in the `Host` header.
    pub(crate) authority: String,
    /// The first address of it.
    pub(crate) address: SocketAddr,
}

/// A server to load. Clones take turns together.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    first: Node,
    others: Arc<[Node]>,
    turn: Arc<AtomicUsize>,
}

impl Target {
    /// The server whose nodes are at `urls`.
    ///
    /// # Errors
    /// When one is no `http://` address, is not found, or is not on this machine and `remote` is not set.
    pub(crate) async fn find(urls: &[String], remote: bool) -> Result<Self, Failure> {
        let mut nodes = Vec::new();
        for url in urls {
            nodes.push(Node::find(url, remote).await?);
        }
        let mut nodes = nodes.into_iter();
        let first = nodes.next().ok_or_else(|| Failure::plain("no server is named"))?;
        Ok(Self { first, others: nodes.collect(), turn: Arc::default() })
    }

    /// The node for what is asked over HTTP.
    pub(crate) fn first(&self) -> &Node {
        &self.first
    }

    /// The node for the next socket: they take turns.
    pub(crate) fn next(&self) -> &Node {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % (self.others.len() + 1);
        turn.checked_sub(1).map_or(&self.first, |other| &self.others[other])
    }
}

impl Node {
    async fn find(url: &str, remote: bool) -> Result<Self, Failure> {
        let rest = url.strip_prefix("http://").ok_or_else(|| Failure::plain(format!("{url} is no http:// address")))?;
        let host = rest.trim_end_matches('/');
        let authority = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
        let address = lookup_host(&authority)
            .await
            .map_err(|error| Failure::new(format!("{authority} is not found"), error))?
            .next()
            .ok_or_else(|| Failure::plain(format!("{authority} has no address")))?;
        if !remote && !address.ip().is_loopback() {
            return Err(Failure::plain(format!(
                "{authority} is not on this machine; --remote loads it all the same, if it is yours"
            )));
        }
        Ok(Self { authority, address })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn find(urls: &[&str], remote: bool) -> Result<Target, Failure> {
        let urls: Vec<String> = urls.iter().map(ToString::to_string).collect();
        Target::find(&urls, remote).await
    }

    #[tokio::test]
    async fn only_loopback_is_loaded_unless_told_otherwise() {
        assert!(find(&["http://127.0.0.1:4000/"], false).await.is_ok());
        assert!(find(&["http://127.0.0.1:4000", "http://192.0.2.1:4000"], false).await.is_err());
        assert!(find(&["http://192.0.2.1"], true).await.is_ok());
        assert!(find(&["https://127.0.0.1"], false).await.is_err());
        assert!(find(&[], false).await.is_err());
    }

    #[tokio::test]
    async fn sockets_take_turns_on_the_nodes() {
        let target = find(&["http://127.0.0.1:1", "http://127.0.0.1:2"], false).await.expect("two nodes");
        let again = target.clone();
        let ports = [target.next(), again.next(), target.next()].map(|node| node.address.port());
        assert_eq!(ports, [1, 2, 1]);
        assert_eq!(target.first().address.port(), 1);
    }
}
