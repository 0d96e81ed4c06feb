//! The laws of identities: each is new, they rise, whatever the clock does and however many ask.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parlance_domain::model::{ObjectId, Timestamp};
use parlance_domain::ports::{Clock, IdSource};
use parlance_server::system::{ObjectIds, SystemClock};
use proptest::prelude::*;

#[derive(Default)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

fn seconds(id: ObjectId) -> u32 {
    let [a, b, c, d, ..] = id.bytes();
    u32::from_be_bytes([a, b, c, d])
}

proptest! {
    #[test]
    fn ids_rise_whatever_the_clock_does(moments in prop::collection::vec(any::<i64>(), 1..50)) {
        let clock = Arc::new(Hands::default());
        let ids = ObjectIds::new(clock.clone());
        let mut last = ids.next_id();
        for moment in moments {
            // An hour before the end of the layout's 32 bits of seconds, so that there is room to rise.
            clock.0.store(moment.min(4_294_960_000_000), Ordering::Relaxed);
            for _ in 0..3 {
                let next = ids.next_id();
                prop_assert!(next > last, "{next} is not after {last}");
                last = next;
            }
        }
    }

    #[test]
    fn an_id_begins_with_its_second(second in 1..u32::MAX) {
        let clock = Arc::new(Hands(AtomicI64::new(i64::from(second) * 1000 + 999)));
        prop_assert_eq!(seconds(ObjectIds::new(clock).next_id()), second);
    }
}

#[test]
fn no_two_threads_get_the_same() {
    let ids = ObjectIds::new(Arc::new(SystemClock));
    let all: Vec<ObjectId> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| (0..20_000).map(|_| ids.next_id()).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 160_000);
}

#[test]
fn two_processes_differ_in_the_same_second() {
    let clock = Arc::new(Hands::default());
    assert_ne!(ObjectIds::new(clock.clone()).next_id(), ObjectIds::new(clock).next_id());
}
