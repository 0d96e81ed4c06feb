//! `parlance serve`: the server, until a signal ends it.

use std::time::Duration;

use parlance_domain::model::{ClaimedProfile, UserId};
use parlance_domain::ports::{Claims, Clock};
use parlance_server::config::{Config, Flags};
use parlance_server::logging::LogFilter;
use parlance_server::signals::Hangups;
use parlance_server::system::SystemClock;
use parlance_server::{Metrics, Server, Traces, signals};

use super::failure::Failure;
use super::{reload, say, token};

const DEMO_USERS: [(&str, &str); 2] = [("alice", "Alice"), ("bob", "Bob")];
const DEMO_TOKENS_LAST: Duration = Duration::from_hours(7 * 24);

pub(super) async fn run(
    config: Config,
    flags: Flags,
    filter: LogFilter,
    traces: Option<Traces>,
) -> Result<(), Failure> {
    // Heard from here on, so that a signal right after the first line is not the end of the process.
    let terminated = signals::terminated();
    // What is tried out in a terminal ends with it.
    let hangups = if config.dev { Hangups::none() } else { signals::hangups() };
    config.require_keys()?;
    if !config.rates.hold {
        tracing::warn!("RATE_LIMITS is off: clients may send as fast as they can");
    }
    if config.database.overruled {
        tracing::warn!("MONGODB_URI names another database than DATABASE_URL and is not used");
    }
    let mut builder = Server::builder(config.clone());
    if config.metrics {
        builder = builder.metrics(Metrics::install().map_err(Failure::running)?);
    }
    if let Some(traces) = traces {
        builder = builder.traces(traces);
    }
    let server = builder.build().await?;
    let demo = if config.dev { welcome(&config, &server).await? } else { String::new() };
    for (address, dialect) in server.addresses() {
        say(&format!("parlance listening on {}://{address} ({dialect})\n", server.scheme()))?;
    }
    say(&demo)?;
    let reloading = reload::on(hangups, server.reloading(), flags, filter);
    tokio::select! {
        ended = Box::pin(server.run(terminated)) => ended.map_err(Failure::running),
        never = Box::pin(reloading) => match never {},
    }
}

/// What `--dev` says: that it is not for production, and who can be tried out with which token.
async fn welcome(config: &Config, server: &Server) -> Result<String, Failure> {
    tracing::warn!("--dev: this server is for trying out, not for production");
    let mut lines = vec![
        String::new(),
        "This is a server for trying out, not for production (--dev): on loopback only, with demo users.".to_owned(),
    ];
    if config.secret.is_none() {
        lines.push(format!("It signs tokens with a secret of its own making, kept in {}.", config.data_dir.display()));
    }
    for (id, name) in DEMO_USERS {
        let user_id: UserId = id.parse().map_err(Failure::running)?;
        let profile = ClaimedProfile { name: Some(name.to_owned()), picture: None };
        let token = token::for_user(config, user_id.clone(), profile.clone(), DEMO_TOKENS_LAST)?;
        let claims = Claims { user_id, profile, email: None, issued_at: Some(SystemClock.now()), expires_at: None };
        server.services().directory.admit(&claims).await.map_err(Failure::running)?;
        lines.extend([String::new(), format!("{name} (user id `{id}`), token for seven days:"), token]);
    }
    if let (Some(_), Some((address, _))) = (&config.web_dir, server.addresses().first()) {
        lines.extend([
            String::new(),
            format!("To chat, open {}://{address}/ in two windows, and sign in as two people.", server.scheme()),
        ]);
    }
    lines.extend(
        ["", "To see a message go from one to the other, in another terminal: make demo", "", ""].map(str::to_owned),
    );
    Ok(lines.join("\n"))
}
