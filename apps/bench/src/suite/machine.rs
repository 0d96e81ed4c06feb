//! What the figures were measured on, for the report.

use std::fs;
use std::process::Command;

use super::first_line;
use crate::failure::Failure;

/// Machine and versions.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) processor: String,
    pub(super) cores: usize,
    pub(super) memory_gib: u64,
    pub(super) system: String,
    pub(super) commit: String,
    pub(super) node: String,
}

impl Machine {
    /// Looks.
    pub(super) fn look() -> Result<Self, Failure> {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kib = memory.lines().next().and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        let changed =
            !first_line(Command::new("git").args(["status", "--porcelain", "--untracked-files=no"])).is_empty();
        let commit = first_line(Command::new("git").args(["rev-parse", "--short=10", "HEAD"]));
        Ok(Self {
            processor: model.map_or_else(|| "unknown".to_owned(), |(_, name)| name.to_owned()),
            cores: std::thread::available_parallelism()
                .map_err(|error| Failure::new("the number of cores", error))?
                .get(),
            memory_gib: kib.unwrap_or_default() / (1 << 20),
            system: first_line(Command::new("uname").args(["-s", "-r"])),
            commit: if changed { format!("{commit}, with changes") } else { commit },
            node: first_line(Command::new("node").arg("--version")),
        })
    }
}
