//! The real clock and the source of identities: the only place that asks the machine for the time or for
//! randomness. Everything else is handed these through the ports `Clock` and `IdSource`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use parlance_domain::model::{ObjectId, Timestamp};
use parlance_domain::ports::{Clock, IdSource, RandomIds};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter that others are handed the time by")]
    fn now(&self) -> Timestamp {
        let millis = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => millis(after),
            Err(before) => -millis(before.duration()),
        })
    }
}

/// Randomness that nobody can guess.
#[expect(clippy::disallowed_methods, reason = "this is the adapter that others are handed randomness by")]
pub(crate) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::Rng::fill_bytes(&mut rand::rng(), &mut bytes);
    bytes
}

/// Ids that are all randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl RandomIds for SystemRandom {
    fn random_id(&self) -> ObjectId {
        ObjectId::from_bytes(random_bytes())
    }
}

/// The most memory that this process has had at a time, in bytes, where the system says so (Linux).
pub fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Identities in the `ObjectId` layout: 4 bytes of seconds, 5 random ones of this process, 3 that count.
pub struct ObjectIds {
    clock: Arc<dyn Clock>,
    process: [u8; 5],
    /// Seconds and count of the last id, as one number (4 and 3 bytes), so that one step makes the next: it never
    /// falls, whatever the clock does, and a count that is used up runs over into the next second.
    last: AtomicU64,
}

impl ObjectIds {
    const COUNT_BITS: u32 = 24;

    /// A source of ids with the seconds of `clock`.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, process: random_bytes(), last: AtomicU64::new(0) }
    }

    fn step(&self) -> u64 {
        let seconds = u64::try_from(self.clock.now().millis() / 1000).unwrap_or(0).min(u64::from(u32::MAX));
        let earliest = seconds << Self::COUNT_BITS;
        // Ordering of other memory is not at stake: the number alone must be unique and rise.
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            let next = earliest.max(last + 1);
            match self.last.compare_exchange_weak(last, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return next,
                Err(now) => last = now,
            }
        }
    }
}

impl IdSource for ObjectIds {
    fn next_id(&self) -> ObjectId {
        let [_, seconds @ .., a, b, c] = self.step().to_be_bytes();
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&seconds);
        bytes[4..9].copy_from_slice(&self.process);
        bytes[9..].copy_from_slice(&[a, b, c]);
        ObjectId::from_bytes(bytes)
    }
}
