//! Whether this is one node among others, and how they speak to each other. Opening the link is `cluster`'s part.

use super::database_url::DatabaseUrl;
use super::layers::Layers;
use super::{ConfigError, Setting, needed, optional, setting};

/// What brings words from node to node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Redis, in one of three ways.
    Redis,
    /// NATS.
    Nats,
}

impl Engine {
    /// What it is called where operators look.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Nats => "nats",
        }
    }

    /// The setting that names its address.
    pub(crate) fn url_setting(self) -> &'static Setting {
        match self {
            Self::Redis => &setting::REDIS_URL,
            Self::Nats => &setting::NATS_URL,
        }
    }

    /// The setting of what its topics begin with.
    pub(crate) fn prefix_setting(self) -> &'static Setting {
        match self {
            Self::Redis => &setting::REDIS_PREFIX,
            Self::Nats => &setting::NATS_PREFIX,
        }
    }
}

/// The way to other nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Over what they speak.
    pub engine: Engine,
    /// Where that is.
    pub url: DatabaseUrl,
    /// What its channels or subjects begin with, for this installation.
    pub prefix: String,
}

impl Cluster {
    /// Reads what was given; `None` for a node that is alone.
    pub(super) fn read(layers: &Layers) -> Result<Option<Self>, ConfigError> {
        // Read even where they are of no use: a value that cannot be used is a slip worth hearing of.
        let redis_prefix = needed(layers, &setting::REDIS_PREFIX, redis_prefix)?;
        let nats_prefix = needed(layers, &setting::NATS_PREFIX, nats_prefix)?;
        let redis = optional(layers, &setting::REDIS_URL, redis_url)?;
        let nats = optional(layers, &setting::NATS_URL, nats_url)?;
        match (redis, nats) {
            (Some(_), Some(_)) => Err(layers
                .refuse(setting::NATS_URL.name, "REDIS_URL names another way to other nodes: give one".to_owned())),
            (Some(url), None) => Ok(Some(Self { engine: Engine::Redis, url, prefix: redis_prefix })),
            (None, Some(url)) => Ok(Some(Self { engine: Engine::Nats, url, prefix: nats_prefix })),
            (None, None) => Ok(None),
        }
    }
}

/// A URL of Redis. Problems do not repeat it: it may hold a password.
fn redis_url(url: &str) -> Result<DatabaseUrl, String> {
    let service =
        |host: &str| host.split_once('/').is_some_and(|(hosts, service)| !hosts.is_empty() && !service.is_empty());
    match url.split_once("://") {
        Some(("redis" | "rediss" | "redis-cluster" | "rediss-cluster", host)) if !host.is_empty() => {
            DatabaseUrl::new(url)
        }
        Some(("redis+sentinel" | "rediss+sentinel", host)) if service(host) => DatabaseUrl::new(url),
        _ => Err("is not of the form redis://[USER:PASSWORD@]HOST[:PORT], redis+sentinel://HOST,…/SERVICE or \
                  redis-cluster://HOST,…, or rediss with TLS"
            .to_owned()),
    }
}

/// A URL of NATS, likewise.
fn nats_url(url: &str) -> Result<DatabaseUrl, String> {
    match url.split_once("://") {
        // As a name it would not be taken for a secret.
        Some(("nats" | "tls", host)) if host.rsplit_once('@').is_some_and(|(user, _)| !user.contains(':')) => {
            Err("a token is written as a password without a name, nats://:TOKEN@HOST".to_owned())
        }
        Some(("nats" | "tls", host)) if !host.is_empty() => DatabaseUrl::new(url),
        _ => Err("is not of the form nats://[USER:PASSWORD@]HOST[:PORT][,HOST…], or tls://… with TLS".to_owned()),
    }
}

fn redis_prefix(text: &str) -> Result<String, String> {
    prefix(text, "_.:-")
}

/// Dots divide subjects, and what is between them is never empty.
fn nats_prefix(text: &str) -> Result<String, String> {
    prefix(text, "_-")
}

fn prefix(text: &str, others: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    if (1..=64).contains(&text.len()) && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        let others: Vec<String> = others.chars().map(String::from).collect();
        Err(format!("{text:?} is not 1 to 64 letters, digits or {}", others.join(" ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_does_not_repeat_a_password() {
        for url in
            ["redis:me:hush@db", "redis://me:hu@hush@db", "http://me:hush@db", "hush", "redis+sentinel://me:hush@db"]
        {
            let problem = redis_url(url).unwrap_err();
            assert!(!problem.contains("hush"), "{problem}");
        }
        for url in [
            "redis://redis",
            "rediss://me:hush@redis:6380/1",
            "redis://:hush@[::1]:6379",
            "redis+sentinel://me:hush@a:26379,b/chat",
            "rediss-cluster://a:7000,b:7000",
        ] {
            assert_eq!(redis_url(url).unwrap().reveal(), url);
        }
        for url in ["nats:me:hush@a", "nats://me:hu@hush@a", "ws://me:hush@a", "hush", "nats://hush@a"] {
            let problem = nats_url(url).unwrap_err();
            assert!(!problem.contains("hush"), "{problem}");
        }
        for url in ["nats://me:hush@a:4222,b", "nats://:hush@a", "tls://a"] {
            assert_eq!(nats_url(url).unwrap().reveal(), url);
        }
    }
}
