//! Where the load goes: host and port of a plain HTTP server. Loopback only unless a flag says otherwise, so that a
//! mistyped address is no attack. TLS is left to the proxy before the server and not measured.

use std::net::SocketAddr;

use tokio::net::lookup_host;

use crate::failure::Failure;

/// A server to load.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// `host:port`, as in the `Host` header.
    pub(crate) authority: String,
    /// The first address of it.
    pub(crate) address: SocketAddr,
}

impl Target {
    /// The server at `url`.
    ///
    /// # Errors
    /// When it is no `http://` address, is not found, or is not on this machine and `remote` is not set.
    pub(crate) async fn find(url: &str, remote: bool) -> Result<Self, Failure> {
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

    #[tokio::test]
    async fn only_loopback_is_loaded_unless_told_otherwise() {
        assert!(Target::find("http://127.0.0.1:4000/", false).await.is_ok());
        assert!(Target::find("http://192.0.2.1:4000", false).await.is_err());
        assert!(Target::find("http://192.0.2.1", true).await.is_ok());
        assert!(Target::find("https://127.0.0.1", false).await.is_err());
    }
}
