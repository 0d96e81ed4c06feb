//! Opens the storage that the configuration names, and closes it. Each failure names `DATABASE_URL` (or the folder
//! it follows from), in one line.

use std::sync::Arc;

use parlance_domain::ports::Storage;
use parlance_storage_memory::MemoryStorage;
use parlance_storage_sql::{Options, SqlStorage};

use crate::config::{Config, ConfigError, Database};

/// An open storage, with what it takes to close it.
pub(crate) struct Opened {
    pub(crate) storage: Arc<dyn Storage>,
    database: Option<SqlStorage>,
}

impl Opened {
    /// Opens what `config` names, with its schema up to date.
    pub(crate) async fn open(config: &Config) -> Result<Self, ConfigError> {
        match &config.database {
            Database::Memory => Ok(Self { storage: Arc::new(MemoryStorage::new()), database: None }),
            Database::Sqlite { .. } => {
                let database = connect(config).await?;
                database.migrate().await.map_err(|error| config.refuse("DATABASE_URL", error))?;
                Ok(Self { storage: Arc::new(database.clone()), database: Some(database) })
            }
        }
    }

    /// A storage of somebody else's, who closes it.
    pub(crate) fn given(storage: Arc<dyn Storage>) -> Self {
        Self { storage, database: None }
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

async fn connect(config: &Config) -> Result<SqlStorage, ConfigError> {
    if let Database::Sqlite { make_folder: true, .. } = config.database {
        let folder = &config.data_dir;
        tokio::fs::create_dir_all(folder)
            .await
            .map_err(|error| config.refuse("DATA_DIR", format!("{} cannot be made: {error}", folder.display())))?;
    }
    SqlStorage::connect(config.database.url(), &Options::default())
        .await
        .map_err(|error| config.refuse("DATABASE_URL", error))
}

/// Brings the schema of the configured database up to date, and nothing else.
pub async fn migrate(config: &Config) -> Result<(), ConfigError> {
    Opened::open(config).await?.close().await;
    Ok(())
}
