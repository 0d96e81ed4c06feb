//! What all clients of a run share: the clock, the phase it is in, the conversations with what was acked in them, and
//! the tallies. Clients report here; `scenarios` decide when a phase ends.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use parlance_dialects::Dialect;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::rest::Rest;
use crate::sequence::Sequence;
use crate::tally::Tally;
use crate::target::Target;
use crate::vocabulary::Vocabulary;

/// How many runs there have been.
static SERIES: AtomicU64 = AtomicU64::new(0);

/// What clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Connect, join, and answer pings.
    Preparing,
    /// Send.
    Sending,
    /// Send nothing new, receive what is still under way.
    Draining,
    /// Stop.
    Done,
}

/// One conversation of the run.
#[derive(Debug)]
pub(crate) struct Conversation {
    /// The server's id.
    pub(crate) id: String,
    /// How many sockets hear of its messages.
    pub(crate) hearers: u64,
    acked: Mutex<Sequence>,
}

impl Conversation {
    pub(crate) fn new(id: String, hearers: u64) -> Self {
        Self { id, hearers, acked: Mutex::default() }
    }

    /// What was acked in it.
    pub(crate) fn acked(&self) -> Sequence {
        self.acked.lock().clone()
    }
}

/// What all clients share.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) target: Target,
    pub(crate) rest: Rest,
    pub(crate) dialect: Dialect,
    pub(crate) words: Vocabulary,
    pub(crate) conversations: Vec<Conversation>,
    /// Tells its messages from those of other runs in the same conversations: the server knows repetitions by their mark.
    series: u64,
    began: Instant,
    phase: watch::Sender<Phase>,
    window: OnceLock<(u64, u64)>,
    tallies: Vec<Mutex<Tally>>,
    sends: AtomicU64,
    unanswered: AtomicU64,
    owed: AtomicU64,
    received: AtomicU64,
}

impl Run {
    pub(crate) fn new(target: Target, dialect: Dialect, conversations: Vec<Conversation>, threads: usize) -> Self {
        Self {
            rest: Rest::new(&target),
            target,
            dialect,
            words: Vocabulary::of(dialect),
            conversations,
            series: SERIES.fetch_add(1, Ordering::Relaxed),
            began: Instant::now(),
            phase: watch::Sender::new(Phase::Preparing),
            window: OnceLock::new(),
            tallies: (0..threads.max(1)).map(|_| Mutex::new(Tally::new())).collect(),
            sends: AtomicU64::new(0),
            unanswered: AtomicU64::new(0),
            owed: AtomicU64::new(0),
            received: AtomicU64::new(0),
        }
    }

    /// Nanoseconds since the run began.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.send_replace(phase);
    }

    /// Says which time counts: `length` from `after` from now. Holds for good.
    pub(crate) fn measure(&self, after: Duration, length: Duration) {
        let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let start = self.now().saturating_add(nanos(after));
        let _ = self.window.set((start, start.saturating_add(nanos(length))));
    }

    /// Waits until the time begins that counts, which has been said.
    pub(crate) async fn until_measured(&self) {
        if let Some((start, _)) = self.window.get() {
            tokio::time::sleep_until(self.began + Duration::from_nanos(*start)).await;
        }
    }

    /// Whether a moment counts.
    pub(crate) fn counts(&self, at: u64) -> bool {
        self.window.get().is_some_and(|(start, end)| (*start..*end).contains(&at))
    }

    /// The tally that the client of this number writes to.
    pub(crate) fn tally(&self, client: usize) -> &Mutex<Tally> {
        &self.tallies[client % self.tallies.len()]
    }

    /// The tallies of all threads in one.
    pub(crate) fn total(&self) -> Tally {
        self.tallies.iter().fold(Tally::new(), |mut total, tally| {
            total.add(&tally.lock());
            total
        })
    }

    /// A message is under way. Its number in the run.
    pub(crate) fn sent(&self) -> u64 {
        self.unanswered.fetch_add(1, Ordering::Relaxed);
        self.sends.fetch_add(1, Ordering::Relaxed)
    }

    /// The mark of a message, by its number in the run.
    pub(crate) fn mark(&self, number: u64) -> String {
        format!("{}-{number}", self.series)
    }

    /// A message was stored: all who hear of its conversation are owed it.
    pub(crate) fn acked(&self, conversation: usize, seq: u64) {
        let conversation = &self.conversations[conversation];
        conversation.acked.lock().note(seq);
        self.owed.fetch_add(conversation.hearers, Ordering::Relaxed);
        self.unanswered.fetch_sub(1, Ordering::Relaxed);
    }

    /// A message was refused, or will never be answered.
    pub(crate) fn unsent(&self) {
        self.unanswered.fetch_sub(1, Ordering::Relaxed);
    }

    /// A socket got a message that it had not got before.
    pub(crate) fn received(&self) {
        self.received.fetch_add(1, Ordering::Relaxed);
    }

    /// How many messages have been sent.
    pub(crate) fn sends(&self) -> u64 {
        self.sends.load(Ordering::Relaxed)
    }

    /// Whether everything was answered, and everything that was acked was received.
    pub(crate) fn is_drained(&self) -> bool {
        self.unanswered.load(Ordering::Relaxed) == 0
            && self.received.load(Ordering::Relaxed) >= self.owed.load(Ordering::Relaxed)
    }
}
