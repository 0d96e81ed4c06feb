//! What one client asked and nobody has carried out yet: a bounded queue, filled from the synchronous part of the
//! Socket.IO handler (the library runs handlers as tasks of their own, which loses the order) and drained by one
//! worker at a time. An idle socket has no worker and an empty queue. What the events mean is `worker`'s job.

use std::collections::VecDeque;

use axum::body::Bytes;
use parking_lot::Mutex;
use socketioxide::handler::Value;

/// The most events that wait.
const MAX_EVENTS: usize = 256;

/// The most bytes that wait; one event may be larger when nothing else waits.
const MAX_BYTES: usize = 2 << 20;

/// One event as it came: its name and arguments are still JSON.
#[derive(Debug)]
pub(crate) struct Job {
    /// `[name, argument …]`, and binary attachments.
    pub(crate) event: Value,
    /// Where the answer goes, if the client wants one.
    pub(crate) ack: Option<i64>,
}

/// What became of an event.
#[derive(Debug)]
pub(crate) enum Admitted {
    /// A worker will come to it.
    Queued,
    /// It is queued and there is no worker: the caller starts one.
    QueuedAndIdle,
    /// Too much waits; here it is back.
    Full(Job),
}

/// The incoming side of one socket.
#[derive(Debug)]
pub(crate) struct Inbox(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    jobs: VecDeque<Job>,
    bytes: usize,
    working: bool,
}

impl Inbox {
    /// A queue that fills but is not worked on before it is [opened](Self::open): a client's first events come as
    /// soon as its CONNECT packet is out, which is before the socket takes part.
    pub(crate) fn closed() -> Self {
        Self(Mutex::new(Queue { working: true, ..Queue::default() }))
    }

    /// Lets workers come. `true` if there is something to do: the caller starts one.
    pub(crate) fn open(&self) -> bool {
        let mut queue = self.0.lock();
        queue.working = !queue.jobs.is_empty();
        queue.working
    }

    /// Queues `job` behind all before it.
    pub(crate) fn admit(&self, job: Job) -> Admitted {
        let mut queue = self.0.lock();
        let bytes = size(&job);
        if !queue.jobs.is_empty() && (queue.jobs.len() >= MAX_EVENTS || queue.bytes + bytes > MAX_BYTES) {
            return Admitted::Full(job);
        }
        queue.bytes += bytes;
        queue.jobs.push_back(job);
        if std::mem::replace(&mut queue.working, true) { Admitted::Queued } else { Admitted::QueuedAndIdle }
    }

    /// The next event; `None` ends the worker, and the next event starts another.
    pub(crate) fn next(&self) -> Option<Job> {
        let mut queue = self.0.lock();
        let Some(job) = queue.jobs.pop_front() else {
            *queue = Queue::default();
            return None;
        };
        queue.bytes -= size(&job);
        Some(job)
    }
}

fn size(job: &Job) -> usize {
    match &job.event {
        Value::Str(text, binaries) => text.len() + binaries.iter().flatten().map(Bytes::len).sum::<usize>(),
        Value::Bytes(bytes) => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(text: String) -> Job {
        Job { event: Value::Str(text.into(), None), ack: None }
    }

    fn open() -> Inbox {
        let inbox = Inbox::closed();
        assert!(!inbox.open());
        inbox
    }

    #[test]
    fn nothing_is_worked_on_before_the_socket_takes_part() {
        let inbox = Inbox::closed();
        assert!(matches!(inbox.admit(job("1".into())), Admitted::Queued));
        assert!(inbox.open());
        assert!(matches!(inbox.admit(job("2".into())), Admitted::Queued));
    }

    #[test]
    fn the_first_event_starts_a_worker_and_order_holds() {
        let inbox = open();
        assert!(matches!(inbox.admit(job("1".into())), Admitted::QueuedAndIdle));
        assert!(matches!(inbox.admit(job("2".into())), Admitted::Queued));
        let texts: Vec<_> =
            std::iter::from_fn(|| inbox.next()).map(|job| job.event.as_str().unwrap().to_string()).collect();
        assert_eq!(texts, ["1", "2"]);
        assert!(matches!(inbox.admit(job("3".into())), Admitted::QueuedAndIdle));
    }

    #[test]
    fn a_full_queue_gives_the_event_back() {
        let inbox = open();
        for _ in 0..MAX_EVENTS {
            assert!(!matches!(inbox.admit(job("x".into())), Admitted::Full(_)));
        }
        assert!(matches!(inbox.admit(job("x".into())), Admitted::Full(_)));
        inbox.next();
        assert!(matches!(inbox.admit(job("x".into())), Admitted::Queued));
    }

    #[test]
    fn bytes_count_too() {
        let inbox = open();
        let big = "x".repeat(MAX_BYTES);
        assert!(matches!(inbox.admit(job(big.clone())), Admitted::QueuedAndIdle));
        assert!(matches!(inbox.admit(job("x".into())), Admitted::Full(_)));
        inbox.next();
        assert!(matches!(inbox.admit(job(big)), Admitted::Queued));
    }
}
