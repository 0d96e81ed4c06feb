//! The clock of an open loop: a thread of its own that hands out tickets at a steady rate, whatever comes back. A
//! timer of the async runtime would be a millisecond off, as much as the latencies that are measured.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::client::{Deed, Ticket};
use crate::run::{Phase, Run};

/// Tickets that wait for one client; what comes on top was not sent, and the report says so.
pub(crate) const QUEUE: usize = 4096;

/// The longest sleep: how soon the end of a phase is noticed.
const NAP: Duration = Duration::from_millis(20);

/// Hands `rate` tickets a second to `clients` in turn until the run drains. How many could not be handed over.
pub(crate) fn start(
    run: Arc<Run>,
    rate: u64,
    clients: Vec<mpsc::Sender<Ticket>>,
    deeds: &'static [Deed],
) -> thread::JoinHandle<u64> {
    thread::spawn(move || {
        let start = run.now();
        let mut unsent = 0;
        for (number, client) in (0_u64..).zip((0..clients.len()).cycle()) {
            let at = start + due(number, rate);
            while let Some(wait) = at.checked_sub(run.now()).filter(|wait| *wait > 0) {
                if run.phase() != Phase::Sending {
                    return unsent;
                }
                thread::sleep(Duration::from_nanos(wait).min(NAP));
            }
            if run.phase() != Phase::Sending {
                return unsent;
            }
            let deed = deeds[usize::try_from(number).unwrap_or(0) % deeds.len()];
            if clients[client].try_send(Ticket { at, deed }).is_err() {
                unsent += 1;
            }
        }
        unsent
    })
}

/// When ticket `number` is due, in nanoseconds from the first.
fn due(number: u64, rate: u64) -> u64 {
    let nanos = u128::from(number) * 1_000_000_000 / u128::from(rate.max(1));
    u64::try_from(nanos).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_keep_their_rate_for_good() {
        assert_eq!(due(3, 1000), 3_000_000);
        assert_eq!(due(7 * 86_400, 7), 86_400_000_000_000);
    }
}
