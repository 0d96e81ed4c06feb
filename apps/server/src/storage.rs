//! Opens the storage that the configuration names, and closes it. Each failure names the setting (or the folder it
//! follows from), in one line without a password.

use std::fmt::Display;
use std::sync::Arc;

use parlance_domain::ports::{Addresses, Archive, Errands, Outbox, Storage};
use parlance_domain::services::Reach;
use parlance_storage_memory::MemoryStorage;
use parlance_storage_mongo::MongoStorage;
use parlance_storage_sql::SqlStorage;

use crate::config::{Config, ConfigError, DatabaseAt};

/// An open storage, with what it takes to close it.
pub(crate) struct Opened {
    pub(crate) storage: Arc<dyn Storage>,
    /// What it keeps for channels, of which there are none yet; `None` for a storage of somebody else's.
    pub(crate) reach: Option<Reach>,
    /// Where it keeps what webhooks tell, if it does.
    pub(crate) outbox: Option<Arc<dyn Outbox>>,
    closing: Closing,
}

/// What is to be closed in the end.
enum Closing {
    /// Nothing of ours.
    Nothing,
    Sql(SqlStorage),
    Mongo(MongoStorage),
}

/// What is to become of the schema.
#[derive(Clone, Copy)]
enum Schema {
    UpToDate,
    AsItIs,
}

impl Opened {
    /// Opens what `config` names. Its schema is brought up to date, or with `DATABASE_MIGRATE=off` must be.
    pub(crate) async fn open(config: &Config) -> Result<Self, ConfigError> {
        Self::with(config, if config.database.migrate { Schema::UpToDate } else { Schema::AsItIs }).await
    }

    /// A storage of somebody else's, who closes it.
    pub(crate) fn given(storage: Arc<dyn Storage>, outbox: Option<Arc<dyn Outbox>>) -> Self {
        Self { storage, reach: None, outbox, closing: Closing::Nothing }
    }

    /// A storage of ours.
    fn ours<T: Storage + Addresses + Errands + Outbox + 'static>(storage: T, closing: Closing) -> Self {
        let storage = Arc::new(storage);
        let reach = Reach { addresses: storage.clone(), errands: storage.clone(), channels: Vec::new(), push: None };
        Self { reach: Some(reach), outbox: Some(storage.clone()), storage, closing }
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
        match &self.closing {
            Closing::Nothing => None,
            Closing::Sql(database) => Some(Arc::new(database.clone())),
            Closing::Mongo(database) => Some(Arc::new(database.clone())),
        }
    }

    async fn with(config: &Config, schema: Schema) -> Result<Self, ConfigError> {
        match &config.database.at {
            DatabaseAt::Memory => Ok(Self::ours(MemoryStorage::new(), Closing::Nothing)),
            DatabaseAt::Sqlite { url, make_folder } => {
                if *make_folder {
                    make_data_folder(config).await?;
                }
                Self::sql(config, url, schema).await
            }
            DatabaseAt::Postgres(url) => Self::sql(config, url.reveal(), schema).await,
            DatabaseAt::Mongo(url) => Self::mongo(config, url.reveal(), schema).await,
        }
    }

    async fn sql(config: &Config, url: &str, schema: Schema) -> Result<Self, ConfigError> {
        use parlance_storage_sql::{ConnectError, Options};
        let options = Options {
            max_connections: config.database.max_connections,
            acquire_timeout: config.database.timeout,
            call_timeout: config.database.timeout,
            connect_timeout: config.database.connect_timeout,
            ..Options::default()
        };
        let database = SqlStorage::connect(url, &options).await.map_err(|error| refuse(config, error))?;
        let ready = match schema {
            Schema::UpToDate => database.migrate().await,
            Schema::AsItIs => database.refuse_older().await,
        };
        ready.map_err(|error| match error {
            ConnectError::Older(_) => refuse_older(config, error),
            error => refuse(config, error),
        })?;
        Ok(Self::ours(database.clone(), Closing::Sql(database)))
    }

    async fn mongo(config: &Config, url: &str, schema: Schema) -> Result<Self, ConfigError> {
        use parlance_storage_mongo::{ConnectError, Options};
        let options = Options {
            max_connections: config.database.max_connections,
            acquire_timeout: config.database.timeout,
            call_timeout: config.database.timeout,
            server_selection_timeout: config.database.connect_timeout,
            ..Options::default()
        };
        let database = MongoStorage::connect(url, &options).await.map_err(|error| refuse(config, error))?;
        let ready = match schema {
            Schema::UpToDate => database.migrate().await,
            Schema::AsItIs => database.refuse_older().await,
        };
        ready.map_err(|error| match error {
            ConnectError::Older { .. } => refuse_older(config, error),
            error => refuse(config, error),
        })?;
        Ok(Self::ours(database.clone(), Closing::Mongo(database)))
    }

    /// Waits for what runs, and lets go of files and connections.
    pub(crate) async fn close(&self) {
        match &self.closing {
            Closing::Nothing => {}
            Closing::Sql(database) => {
                if let Err(error) = database.close().await {
                    tracing::warn!(%error, "the database did not close in order");
                }
            }
            Closing::Mongo(database) => database.close().await,
        }
    }
}

async fn make_data_folder(config: &Config) -> Result<(), ConfigError> {
    let folder = &config.data_dir;
    tokio::fs::create_dir_all(folder)
        .await
        .map_err(|error| config.refuse("DATA_DIR", format!("{} cannot be made: {error}", folder.display())))
}

/// A refusal that names the setting that decided which database it is. Drivers may repeat the URL that they were given.
fn refuse(config: &Config, problem: impl Display) -> ConfigError {
    let problem = problem.to_string();
    let problem = match &config.database.at {
        DatabaseAt::Postgres(url) | DatabaseAt::Mongo(url) => url.redact(&problem),
        DatabaseAt::Memory | DatabaseAt::Sqlite { .. } => problem,
    };
    config.refuse(config.database_setting(), problem)
}

fn refuse_older(config: &Config, problem: impl Display) -> ConfigError {
    refuse(config, format!("{problem}; run `parlance migrate`, or set DATABASE_MIGRATE=on"))
}

/// Brings the schema of the configured database up to date, and nothing else.
pub async fn migrate(config: &Config) -> Result<(), ConfigError> {
    Opened::with(config, Schema::UpToDate).await?.close().await;
    Ok(())
}
