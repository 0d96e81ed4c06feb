//! Where words go: to one Redis, to the one that Sentinels name, or to the node of a Redis Cluster that has the
//! installation's channels. It is asked anew for each connection, so that what took the place of a server that is gone is
//! found.

use std::sync::atomic::{AtomicUsize, Ordering};

use redis::sentinel::{Sentinel, SentinelNodeConnectionInfo};
use redis::{
    Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisError, RedisResult, TlsMode, Value,
    from_redis_value,
};

/// Where a Sentinel listens that names no port.
const SENTINEL_PORT: u16 = 26_379;

/// Sentinels, and what they watch.
pub(crate) struct Sentinels {
    open: Vec<ConnectionInfo>,
    /// The same with the server's user and password, for those that want to know who asks.
    guarded: Vec<ConnectionInfo>,
    service: String,
    server: SentinelNodeConnectionInfo,
}

/// Where Redis is.
pub(crate) enum Place {
    One(Client),
    Sentinels(Sentinels),
    Cluster { members: Vec<ConnectionInfo>, turn: AtomicUsize },
}

impl Place {
    /// Reads a URL.
    pub(crate) fn read(url: &str) -> RedisResult<Self> {
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let Some((plain @ ("redis" | "rediss"), kind)) = scheme.split_once(['+', '-']) else {
            return Client::open(url).map(Self::One);
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (format!("{credentials}@"), hosts),
            None => (String::new(), authority),
        };
        let hosts: Vec<&str> = hosts.split(',').filter(|host| !host.is_empty()).collect();
        let first = *hosts.first().ok_or_else(|| refused("no host"))?;
        let url_of = |credentials: &str, host: &str| format!("{plain}://{credentials}{host}").into_connection_info();
        match (kind, path) {
            ("sentinel", service) if !service.is_empty() => {
                let settings = url_of(&credentials, first)?.redis_settings().clone();
                let server = SentinelNodeConnectionInfo::default().set_redis_connection_info(settings);
                let server = if plain == "rediss" { server.set_tls_mode(TlsMode::Secure) } else { server };
                let all = |credentials: &str| {
                    hosts.iter().map(|host| url_of(credentials, &with_port(host))).collect::<RedisResult<_>>()
                };
                let (open, guarded) = (all("")?, all(&credentials)?);
                Ok(Self::Sentinels(Sentinels { open, guarded, service: service.to_owned(), server }))
            }
            ("cluster", "") => {
                let members = hosts.into_iter().map(|host| url_of(&credentials, host)).collect::<RedisResult<_>>()?;
                Ok(Self::Cluster { members, turn: AtomicUsize::new(0) })
            }
            _ => Err(refused("neither Sentinels with a service nor a cluster")),
        }
    }

    pub(crate) fn is_cluster(&self) -> bool {
        matches!(self, Self::Cluster { .. })
    }

    /// The server for `channel`, and in a cluster for all that have its hash tag.
    pub(crate) async fn primary(&self, channel: &str) -> RedisResult<Client> {
        match self {
            Self::One(client) => Ok(client.clone()),
            Self::Sentinels(sentinels) => match sentinels.primary(&sentinels.open).await {
                Err(error) if error.code() == Some("NOAUTH") => sentinels.primary(&sentinels.guarded).await,
                asked => asked,
            },
            Self::Cluster { members, turn } => {
                // Another one begins each time: the first may be cut off from the others, and know nothing better.
                let begin = turn.fetch_add(1, Ordering::Relaxed);
                let mut problem = refused("no members");
                for n in 0..members.len() {
                    match owner(&members[begin.wrapping_add(n) % members.len()], channel).await {
                        Ok(client) => return Ok(client),
                        Err(error) => problem = error,
                    }
                }
                Err(problem)
            }
        }
    }
}

impl Sentinels {
    async fn primary(&self, sentinels: &[ConnectionInfo]) -> RedisResult<Client> {
        Sentinel::build(sentinels.to_vec())?.async_master_for(&self.service, Some(&self.server)).await
    }
}

/// Asks a member of a cluster which node has a channel's slot.
async fn owner(member: &ConnectionInfo, channel: &str) -> RedisResult<Client> {
    let mut connection = Client::open(member.clone())?.get_multiplexed_async_connection().await?;
    let asked = redis::cmd("CLUSTER").arg("KEYSLOT").arg(channel).to_owned();
    let slot: u16 = asked.query_async(&mut connection).await?;
    let ranges: Vec<Vec<Value>> = redis::cmd("CLUSTER").arg("SLOTS").query_async(&mut connection).await?;
    for range in ranges {
        // First and last slot, the primary, and its replicas.
        let mut range = range.into_iter();
        let (Some(first), Some(last), Some(primary)) = (range.next(), range.next(), range.next()) else { continue };
        if (from_redis_value::<u16>(first)?..=from_redis_value(last)?).contains(&slot) {
            return Client::open(moved_to(member, primary)?);
        }
    }
    Err(refused("no node has the channels"))
}

/// A member's settings with the address of another one, as `CLUSTER SLOTS` names it.
fn moved_to(member: &ConnectionInfo, address: Value) -> RedisResult<ConnectionInfo> {
    let mut address = from_redis_value::<Vec<Value>>(address)?.into_iter();
    let (Some(named), Some(port)) = (address.next(), address.next()) else { return Err(refused("no address")) };
    // None: it is where the asked one is.
    let named = from_redis_value::<Option<String>>(named)?.filter(|host| !host.is_empty());
    let port = from_redis_value(port)?;
    let moved = match member.addr() {
        ConnectionAddr::Tcp(host, _) => ConnectionAddr::Tcp(named.unwrap_or_else(|| host.clone()), port),
        ConnectionAddr::TcpTls { host, insecure, tls_params, .. } => ConnectionAddr::TcpTls {
            host: named.unwrap_or_else(|| host.clone()),
            port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        _ => return Err(refused("a member without a host")),
    };
    Ok(member.clone().set_addr(moved))
}

fn with_port(host: &str) -> String {
    let has_port = host.rsplit_once(':').is_some_and(|(before, _)| !before.contains(':') || before.ends_with(']'));
    if has_port { host.to_owned() } else { format!("{host}:{SENTINEL_PORT}") }
}

fn refused(why: &'static str) -> RedisError {
    (ErrorKind::InvalidClientConfig, why).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_kinds_of_places_have_urls_of_their_own() {
        assert!(matches!(Place::read("redis://me:hush@redis:1/2"), Ok(Place::One(_))));
        let Ok(Place::Sentinels(Sentinels { open, guarded, service, .. })) =
            Place::read("rediss+sentinel://me:hush@a,b:7,[::1],[::1]:8/chat")
        else {
            panic!("Sentinels")
        };
        assert_eq!(service, "chat");
        let addresses: Vec<String> = open.iter().map(|one| one.addr().to_string()).collect();
        assert_eq!(addresses, ["a:26379", "b:7", "::1:26379", "::1:8"]);
        assert!(open.iter().all(|one| one.redis_settings().password().is_none()));
        assert!(guarded.iter().all(|one| one.redis_settings().password() == Some("hush")));
        let Ok(Place::Cluster { members, .. }) = Place::read("redis-cluster://me:hush@a,b:7/") else {
            panic!("a cluster")
        };
        assert_eq!(members.len(), 2);
        assert!(members.iter().all(|one| one.redis_settings().password() == Some("hush")));
    }

    #[test]
    fn what_names_no_place_is_refused() {
        for url in
            ["redis", "http://a", "redis+sentinel://a", "redis+sentinel:///chat", "redis-cluster://", "redis+x://a"]
        {
            assert!(Place::read(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_member_that_does_not_name_the_other_means_its_own_machine() {
        let member = "redis://a:1".into_connection_info().unwrap();
        let at = |host| Value::Array(vec![host, Value::Int(9), Value::BulkString(b"id".to_vec())]);
        let moved = |host| moved_to(&member, at(host)).unwrap().addr().to_string();
        assert_eq!(moved(Value::Nil), "a:9");
        assert_eq!(moved(Value::BulkString(b"b".to_vec())), "b:9");
    }
}
