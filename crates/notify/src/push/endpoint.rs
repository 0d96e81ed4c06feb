//! Which endpoints are called. Clients say where messages go, so that whoever has a token could make this server call
//! what only it can reach: an endpoint is `https:`, and no address of it is one of our own network, neither when it is
//! given nor when its name is looked up for a message. Where the name leads is decided once, for the check and the call.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

/// Which endpoints are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reachable {
    /// Those in the world.
    Public,
    /// Also `http:` and addresses of one's own network: for tests, and push services of one's own.
    Everything,
}

impl Reachable {
    /// The endpoint, if it may be called as far as its text says.
    pub(super) fn endpoint(self, text: &str) -> Result<Url, &'static str> {
        let url = Url::parse(text).map_err(|_| "is no URL")?;
        if url.scheme() != "https" && !(self == Self::Everything && url.scheme() == "http") {
            return Err("must be https");
        }
        let host = url.host_str().ok_or("has no host")?;
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        if address.is_some_and(|address| !self.has(address)) {
            return Err("must be an address that everybody can reach");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must have neither user nor password");
        }
        Ok(url)
    }

    fn has(self, address: IpAddr) -> bool {
        self == Self::Everything || is_public(address)
    }
}

impl Resolve for Reachable {
    fn resolve(&self, name: Name) -> Resolving {
        let reachable = *self;
        Box::pin(async move {
            let found = lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.filter(|found| reachable.has(found.ip())).collect();
            if found.is_empty() {
                return Err(Box::<dyn Error + Send + Sync>::from("leads to no address that everybody can reach"));
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the world's, whoever asks. What is not known to be is not.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast();
    // "This" network, carriers' own (RFC 6598), protocols' (RFC 6890), benchmarks' (RFC 2544), reserved and broadcast.
    let reserved =
        a == 0 || a == 100 && b & 0xc0 == 64 || [a, b, c] == [192, 0, 0] || a == 198 && b & 0xfe == 18 || a >= 240;
    !special && !reserved
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    // Of the world are 2000::/3 alone, save documentation, benchmarks, and what leads to addresses of version 4: Teredo
    // and 6to4. Mapped and translated addresses are outside of it.
    let global = first & 0xe000 == 0x2000;
    let special = first == 0x2001 && (second < 0x0200 || second == 0x0db8) || first == 0x2002 || first == 0x3fff;
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_world_is_called() {
        for good in [
            "https://updates.push.services.mozilla.com/wpush/v2/abc",
            "https://fcm.googleapis.com/fcm/send/abc",
            "https://8.8.8.8/push",
            "https://[2606:4700::1111]:8443/push",
        ] {
            assert!(Reachable::Public.endpoint(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "push",
            "http://push.example/1",
            "file:///etc/passwd",
            "https://me:pw@push.example/1",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://10.0.0.1/",
            "https://172.16.3.4/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://198.18.0.1/",
            "https://255.255.255.255/",
            "https://224.0.0.1/",
            "https://192.0.0.8/",
            "https://[::1]/",
            "https://[::]/",
            "https://[fe80::1]/",
            "https://[fd00::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:a00:1::]/",
            "https://[2001::1]/",
            "https://[2001:db8::1]/",
            "https://[ff02::1]/",
        ] {
            assert!(Reachable::Public.endpoint(bad).is_err(), "{bad}");
        }
        assert!(Reachable::Everything.endpoint("http://127.0.0.1:8080/push").is_ok());
        assert!(Reachable::Everything.endpoint("file:///etc/passwd").is_err());
    }

    #[tokio::test]
    async fn a_name_that_leads_home_is_not_followed() {
        let name = || "localhost".parse::<Name>().unwrap();
        assert!(Reachable::Public.resolve(name()).await.is_err());
        assert!(Reachable::Everything.resolve(name()).await.unwrap().count() > 0);
    }
}
