//! Where a client is. Behind proxies the connection says only where the last of them is: each hop adds the address it
//! was called from to `X-Forwarded-For`. The list is read from its end, as long as the hop that added an entry is a
//! trusted one; what stands further left anybody can have written.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use axum::http::HeaderMap;
use axum::http::header::HeaderName;
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Networks whose word on a client's address is taken (`TRUSTED_PROXIES`); none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// Not an address, nor a network such as `10.0.0.0/8`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address or network, such as 10.0.0.0/8")]
pub struct InvalidNetwork(pub String);

/// Reads a comma-separated list of addresses and networks.
impl FromStr for TrustedProxies {
    type Err = InvalidNetwork;

    fn from_str(list: &str) -> Result<Self, InvalidNetwork> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let network = |entry: &str| {
            let alone = || entry.parse::<IpAddr>().map(IpNet::from);
            entry.parse().or_else(|_| alone()).map_err(|_| InvalidNetwork(entry.to_owned()))
        };
        entries.map(network).collect::<Result<_, _>>().map(Self)
    }
}

/// The list as it was read.
impl std::fmt::Display for TrustedProxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let networks: Vec<String> = self.0.iter().map(IpNet::to_string).collect();
        f.write_str(&networks.join(","))
    }
}

impl TrustedProxies {
    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Where the client is whose request came over a connection from `peer` with these headers.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let entries = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        for entry in entries {
            if !self.trusts(client) {
                break;
            }
            // A hop that writes what is no address has not said where it was called from: it is the last known one.
            let Some(next) = address(entry.trim()) else { break };
            client = next;
        }
        client
    }

    /// Whether a proxy seems to be there that nobody named: then all of its clients look like one.
    pub(crate) fn overlooks(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        headers.contains_key(FORWARDED_FOR) && !self.trusts(peer.to_canonical())
    }
}

/// An address as proxies write it: alone, in brackets, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip())).ok()?;
    Some(IpAddr::to_canonical(&address))
}

/// What counts as one client's network: an IPv4 address, or the /64 of an IPv6 one, all of which one customer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Network(IpAddr);

impl Network {
    pub(crate) fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &str, peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let trusted: TrustedProxies = trusted.parse().unwrap();
        trusted.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn without_trusted_proxies_the_peer_is_the_client() {
        assert_eq!(client("", "203.0.113.7", &["198.51.100.1"]), "203.0.113.7");
        assert_eq!(client("10.0.0.0/8", "203.0.113.7", &["198.51.100.1"]), "203.0.113.7");
    }

    #[test]
    fn the_list_is_read_from_its_end_through_trusted_hops_only() {
        let trusted = "10.0.0.0/8, 192.0.2.1";
        assert_eq!(client(trusted, "10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(trusted, "10.0.0.1", &["6.6.6.6, 198.51.100.1"]), "198.51.100.1", "the first may be made up");
        assert_eq!(client(trusted, "10.0.0.1", &["198.51.100.1, 192.0.2.1, 10.9.9.9"]), "198.51.100.1");
        assert_eq!(
            client(trusted, "10.0.0.1", &["6.6.6.6", "198.51.100.1", "192.0.2.1"]),
            "198.51.100.1",
            "lines are one list"
        );
        assert_eq!(client(trusted, "10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3", "a client inside");
        assert_eq!(client(trusted, "10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn what_is_no_address_ends_the_list() {
        for rubbish in ["unknown", "", "_hidden", "1.2.3", "198.51.100.1;for", "::1]"] {
            assert_eq!(
                client("10.0.0.0/8", "10.0.0.1", &[&format!("198.51.100.1, {rubbish}, 10.0.0.2")]),
                "10.0.0.2",
                "{rubbish:?}"
            );
        }
    }

    #[test]
    fn addresses_are_known_in_every_form() {
        for written in ["2001:db8::5", "[2001:db8::5]", "[2001:db8::5]:4711"] {
            assert_eq!(client("::ffff:10.0.0.1,10.0.0.1", "::ffff:10.0.0.1", &[written]), "2001:db8::5", "{written}");
        }
        for written in ["198.51.100.1", "198.51.100.1:4711", "::ffff:198.51.100.1"] {
            assert_eq!(client("fd00::/8", "fd00::1", &[written]), "198.51.100.1", "{written}");
        }
    }

    #[test]
    fn one_customer_is_one_network() {
        let of = |text: &str| Network::of(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2::1"), of("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_ne!(of("198.51.100.1"), of("198.51.100.2"));
        assert_eq!(of("198.51.100.1"), of("::ffff:198.51.100.1"));
    }

    #[test]
    fn a_list_is_read_and_shown() {
        let list: TrustedProxies = " 10.0.0.0/8, ::1 ,".parse().unwrap();
        assert_eq!(list.to_string(), "10.0.0.0/8,::1/128");
        for bad in ["10.0.0.0/33", "proxy", "10.0.0"] {
            assert_eq!(bad.parse::<TrustedProxies>(), Err(InvalidNetwork(bad.to_owned())));
        }
    }
}
