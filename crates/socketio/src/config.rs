//! What can be set about the transport, with the contract's defaults (`errors.md`, "limit").

use std::time::Duration;

use parlance_dialects::{AnyDialect, Dialects};

use crate::net::TrustedProxies;

/// Settings of the Socket.IO transport.
#[derive(Debug, Clone)]
pub struct Config {
    /// What can be spoken here (default: the five).
    pub dialects: Dialects,
    /// What a socket speaks when neither it nor its listener says (`DEFAULT_DIALECT`, default `talentbridge`); one of
    /// `dialects`, as are those of the listeners.
    pub default_dialect: AnyDialect,
    /// The largest packet in bytes; a larger one closes the connection (`MAX_PACKET_BYTES`, default 1 MiB).
    pub max_packet_bytes: usize,
    /// Sockets of one user on this node (`MAX_SOCKETS_PER_USER`, default 20).
    pub max_sockets_per_user: usize,
    /// Failed handshakes of one network in a minute (`RATE_FAILED_HANDSHAKES`, default 30); `None`: any number.
    pub failed_handshakes: Option<u32>,
    /// Sessions that have no user yet, a quarter of which one network may have (default 8,192); `None`: any number.
    pub waiting_sessions: Option<usize>,
    /// Whose `X-Forwarded-For` is believed (`TRUSTED_PROXIES`, default nobody's).
    pub trusted_proxies: TrustedProxies,
    /// When a client is gone that reads no more while something is sent to it (`SLOW_CONSUMER_TIMEOUT`, default 10 s):
    /// from the moment when it stops, not from when that is noticed.
    pub slow_consumer_timeout: Duration,
    /// What the kernel keeps of unsent bytes per connection (default: what the system decides, up to some megabytes).
    /// A smaller buffer notices slow consumers sooner and bounds what they cost, and bounds the speed of downloads.
    pub send_buffer_bytes: Option<usize>,
    /// How often a client is pinged (default 25 s).
    pub ping_interval: Duration,
    /// How long it may take to answer (default 20 s).
    pub ping_timeout: Duration,
    /// How long a connection may stay without a Socket.IO session (default 10 s).
    pub connect_timeout: Duration,
    /// How long the body of a polling client's request may take (default 30 s).
    pub post_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            dialects: Dialects::default(),
            default_dialect: AnyDialect::default(),
            max_packet_bytes: 1 << 20,
            max_sockets_per_user: 20,
            failed_handshakes: Some(30),
            waiting_sessions: Some(8_192),
            trusted_proxies: TrustedProxies::default(),
            slow_consumer_timeout: Duration::from_secs(10),
            send_buffer_bytes: None,
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(10),
            post_timeout: Duration::from_secs(30),
        }
    }
}

impl Config {
    /// How long a connection may take nothing of what waits for it, by every clock that watches it: three quarters of the
    /// time that a client has. The other quarter passes before any of them runs: a client that has stopped reading goes on
    /// taking until its own buffer is full, and the system asks it once whether that is so.
    pub(crate) fn stall_limit(&self) -> Duration {
        self.slow_consumer_timeout * 3 / 4
    }
}
