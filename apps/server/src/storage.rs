//! Opens the storage that the configuration names, and closes it. Each failure names the setting (or the folder it
//! follows from), in one line without a password.

use std::fmt::Display;
use std::sync::Arc;

use parlance_domain::ports::{Archive, Storage};
use parlance_storage_memory::MemoryStorage;
use parlance_storage_sql::{Options, SqlStorage};

use crate::config::{Config, ConfigError, DatabaseAt};

/// An open storage, with what it takes to close it.
pub(crate) struct Opened {
    pub(crate) storage: Arc<dyn Storage>,
    database: Option<SqlStorage>,
}

impl Opened {
    /// Opens what `config` names. Its schema is brought up to date first, or with `DATABASE_MIGRATE=off` must be.
    pub(crate) async fn open(config: &Config) -> Result<Self, ConfigError> {
        match &config.database.at {
            DatabaseAt::Memory => Ok(Self { storage: Arc::new(MemoryStorage::new()), database: None }),
            DatabaseAt::Sqlite { url, make_folder } => {
                if *make_folder {
                    make_data_folder(config).await?;
                }
                Self::sql(config, url).await
            }
            DatabaseAt::Postgres(url) => Self::sql(config, url.reveal()).await,
            DatabaseAt::Mongo(_) => Err(refuse(config, "mongodb is not supported by this version")),
        }
    }

    async fn sql(config: &Config, url: &str) -> Result<Self, ConfigError> {
        let database = SqlStorage::connect(url, &Options::default()).await.map_err(|error| refuse(config, error))?;
        database.migrate().await.map_err(|error| refuse(config, error))?;
        Ok(Self { storage: Arc::new(database.clone()), database: Some(database) })
    }

    /// A storage of somebody else's, who closes it.
    pub(crate) fn given(storage: Arc<dyn Storage>) -> Self {
        Self { storage, database: None }
    }

    /// Opens what `config` names for those who work on it: half a copy is no storage to serve, or to remove media from.
    pub(crate) async fn open_whole(config: &Config) -> Result<Self, ConfigError> {
        let opened = Self::open(config).await?;
        let copy = match opened.archive() {
            Some(archive) => archive.find_copy().await.map_err(|error| refuse(config, error))?,
            None => None,
        };
        if copy.is_some() {
            opened.close().await;
            let problem = "holds a copy that has not been finished: give the command that copies again, or empty it";
            return Err(refuse(config, problem));
        }
        Ok(opened)
    }

    /// The side from which it is copied, or into it; `None` where there is nothing that could be.
    pub(crate) fn archive(&self) -> Option<Arc<dyn Archive>> {
        self.database.as_ref().map(|database| Arc::new(database.clone()) as Arc<dyn Archive>)
    }

    /// Waits for what runs, and lets go of the files.
    pub(crate) async fn close(&self) {
        if let Some(database) = &self.database
            && let Err(error) = database.close().await
        {
            tracing::warn!(%error, "the database did not close in order");
        }
    }
}

async fn make_data_folder(config: &Config) -> Result<(), ConfigError> {
    let folder = &config.data_dir;
    tokio::fs::create_dir_all(folder)
        .await
        .map_err(|error| config.refuse("DATA_DIR", format!("{} cannot be made: {error}", folder.display())))
}

/// A refusal that names the setting that decided which database it is. Drivers may repeat the URL they were given.
fn refuse(config: &Config, problem: impl Display) -> ConfigError {
    let problem = problem.to_string();
    let problem = match &config.database.at {
        DatabaseAt::Postgres(url) | DatabaseAt::Mongo(url) => url.redact(&problem),
        DatabaseAt::Memory | DatabaseAt::Sqlite { .. } => problem,
    };
    config.refuse(config.database_setting(), problem)
}

/// Brings the schema of the configured database up to date, and nothing else.
pub async fn migrate(config: &Config) -> Result<(), ConfigError> {
    Opened::open(config).await?.close().await;
    Ok(())
}
