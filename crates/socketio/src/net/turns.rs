//! Work that comes by the thousand in one moment is done a few at a time. When a network goes away its connections end at
//! once, and all its clients come back at once; each of them costs as much as some messages, and without a bound those who
//! stay would wait until the last one is done with.

use std::fmt;
use std::future::Future;
use std::num::NonZero;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::thread::available_parallelism;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::sleep;

/// How long a turn lasts. A runtime that is behind ends it only when it has come to whatever was ready before, so that
/// turns become longer with the load by themselves.
const TURN: Duration = Duration::from_millis(2);

/// How many connections are accepted at a time, for each processor.
const ADMISSIONS: usize = 10;
/// How many that are new are read from at a time, likewise.
const WELCOMES: usize = 32;
/// How many whose peer is gone are cleared away at a time, likewise: each is more work.
const FAREWELLS: usize = 4;

/// The pace of connections that come and go.
#[derive(Debug)]
pub(crate) struct Paces {
    pub(crate) admissions: Turns,
    pub(crate) welcomes: Turns,
    pub(crate) farewells: Turns,
}

impl Paces {
    pub(crate) fn new() -> Self {
        let processors = available_parallelism().map_or(1, NonZero::get);
        let turns = |at_a_time| Turns::new(at_a_time * processors);
        Self { admissions: turns(ADMISSIONS), welcomes: turns(WELCOMES), farewells: turns(FAREWELLS) }
    }
}

/// Turns at one kind of work.
#[derive(Debug)]
pub(crate) struct Turns(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    free: Semaphore,
    /// Those that come back together at the end of this turn.
    taken: AtomicUsize,
}

impl Turns {
    fn new(at_a_time: usize) -> Self {
        Self(Arc::new(Shared { free: Semaphore::new(at_a_time), taken: AtomicUsize::new(0) }))
    }

    /// Waits for a turn, in the order of asking.
    pub(crate) fn turn(&self) -> Turn {
        if let Ok(permit) = self.0.free.try_acquire() {
            self.0.take(permit);
            return Turn(None);
        }
        let shared = Arc::clone(&self.0);
        Turn(Some(Box::pin(async move {
            // It is never closed.
            if let Ok(permit) = shared.free.acquire().await {
                shared.take(permit);
            }
        })))
    }
}

impl Shared {
    fn take(self: &Arc<Self>, permit: SemaphorePermit<'_>) {
        permit.forget();
        if self.taken.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            sleep(TURN).await;
            shared.free.add_permits(shared.taken.swap(0, Ordering::AcqRel));
        });
    }
}

/// A turn that is waited for, or has come.
pub(crate) struct Turn(Option<BoxFuture<'static, ()>>);

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(turn) = &mut self.0 {
            ready!(turn.as_mut().poll(cx));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

impl fmt::Debug for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turn")
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use futures::future::join_all;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_few_go_at_once_and_many_one_after_the_other() {
        let turns = Turns::new(8);
        let began = Instant::now();
        let turn = || async {
            turns.turn().await;
            began.elapsed()
        };
        let went = join_all((0..1000).map(|_| turn())).await;
        assert_eq!(went.iter().filter(|after| after.is_zero()).count(), 8);
        let took = began.elapsed();
        // A timer may end a millisecond later.
        assert!((TURN * 124..=TURN * 188).contains(&took), "{took:?}");
        sleep(TURN * 2).await;
        let later = began.elapsed();
        let went = join_all((0..9).map(|_| turn())).await;
        assert_eq!(went.iter().filter(|after| **after == later).count(), 8, "time that has passed is not made up for");
    }

    #[tokio::test(start_paused = true)]
    async fn who_goes_away_while_waiting_takes_no_turn() {
        let turns = Turns::new(1);
        turns.turn().await;
        let mut waiting = turns.turn();
        assert!((&mut waiting).now_or_never().is_none());
        let next = turns.turn();
        drop(waiting);
        let began = Instant::now();
        next.await;
        assert!(began.elapsed() < TURN * 2, "{:?}", began.elapsed());
    }
}
