//! Copies everything between two storages, or a storage and an archive file. How a copy goes is the domain's part
//! (`Moving`); here both ends are opened and closed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parlance_archive_file::ArchiveFile;
use parlance_domain::ports::{RecordSource, RecordTarget};
use parlance_domain::services::{MoveError, Moved, Moving, Progress, Side, Stored};

use crate::config::{Config, ConfigError, DatabaseAt};
use crate::storage::Opened;

/// A copy counts, and lists pages of, tables of any size: a statement may take longer than on a server's way.
const TIMEOUT: Duration = Duration::from_mins(10);

/// One end of a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// A storage.
    Storage(DatabaseAt),
    /// An archive file.
    File(PathBuf),
}

/// Why a copy is not done.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// An end cannot be used. Nothing was begun.
    #[error("the {side}: {problem}")]
    Unusable {
        /// Which one.
        side: Side,
        /// What is wrong with it, in one line without a password.
        problem: String,
    },
    /// The copy did not come to its end.
    #[error(transparent)]
    Move(#[from] MoveError),
}

/// Copies everything. The rest of `config` says how databases are used. It may be dropped at any point, and goes on
/// with the next call.
///
/// # Errors
/// See [`CopyError`].
pub async fn copy(
    config: &Config,
    from: &End,
    to: &End,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Moved, CopyError> {
    let unusable = |side| move |problem: String| CopyError::Unusable { side, problem };
    if from == to {
        return Err(unusable(Side::Target)("is the source itself".to_owned()));
    }
    must_exist(from).map_err(unusable(Side::Source))?;
    let source = Held::open(config, from).await.map_err(unusable(Side::Source))?;
    let target = match Held::open(config, to).await.map_err(unusable(Side::Target)) {
        Ok(target) => target,
        Err(error) => {
            source.close().await;
            return Err(error);
        }
    };
    let moved = Moving::new(source.source(), target.target()).run(progress).await;
    source.close().await;
    target.close().await;
    Ok(moved?)
}

/// An end that is open.
enum Held {
    Storage(Box<Opened>, Stored),
    File(Arc<ArchiveFile>),
}

impl Held {
    async fn open(config: &Config, end: &End) -> Result<Self, String> {
        match end {
            End::File(path) => Ok(Self::File(Arc::new(ArchiveFile::new(path)))),
            End::Storage(at) => {
                let mut config = config.clone();
                config.database.at = at.clone();
                config.database.timeout = config.database.timeout.max(TIMEOUT);
                let opened = Opened::open(&config).await.map_err(problem)?;
                let archive = opened.archive().ok_or("is gone when the process ends: there is nothing to copy")?;
                Ok(Self::Storage(Box::new(opened), Stored::new(archive)))
            }
        }
    }

    fn source(&self) -> Arc<dyn RecordSource> {
        match self {
            Self::Storage(_, stored) => Arc::new(stored.clone()),
            Self::File(file) => file.clone(),
        }
    }

    fn target(&self) -> Arc<dyn RecordTarget> {
        match self {
            Self::Storage(_, stored) => Arc::new(stored.clone()),
            Self::File(file) => file.clone(),
        }
    }

    async fn close(&self) {
        match self {
            Self::Storage(opened, _) => opened.close().await,
            Self::File(_) => {}
        }
    }
}

/// A mistyped name must not make an empty database that is then copied with success.
fn must_exist(source: &End) -> Result<(), String> {
    let file = match source {
        End::File(path) => path.as_path(),
        End::Storage(DatabaseAt::Sqlite { url, .. }) => {
            let file = url.strip_prefix("sqlite:").unwrap_or(url);
            Path::new(file.strip_prefix("//").unwrap_or(file))
        }
        End::Storage(DatabaseAt::Memory | DatabaseAt::Postgres(_) | DatabaseAt::Mongo(_)) => return Ok(()),
    };
    if file.is_file() { Ok(()) } else { Err(format!("there is no file {}", file.display())) }
}

/// What is wrong, without the setting: here an end was named by a flag.
fn problem(error: ConfigError) -> String {
    match error {
        ConfigError::Value { problem, .. } => problem,
        other => other.to_string(),
    }
}
