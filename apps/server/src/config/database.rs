//! Which storage `DATABASE_URL` or `MONGODB_URI` names, and how it is used. Opening it is `storage`'s part.

use std::path::Path;
use std::time::Duration;

use super::database_url::DatabaseUrl;
use super::layers::Layers;
use super::value::{self, choice};
use super::{ConfigError, bounded, needed, optional, setting};

/// What is possible, for refusals.
const KNOWN: &str = "use sqlite://FILE, postgres://…, mongodb://… or memory:";

/// Where users, conversations and messages are kept, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Which storage.
    pub at: DatabaseAt,
    /// Whether the server brings the schema up to date when it starts; it refuses an old one otherwise.
    pub migrate: bool,
    /// Connections to a database server at a time.
    pub max_connections: u32,
    /// How long the server waits for its database when it starts.
    pub connect_timeout: Duration,
    /// How long a call may wait for the database.
    pub timeout: Duration,
    /// `MONGODB_URI` names another database, which is not used.
    pub overruled: bool,
}

/// A storage that this server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseAt {
    /// In memory: gone when the process ends.
    Memory,
    /// A SQLite file.
    Sqlite {
        /// The whole URL.
        url: String,
        /// The folder to make before, when the place was not chosen by anybody.
        make_folder: bool,
    },
    /// A PostgreSQL server.
    Postgres(DatabaseUrl),
    /// A MongoDB deployment.
    Mongo(DatabaseUrl),
}

impl Database {
    /// Reads what was given. `DATABASE_URL` wins over `MONGODB_URI`, the name that the guides use.
    pub(super) fn read(layers: &Layers, data_dir: &Path) -> Result<Self, ConfigError> {
        let named = optional(layers, &setting::DATABASE_URL, DatabaseAt::parse)?;
        let mongo = optional(layers, &setting::MONGODB_URI, DatabaseAt::parse_mongo)?;
        let overruled = named.is_some() && mongo.is_some() && named != mongo;
        Ok(Self {
            at: named.or(mongo).unwrap_or_else(|| DatabaseAt::in_folder(data_dir)),
            migrate: needed(layers, &setting::DATABASE_MIGRATE, choice([("on", true), ("off", false)]))?,
            max_connections: bounded(layers, &setting::DATABASE_MAX_CONNECTIONS)?.try_into().unwrap_or(u32::MAX),
            connect_timeout: needed(layers, &setting::DATABASE_CONNECT_TIMEOUT, value::nonzero_duration)?,
            timeout: needed(layers, &setting::DATABASE_TIMEOUT, value::nonzero_duration)?,
            overruled,
        })
    }
}

impl DatabaseAt {
    /// The database that is used when none is named.
    fn in_folder(data_dir: &Path) -> Self {
        Self::Sqlite { url: format!("sqlite://{}", data_dir.join("parlance.db").display()), make_folder: true }
    }

    /// The storage of a URL. Problems name its scheme only: the rest may hold a password.
    pub fn parse(url: &str) -> Result<Self, String> {
        match url.split_once(':') {
            Some(("memory", "")) => Ok(Self::Memory),
            Some(("sqlite", _)) => Ok(Self::Sqlite { url: url.to_owned(), make_folder: false }),
            Some(("postgres" | "postgresql", _)) => DatabaseUrl::new(url).map(Self::Postgres),
            Some(("mongodb" | "mongodb+srv", _)) => Self::parse_mongo(url),
            Some((scheme, _)) => Err(format!("no storage for scheme {scheme:?}; {KNOWN}")),
            None => Err(format!("is no URL; {KNOWN}")),
        }
    }

    fn parse_mongo(url: &str) -> Result<Self, String> {
        match url.split_once("://") {
            Some(("mongodb" | "mongodb+srv", _)) => DatabaseUrl::new(url).map(Self::Mongo),
            _ => Err("is not of the form mongodb://HOST[:PORT]/NAME or mongodb+srv://HOST/NAME".to_owned()),
        }
    }

    /// The URL, as it may be shown.
    pub fn shown(&self) -> String {
        match self {
            Self::Memory => "memory:".to_owned(),
            Self::Sqlite { url, .. } => url.clone(),
            Self::Postgres(url) | Self::Mongo(url) => url.to_string(),
        }
    }

    /// Whether other processes may write to it.
    pub fn is_shared(&self) -> bool {
        match self {
            Self::Memory | Self::Sqlite { .. } => false,
            Self::Postgres(_) | Self::Mongo(_) => true,
        }
    }

    /// Whether something is left out when it is shown.
    pub(super) fn has_secrets(&self) -> bool {
        match self {
            Self::Memory | Self::Sqlite { .. } => false,
            Self::Postgres(url) | Self::Mongo(url) => url.has_secrets(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_storage() {
        assert_eq!(DatabaseAt::parse("memory:"), Ok(DatabaseAt::Memory));
        assert_eq!(DatabaseAt::parse("sqlite://./chat.db").unwrap().shown(), "sqlite://./chat.db");
        assert_eq!(DatabaseAt::in_folder(Path::new("./data")).shown(), "sqlite://./data/parlance.db");
        for url in ["postgres://db/chat", "postgresql://db/chat"] {
            assert!(matches!(DatabaseAt::parse(url), Ok(DatabaseAt::Postgres(_))), "{url}");
        }
        for url in ["mongodb://a,b/chat?replicaSet=rs0", "mongodb+srv://db/chat"] {
            assert!(matches!(DatabaseAt::parse(url), Ok(DatabaseAt::Mongo(_))), "{url}");
            assert_eq!(DatabaseAt::parse_mongo(url), DatabaseAt::parse(url));
        }
        assert!(DatabaseAt::parse_mongo("postgres://db/chat").is_err());
    }

    #[test]
    fn a_refusal_does_not_repeat_a_password() {
        for url in ["postgres:me:hush@db", "mongodb://me:hu@hush@db", "odd://me:hush@db", "hush"] {
            let problem = DatabaseAt::parse(url).unwrap_err();
            assert!(!problem.contains("hush"), "{problem}");
        }
    }
}
