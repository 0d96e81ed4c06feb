//! `/api/v1/calls`: where browsers in a call find ways to each other. TURN servers take credentials that last for a
//! while and that this server makes without asking them (coturn's `use-auth-secret`); calls themselves are signalled
//! over the socket.

use std::fmt;
use std::time::Duration;

use axum::extract::State;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use parlance_domain::model::{Timestamp, UserId};
use parlance_domain::{Error, Result};
use schemars::JsonSchema;
use serde::Serialize;
use sha1::Sha1;

use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::description::{About, Routes};
use crate::extract::Caller;

pub(crate) fn routes() -> Routes {
    Routes::under("Calls").get(
        "/api/v1/calls/ice-servers",
        ice_servers,
        About::new("listIceServers", "STUN and TURN servers for a call, with credentials that last for a while"),
    )
}

/// The STUN and TURN servers that clients are told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceServers {
    /// Their addresses (`ICE_SERVERS`): `stun:…`, `turn:…`, `turns:…`; none by default.
    pub urls: Vec<String>,
    /// What the TURN servers share with us (`TURN_SECRET`). Without it none of them is told of.
    pub turn_secret: Option<TurnSecret>,
    /// How long credentials last (`TURN_TTL`, default 1 hour).
    pub turn_ttl: Duration,
}

impl Default for IceServers {
    fn default() -> Self {
        Self { urls: Vec::new(), turn_secret: None, turn_ttl: Duration::from_hours(1) }
    }
}

/// A secret that is shared with TURN servers.
#[derive(Clone, PartialEq, Eq)]
pub struct TurnSecret(String);

impl TurnSecret {
    /// This secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The password that goes with a username.
    fn password(&self, username: &str) -> Result<String> {
        let mut mac = Hmac::<Sha1>::new_from_slice(self.0.as_bytes()).map_err(Error::internal)?;
        mac.update(username.as_bytes());
        Ok(BASE64_STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for TurnSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TurnSecret(…)")
    }
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IceData {
    ice_servers: Vec<IceServer>,
    /// Seconds until TURN credentials have to be asked for again.
    ttl: u64,
}

/// As browsers take it.
#[derive(Debug, PartialEq, Eq, JsonSchema, Serialize)]
struct IceServer {
    urls: Vec<String>,
    #[serde(flatten)]
    credentials: Option<Credentials>,
}

#[derive(Debug, PartialEq, Eq, JsonSchema, Serialize)]
struct Credentials {
    username: String,
    credential: String,
}

async fn ice_servers(State(rest): Rest, Caller(caller): Caller) -> Answered<IceData> {
    let ice = &rest.settings.ice;
    let data = IceData { ice_servers: ice.servers(&caller.id, rest.clock.now())?, ttl: ice.turn_ttl.as_secs() };
    Ok(Answer::ok("ICE servers", data))
}

impl IceServers {
    fn servers(&self, user: &UserId, now: Timestamp) -> Result<Vec<IceServer>> {
        let (stun, turn): (Vec<String>, Vec<String>) =
            self.urls.iter().cloned().partition(|url| url.starts_with("stun"));
        let mut servers = Vec::new();
        if !stun.is_empty() {
            servers.push(IceServer { urls: stun, credentials: None });
        }
        if let (Some(secret), false) = (&self.turn_secret, turn.is_empty()) {
            let username = format!("{}:{user}", now.plus(self.turn_ttl).millis() / 1_000);
            let credential = secret.password(&username)?;
            servers.push(IceServer { urls: turn, credentials: Some(Credentials { username, credential }) });
        }
        Ok(servers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> UserId {
        "alice".parse().expect("a valid id")
    }

    #[test]
    fn credentials_are_what_coturn_computes() {
        let ice = IceServers {
            urls: vec!["stun:stun.example.com".into(), "turn:turn.example.com:3478?transport=udp".into()],
            turn_secret: Some(TurnSecret::new("north")),
            turn_ttl: Duration::from_hours(1),
        };
        let servers = ice.servers(&user(), Timestamp::from_millis(1_800_000_000_999)).expect("servers");
        // printf '1800003600:alice' | openssl dgst -sha1 -hmac north -binary | base64
        let credentials =
            Credentials { username: "1800003600:alice".into(), credential: "qe6uQh2FdtYywRuncfIrYF8O4Rk=".into() };
        assert_eq!(
            servers,
            [
                IceServer { urls: vec!["stun:stun.example.com".into()], credentials: None },
                IceServer {
                    urls: vec!["turn:turn.example.com:3478?transport=udp".into()],
                    credentials: Some(credentials)
                },
            ]
        );
    }

    #[test]
    fn a_turn_server_without_a_secret_is_not_told_of() {
        let ice = IceServers { urls: vec!["turn:turn.example.com".into()], ..IceServers::default() };
        assert_eq!(ice.servers(&user(), Timestamp::from_millis(0)), Ok(vec![]));
    }

    #[test]
    fn a_secret_stays_out_of_the_log() {
        assert!(!format!("{:?}", TurnSecret::new("north")).contains("north"));
    }
}
