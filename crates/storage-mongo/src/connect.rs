//! Opening a deployment: what its URL may say, how long anything waits, and whether it has transactions. Every
//! write is acknowledged by a majority of the members and their journals, and every read sees what a majority has.

use std::sync::Arc;
use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongodb::event::EventHandler;
use mongodb::event::command::CommandEvent;
use mongodb::options::{Acknowledgment, ClientOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern};
use mongodb::{Client, Database};

use crate::error::one_line;

/// The database of a URL that names none.
const DEFAULT_DATABASE: &str = "parlance";

/// Told of every command as it is sent, with what people wrote in it: for looking into queries, not for a log. Called
/// on the runtime: it must not block.
pub type CommandObserver = Arc<dyn Fn(&Document) + Send + Sync>;

/// How to open a deployment. What the URL says of pool and timeouts is overruled by these.
#[derive(Clone)]
pub struct Options {
    /// Calls that are carried out at the same time, and connections to each server of the deployment; at least 1.
    /// Default 10.
    pub max_connections: u32,
    /// How long a call waits for its turn before it fails as unavailable. Default 5 s.
    pub acquire_timeout: Duration,
    /// How long a call looks for a server that can answer it, and a new connection may take. Default 3 s.
    pub server_selection_timeout: Duration,
    /// How long one call may take from its turn on, with its repetitions, before it fails as unavailable. A change without
    /// transactions may take three times `lease`, if that is longer. Default 30 s.
    pub call_timeout: Duration,
    /// Whether to use transactions. Default: where the deployment has them.
    pub transactions: Transactions,
    /// Without transactions: how long a change that began and was not finished (its process has died) holds up
    /// others before they finish or undo it. More than twice what one command may take. Default 10 s.
    pub lease: Duration,
    /// Told of every command. Default: nobody.
    pub observer: Option<CommandObserver>,
}

/// Whether changes of several documents are transactions of the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Transactions {
    /// On replica sets and sharded clusters.
    #[default]
    WhereTheyAre,
    /// Nowhere: by locks and a journal of our own, as on a server that stands alone.
    Never,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            server_selection_timeout: Duration::from_secs(3),
            call_timeout: Duration::from_secs(30),
            transactions: Transactions::default(),
            lease: Duration::from_secs(10),
            observer: None,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            max_connections,
            acquire_timeout,
            server_selection_timeout,
            call_timeout,
            transactions,
            lease,
            observer,
        } = self;
        f.debug_struct("Options")
            .field("max_connections", max_connections)
            .field("acquire_timeout", acquire_timeout)
            .field("server_selection_timeout", server_selection_timeout)
            .field("call_timeout", call_timeout)
            .field("transactions", transactions)
            .field("lease", lease)
            .field("observer", &observer.is_some())
            .finish()
    }
}

/// Why a database cannot be used. Each reads as one line that an operator can act on.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The URL is not one of this storage.
    #[error("{0}")]
    Url(String),
    /// Nobody answers, or not to these credentials.
    #[error("the MongoDB deployment does not answer: {reason}")]
    Unreachable {
        /// What the driver says, in one line.
        reason: String,
        /// The driver's error.
        #[source]
        source: mongodb::error::Error,
    },
    /// A newer release has changed the schema; this one would damage it.
    #[error(
        "the database was written by a newer release (its schema is {found}, this release knows {known}); install that \
         release or a later one"
    )]
    Newer {
        /// The schema of the database.
        found: i32,
        /// The newest that this release knows.
        known: i32,
    },
    /// This release has changed the schema, and nobody has brought the database's up to date.
    #[error("the database schema is older than this release (it is {found}, this release needs {known})")]
    Older {
        /// The schema of the database; 0 if it is empty.
        found: i32,
        /// The one of this release.
        known: i32,
    },
    /// Bringing the schema up to date failed; what is done of it stays, and the next start goes on from there.
    #[error("the database schema cannot be brought up to date: {reason}")]
    Migrate {
        /// What went wrong, in one line.
        reason: String,
        /// The error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// An open deployment.
#[derive(Debug, Clone)]
pub(crate) struct Deployment {
    pub(crate) database: Database,
    /// Whether changes of several documents are transactions of the server.
    pub(crate) transactional: bool,
}

impl Deployment {
    /// Opens the database that `url` names, and asks the deployment what it is.
    pub(crate) async fn open(url: &str, options: &Options) -> Result<Self, ConnectError> {
        let driver = driver_options(url, options).await?;
        let name = driver.default_database.clone().unwrap_or_else(|| DEFAULT_DATABASE.to_owned());
        let unreachable =
            |source: mongodb::error::Error| ConnectError::Unreachable { reason: one_line(&source), source };
        let client = Client::with_options(driver).map_err(unreachable)?;
        let database = client.database(&name);
        let hello = database.run_command(doc! { "hello": 1 }).await.map_err(unreachable)?;
        let transactional = options.transactions == Transactions::WhereTheyAre && has_transactions(&hello);
        Ok(Self { database, transactional })
    }
}

async fn driver_options(url: &str, options: &Options) -> Result<ClientOptions, ConnectError> {
    if !url.starts_with("mongodb://") && !url.starts_with("mongodb+srv://") {
        // Only the scheme is repeated: the rest of such a URL may hold a password.
        let scheme = url.split_once(':').map_or("none", |(scheme, _)| scheme);
        return Err(ConnectError::Url(format!(
            "the database URL must begin with `mongodb://` or `mongodb+srv://`, as in `mongodb://db1,db2/parlance` (its \
             scheme is `{scheme}`)"
        )));
    }
    let refused = |error: mongodb::error::Error| {
        ConnectError::Url(format!("the database URL is not valid: {}", one_line(&error)))
    };
    let mut driver = ClientOptions::parse(url).await.map_err(refused)?;
    driver.app_name.get_or_insert_with(|| "parlance".to_owned());
    driver.max_pool_size = Some(options.max_connections.max(1));
    driver.min_pool_size = driver.min_pool_size.map(|size| size.min(options.max_connections.max(1)));
    driver.server_selection_timeout = Some(options.server_selection_timeout);
    driver.connect_timeout = Some(options.server_selection_timeout);
    if let Some(observer) = options.observer.clone() {
        driver.command_event_handler = Some(EventHandler::callback(move |event| {
            if let CommandEvent::Started(started) = event {
                observer(&started.command);
            }
        }));
    }
    driver.write_concern = Some(write_concern());
    driver.read_concern = Some(ReadConcern::majority());
    driver.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    Ok(driver)
}

/// What has been acknowledged survives the loss of a minority of the members, and a power cut.
pub(crate) fn write_concern() -> WriteConcern {
    let mut concern = WriteConcern::majority();
    concern.w = Some(Acknowledgment::Majority);
    concern.journal = Some(true);
    concern
}

/// Replica sets have transactions, and the routers of sharded clusters; a server that stands alone has none.
fn has_transactions(hello: &Document) -> bool {
    let member = hello.get_str("setName").is_ok();
    let router = hello.get_str("msg").is_ok_and(|message| message == "isdbgrid");
    let sessions = hello.contains_key("logicalSessionTimeoutMinutes");
    sessions && (member || router)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_are_where_there_are_several_members() {
        let sessions = 30;
        let alone = doc! { "ok": 1, "logicalSessionTimeoutMinutes": sessions };
        let member = doc! { "setName": "rs0", "logicalSessionTimeoutMinutes": sessions };
        let router = doc! { "msg": "isdbgrid", "logicalSessionTimeoutMinutes": sessions };
        assert!(!has_transactions(&alone));
        assert!(has_transactions(&member) && has_transactions(&router));
        assert!(!has_transactions(&doc! { "setName": "old" }), "without sessions there are no transactions");
    }

    #[tokio::test]
    async fn a_url_that_is_not_for_mongodb_does_not_leak_its_password() {
        for url in ["postgres://me:secret@db/chat", "mongodb://me:secret@/chat?nonsense=1", "mongodb://"] {
            let error = driver_options(url, &Options::default()).await.expect_err(url).to_string();
            assert!(!error.contains("secret") && !error.contains('\n'), "{error}");
        }
    }

    #[tokio::test]
    async fn writes_wait_for_a_majority_whatever_the_url_says() {
        let url = "mongodb://localhost/chat?w=1&readPreference=secondary&maxPoolSize=500";
        let driver = driver_options(url, &Options::default()).await.expect("a valid URL");
        assert_eq!(driver.write_concern, Some(write_concern()));
        assert_eq!(driver.selection_criteria, Some(SelectionCriteria::ReadPreference(ReadPreference::Primary)));
        assert_eq!((driver.default_database.as_deref(), driver.max_pool_size), (Some("chat"), Some(10)));
    }
}
