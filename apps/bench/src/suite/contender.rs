//! A server that the suite starts, waits for, and stops: on a free port of loopback, with its data in a folder that goes
//! with it. Only processes started here are signalled, each by its id.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::SECRET;
use crate::failure::Failure;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    Parlance,
    Baseline,
    /// The Socket.IO library alone.
    Bare,
}

/// A server that can be started.
#[derive(Debug, Clone)]
pub(super) struct Contender {
    pub(super) kind: Kind,
    path: PathBuf,
    /// Where databases can be made; else it is a SQLite file.
    postgres: Option<String>,
}

impl Contender {
    /// The binary of Parlance.
    pub(super) fn parlance(binary: &Path) -> Self {
        Self { kind: Kind::Parlance, path: binary.to_owned(), postgres: None }
    }

    /// The Node server in this folder.
    pub(super) fn baseline(folder: &Path) -> Self {
        Self { kind: Kind::Baseline, path: folder.join("server.mjs"), postgres: None }
    }

    /// This binary, as the library alone.
    pub(super) fn bare(own: PathBuf) -> Self {
        Self { kind: Kind::Bare, path: own, postgres: None }
    }

    /// The same, with its data on this server of `PostgreSQL`.
    pub(super) fn on_postgres(self, url: &str) -> Self {
        Self { postgres: Some(url.to_owned()), ..self }
    }

    /// Starts it with a fresh database and waits until it listens.
    pub(super) fn start(&self, core: Option<usize>, settings: &[(&str, &str)]) -> Result<Started, Failure> {
        let database = self.postgres.as_deref().map(fresh_database).transpose()?;
        self.launch(database.as_deref(), core, settings)
    }

    /// Starts several that share a fresh database.
    pub(super) fn start_nodes(&self, count: usize, settings: &[(&str, &str)]) -> Result<Vec<Started>, Failure> {
        let database = self.postgres.as_deref().map(fresh_database).transpose()?;
        (0..count).map(|_| self.launch(database.as_deref(), None, settings)).collect()
    }

    /// Starts it on this database, or a file of its own.
    fn launch(
        &self,
        database: Option<&str>,
        core: Option<usize>,
        settings: &[(&str, &str)],
    ) -> Result<Started, Failure> {
        let failed = |what: &str, error: &dyn fmt::Display| Failure::new(format!("{self} {what}"), error);
        let folder = tempfile::tempdir().map_err(|error| failed("has no folder", &error))?;
        let file = || format!("sqlite://{}", folder.path().join("bench.db").display());
        let database = database.map_or_else(file, str::to_owned);
        let mut command = match self.kind {
            Kind::Parlance => pinned(&self.path, core),
            Kind::Baseline => {
                let mut command = pinned(Path::new("node"), core);
                command.arg(&self.path);
                command
            }
            Kind::Bare => {
                let mut command = pinned(&self.path, core);
                command.arg("bare");
                command
            }
        };
        command
            .env("ACCESS_TOKEN_SECRET", SECRET)
            .env("LISTEN", "127.0.0.1:0")
            .env("DATABASE_URL", database)
            .env("DATA_DIR", folder.path())
            .env("RATE_LIMITS", "off")
            .env("RUST_LOG", "error")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        let child = command.spawn().map_err(|error| failed("does not start", &error))?;
        let mut started = Started { child, url: String::new(), _folder: folder };
        started.url = started.listening().ok_or_else(|| failed("does not say where it listens", &""))?;
        Ok(started)
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let storage = if self.postgres.is_some() { "PostgreSQL" } else { "SQLite" };
        match self.kind {
            Kind::Parlance => write!(f, "Parlance on {storage}"),
            Kind::Baseline => write!(f, "baseline on {storage}"),
            Kind::Bare => write!(f, "the library alone"),
        }
    }
}

/// A server that runs; it is stopped when this is dropped.
#[derive(Debug)]
pub(super) struct Started {
    child: Child,
    pub(super) url: String,
    _folder: TempDir,
}

impl Started {
    /// Its process.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Reads where it listens from its first line about that.
    fn listening(&mut self) -> Option<String> {
        let mut lines = BufReader::new(self.child.stdout.take()?).lines();
        let line = lines.find_map(|line| line.ok().filter(|line| line.contains("listening on ")))?;
        // Nobody reads further ones, and neither server prints more than a few.
        let url = line.split("listening on ").nth(1)?.split_whitespace().next()?;
        Some(url.to_owned())
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It may have ended already; waiting says so.
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}

/// A command on one core, or wherever the system puts it.
pub(super) fn pinned(program: &Path, core: Option<usize>) -> Command {
    match core {
        Some(core) => {
            let mut command = Command::new("taskset");
            command.args(["--cpu-list", &core.to_string()]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

/// Makes an empty database on a server; its URL.
fn fresh_database(server: &str) -> Result<String, Failure> {
    const NAME: &str = "parlance_bench";
    let made = Command::new("psql")
        .args(["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", server])
        .args(["--command", &format!("DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")])
        .args(["--command", &format!("CREATE DATABASE {NAME}")])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| Failure::new("psql does not start", error))?;
    if !made.success() {
        return Err(Failure::plain("psql could not make a database"));
    }
    let (scheme, rest) = server.split_once("://").ok_or_else(|| Failure::plain("no postgres:// address"))?;
    let host = rest.split(['/', '?']).next().unwrap_or(rest);
    Ok(format!("{scheme}://{host}/{NAME}"))
}
