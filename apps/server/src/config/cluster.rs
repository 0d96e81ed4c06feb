//! Whether this is one node among others, and how they speak to each other. Opening the link is `cluster`'s part.

use super::database_url::DatabaseUrl;
use super::layers::Layers;
use super::{ConfigError, needed, optional, setting};

/// The way to other nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The Redis over which they speak.
    pub url: DatabaseUrl,
    /// What its channels begin with, for this installation.
    pub prefix: String,
}

impl Cluster {
    /// Reads what was given; `None` for a node that is alone.
    pub(super) fn read(layers: &Layers) -> Result<Option<Self>, ConfigError> {
        // Read even where it is of no use: a value that cannot be used is a slip worth hearing of.
        let prefix = needed(layers, &setting::REDIS_PREFIX, prefix)?;
        Ok(optional(layers, &setting::REDIS_URL, redis_url)?.map(|url| Self { url, prefix }))
    }
}

/// A URL of Redis. Problems do not repeat it: it may hold a password.
fn redis_url(url: &str) -> Result<DatabaseUrl, String> {
    match url.split_once("://") {
        Some(("redis" | "rediss", host)) if !host.is_empty() => DatabaseUrl::new(url),
        _ => Err("is not of the form redis://[USER:PASSWORD@]HOST[:PORT], or rediss://… with TLS".to_owned()),
    }
}

fn prefix(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    if (1..=64).contains(&text.len()) && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is not 1 to 64 letters, digits or _ . : -"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_does_not_repeat_a_password() {
        for url in ["redis:me:hush@db", "redis://me:hu@hush@db", "http://me:hush@db", "hush"] {
            let problem = redis_url(url).unwrap_err();
            assert!(!problem.contains("hush"), "{problem}");
        }
        for url in ["redis://redis", "rediss://me:hush@redis:6380/1", "redis://:hush@[::1]:6379"] {
            assert_eq!(redis_url(url).unwrap().reveal(), url);
        }
    }
}
