//! The thread that a connection lives on. Jobs that hop over the runtime's threads for blocking work take what they
//! allocate from a part of the heap for each of them, and find it in no cache.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::watch;

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A thread with a connection. It ends when this is dropped, or told to.
#[derive(Debug)]
pub(super) struct JobThread {
    /// `None` when it is to end.
    jobs: Mutex<Option<SyncSender<Job>>>,
    /// Closed when it has ended.
    runs: watch::Receiver<()>,
}

impl JobThread {
    /// A thread that carries out jobs with `connection`, one after the other. To be called on a runtime.
    pub(super) fn start(mut connection: Connection) -> std::io::Result<Self> {
        let (jobs, given) = sync_channel::<Job>(1);
        let (running, runs) = watch::channel(());
        // A job ends by giving its turn back, which is the runtime's business.
        let runtime = Handle::current();
        Builder::new().name("sqlite-writer".to_owned()).spawn(move || {
            let _entered = runtime.enter();
            for job in given {
                // It has rolled back, and whoever waits for its answer is told when the answer's end is dropped.
                let _ = catch_unwind(AssertUnwindSafe(|| job(&mut connection)));
            }
            drop(connection);
            drop(running);
        })?;
        Ok(Self { jobs: Mutex::new(Some(jobs)), runs })
    }

    /// Takes a job; `false` if it has been told to end. For whoever has the one turn: a second job that waited would keep
    /// the next caller's thread.
    pub(super) fn take(&self, job: impl FnOnce(&mut Connection) + Send + 'static) -> bool {
        self.jobs().as_ref().is_some_and(|jobs| jobs.send(Box::new(job)).is_ok())
    }

    /// Takes no more jobs, and returns when those that it has are carried out and the connection is closed.
    pub(super) async fn end(&self) {
        self.jobs().take();
        let mut runs = self.runs.clone();
        while runs.changed().await.is_ok() {}
    }

    fn jobs(&self) -> MutexGuard<'_, Option<SyncSender<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
