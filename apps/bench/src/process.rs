//! What processes cost: CPU time and resident memory, and what they hold, as Linux tells of them in `/proc`; elsewhere
//! nothing is said. Also the one limit of our own that many sockets run into.

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// A moment in the life of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    at: Instant,
    cpu: Duration,
    /// Resident memory, in bytes.
    pub(crate) resident: u64,
}

impl Sample {
    /// The process as it is now; `None` when it is gone, or this is not Linux.
    pub(crate) fn take(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in parentheses, may hold spaces; user and system time are the 12th and 13th field after it.
        let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<u64>().ok();
        let ticks = ticks()? + ticks()?;
        let per_second = rustix::param::clock_ticks_per_second().max(1);
        let resident = status(pid, "VmRSS:")? * 1024;
        Some(Self { at: Instant::now(), cpu: Duration::from_millis(ticks * 1000 / per_second), resident })
    }

    /// Several processes as one; `None` when there are none, or one is gone.
    pub(crate) fn all(pids: &[u32]) -> Option<Self> {
        let mut samples = pids.iter().map(|pid| Self::take(*pid));
        let first = samples.next()??;
        samples.try_fold(first, |sum, one| {
            let one = one?;
            Some(Self { at: one.at, cpu: sum.cpu + one.cpu, resident: sum.resident + one.resident })
        })
    }

    /// The tool itself.
    pub(crate) fn own() -> Option<Self> {
        Self::take(std::process::id())
    }

    /// The share of one core that was used since `earlier`.
    pub(crate) fn cores_since(&self, earlier: &Self) -> f64 {
        let wall = self.at.duration_since(earlier.at).as_secs_f64();
        if wall > 0.0 { self.cpu.saturating_sub(earlier.cpu).as_secs_f64() / wall } else { 0.0 }
    }

    /// The CPU time that was used since `earlier`.
    pub(crate) fn cpu_since(&self, earlier: &Self) -> Duration {
        self.cpu.saturating_sub(earlier.cpu)
    }
}

/// What a process holds beside memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holdings {
    /// Open files and sockets.
    pub(crate) descriptors: u64,
    pub(crate) threads: u64,
}

impl Holdings {
    /// The process as it is now; `None` when it is gone, or this is not Linux.
    pub(crate) fn take(pid: u32) -> Option<Self> {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as u64;
        Some(Self { descriptors, threads: status(pid, "Threads:")? })
    }
}

/// The ports of a connection: those of the process that is asked about, and of its peer.
pub(crate) type Ports = (u16, u16);

/// The connections that a process still holds its end of, as the system lists them. What is there and was closed by the
/// process is in other states; `None` where the system does not say.
pub(crate) fn held(pid: u32) -> Option<HashSet<Ports>> {
    let mut held = None;
    for list in ["tcp", "tcp6"] {
        let Ok(lines) = fs::read_to_string(format!("/proc/{pid}/net/{list}")) else { continue };
        held.get_or_insert_with(HashSet::new).extend(lines.lines().filter_map(open_ports));
    }
    held
}

fn open_ports(line: &str) -> Option<Ports> {
    let mut fields = line.split_whitespace().skip(1);
    let mut port = || u16::from_str_radix(fields.next()?.rsplit_once(':')?.1, 16).ok();
    let ports = (port()?, port()?);
    // 01 is established, 08 ended by the peer alone.
    matches!(fields.next()?, "01" | "08").then_some(ports)
}

/// A number out of a process's status.
fn status(pid: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Lets this process hold as many sockets as the system lets it.
pub(crate) fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        // Where that is not allowed, connecting will say so.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory_and_uses_time() {
        let before = Sample::own().expect("Linux says so");
        let mut sum = 0_u64;
        while Sample::own().is_some_and(|now| now.cpu_since(&before) < Duration::from_millis(30)) {
            sum = std::hint::black_box((0..1_000_000).sum());
        }
        let after = Sample::own().expect("Linux says so");
        assert!(sum > 0 && before.resident > 100_000 && after.cores_since(&before) > 0.0);
    }

    #[test]
    fn an_open_file_and_a_thread_are_held() {
        let held = || Holdings::take(std::process::id()).expect("Linux says so");
        let before = held();
        let files: Vec<_> = (0..200).map(|_| fs::File::open("/dev/null").expect("opens")).collect();
        // Other tests of this process come and go meanwhile, but not two hundred.
        assert!(held().descriptors > before.descriptors + 100 && held().threads > 0);
        drop(files);
    }

    #[test]
    fn a_connection_is_held_until_it_is_closed() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("listens");
        let own = listener.local_addr().expect("an address").port();
        let client = std::net::TcpStream::connect(("127.0.0.1", own)).expect("connects");
        let peer = client.local_addr().expect("an address").port();
        let (server, _) = listener.accept().expect("accepts");
        let held = || held(std::process::id()).expect("Linux says so").contains(&(own, peer));
        assert!(held());
        drop(server);
        assert!(!held());
    }

    #[test]
    fn a_process_that_is_not_there_has_none() {
        assert!(Sample::all(&[]).is_none() && Sample::all(&[std::process::id(), u32::MAX]).is_none());
        assert!(Sample::take(u32::MAX).is_none() && Holdings::take(u32::MAX).is_none());
        assert_eq!(held(u32::MAX), None);
    }
}
