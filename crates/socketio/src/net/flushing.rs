//! Writing what waits on connections, beside those who have something to say: what comes for one connection thick and
//! fast goes out with one call. A connection stands in its lane once, so no lane is longer than there are connections.

use std::mem;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use parking_lot::Mutex;
use tokio::task::coop::consume_budget;

use super::Connection;

/// The lanes, one for each processor.
#[derive(Debug)]
pub(crate) struct Flushing {
    lanes: Box<[Arc<Lane>]>,
    next: AtomicUsize,
}

/// Connections on which something waits. Only one task at a time writes for those of a lane.
#[derive(Debug, Default)]
pub(crate) struct Lane(Mutex<Due>);

#[derive(Debug, Default)]
struct Due {
    connections: Vec<Arc<Connection>>,
    /// Whether a task is at it.
    running: bool,
}

impl Flushing {
    pub(crate) fn new() -> Self {
        let count = available_parallelism().map_or(1, NonZero::get);
        Self { lanes: (0..count).map(|_| Arc::default()).collect(), next: AtomicUsize::new(0) }
    }

    /// The lane of the next connection.
    pub(crate) fn lane(&self) -> Arc<Lane> {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        Arc::clone(&self.lanes[next % self.lanes.len()])
    }
}

impl Lane {
    /// Something waits on this connection, which does not stand here.
    pub(crate) fn add(self: &Arc<Self>, connection: Arc<Connection>) {
        let mut due = self.0.lock();
        due.connections.push(connection);
        if !mem::replace(&mut due.running, true) {
            tokio::spawn(Arc::clone(self).run());
        }
    }

    async fn run(self: Arc<Self>) {
        while let Some(connections) = self.take() {
            for connection in connections {
                connection.flush();
                consume_budget().await;
            }
        }
    }

    fn take(&self) -> Option<Vec<Arc<Connection>>> {
        let mut due = self.0.lock();
        due.running = !due.connections.is_empty();
        due.running.then(|| mem::take(&mut due.connections))
    }
}
