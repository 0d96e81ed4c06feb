//! `parlance health`: asks the server of this configuration, on this machine, whether it can work. For supervisors that
//! run a command to find out, in images without a shell. Of a server that speaks TLS it is only seen that it listens:
//! its certificate is for another name than ours.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use parlance_server::config::{Config, Listen};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::failure::Failure;
use super::say;

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than an answer has, in bytes.
const MAX_ANSWER: u64 = 16 * 1024;

const REQUEST: &[u8] = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

pub(super) async fn run(config: &Config) -> Result<(), Failure> {
    let Some(Listen { address, .. }) = config.listen.first().filter(|listen| listen.address.port() != 0) else {
        return Err(Failure::Usage("LISTEN names no port that could be asked".to_owned()));
    };
    let address = SocketAddr::new(on_this_machine(address.ip()), address.port());
    let asked = timeout(PATIENCE, ask(address, config.tls.is_some())).await;
    let answer = asked
        .map_err(|_| Failure::running(format!("{address} does not answer within {PATIENCE:?}")))?
        .map_err(|error| Failure::running(format!("{address} does not answer: {error}")))?;
    match answer {
        None => say("listening\n"),
        Some(status) if status.contains(" 200 ") => say("ready\n"),
        Some(status) => Err(Failure::running(format!("{address} is not ready: {status}"))),
    }
}

/// The status line of the answer; `None` where there can be none.
async fn ask(address: SocketAddr, tls: bool) -> std::io::Result<Option<String>> {
    let mut stream = TcpStream::connect(address).await?;
    if tls {
        return Ok(None);
    }
    stream.write_all(REQUEST).await?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).lines().next().map(str::to_owned))
}

/// Where a listener is reached that listens everywhere.
fn on_this_machine(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}
