//! How many sessions wait for their user. The library makes a session, with buffers and a heartbeat, for whoever asks;
//! who they are is known only when their CONNECT packet comes, for which they have `connect_timeout`. Places for that
//! are counted, in all and for each network, so that strangers cannot fill the memory. The place stands among the
//! session's request extensions, which the library drops with the session: none is ever lost.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::client::Network;

/// The part of all places that one network may have.
const SHARE: usize = 4;

/// All who wait.
#[derive(Debug)]
pub(crate) struct Lobby {
    places: AtomicUsize,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    all: usize,
    /// Never more entries than sessions wait.
    by_network: HashMap<Network, usize>,
}

/// A session's place.
#[derive(Debug)]
pub(crate) struct Place {
    lobby: Arc<Lobby>,
    network: Network,
    waits: AtomicBool,
}

impl Lobby {
    /// So many places, or as many as are asked for.
    pub(crate) fn new(places: Option<usize>) -> Self {
        Self { places: AtomicUsize::new(places.unwrap_or(usize::MAX)), waiting: Mutex::default() }
    }

    /// So many places from now on; who waits goes on waiting.
    pub(crate) fn change(&self, places: Option<usize>) {
        self.places.store(places.unwrap_or(usize::MAX), Ordering::Relaxed);
    }

    /// A place for a session from `address`, if there is one left.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Arc<Place>> {
        let network = Network::of(address);
        let mut waiting = self.waiting.lock();
        let own = waiting.by_network.get(&network).copied().unwrap_or(0);
        let places = self.places.load(Ordering::Relaxed);
        if waiting.all >= places || own >= places.div_ceil(SHARE) {
            return None;
        }
        waiting.add(network);
        drop(waiting);
        Some(Arc::new(Place { lobby: Arc::clone(self), network, waits: AtomicBool::new(true) }))
    }
}

impl Waiting {
    fn add(&mut self, network: Network) {
        self.all += 1;
        *self.by_network.entry(network).or_default() += 1;
    }

    fn remove(&mut self, network: Network) {
        self.all -= 1;
        if let Some(own) = self.by_network.get_mut(&network) {
            *own -= 1;
            if *own == 0 {
                self.by_network.remove(&network);
            }
        }
    }
}

impl Place {
    /// The session has a user.
    pub(crate) fn leave(&self) {
        if self.waits.swap(false, Ordering::AcqRel) {
            self.lobby.waiting.lock().remove(self.network);
        }
    }

    /// The session has no user any more, and may have one again. It waits, also where there is no place left.
    pub(crate) fn come_back(&self) {
        if !self.waits.swap(true, Ordering::AcqRel) {
            self.lobby.waiting.lock().add(self.network);
        }
    }

    /// Whether the session has no user.
    pub(crate) fn waits(&self) -> bool {
        self.waits.load(Ordering::Acquire)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::from(n.to_be_bytes())
    }

    #[test]
    fn places_are_bounded_in_all_and_for_each_network_and_come_back() {
        let lobby = Arc::new(Lobby::new(Some(8)));
        let mut places = Vec::new();
        for network in 1..=4 {
            places.extend((0..2).map(|_| lobby.enter(address(network)).unwrap()));
            assert!(lobby.enter(address(network)).is_none(), "one network's share");
        }
        assert!(lobby.enter(address(99)).is_none(), "everybody's share");
        places.pop();
        places.push(lobby.enter(address(99)).unwrap());
        places.clear();
        let waiting = lobby.waiting.lock();
        assert!(waiting.all == 0 && waiting.by_network.is_empty());
    }

    #[test]
    fn without_a_bound_everybody_finds_a_place() {
        let lobby = Arc::new(Lobby::new(None));
        let places: Vec<_> = (0..100).map(|_| lobby.enter(address(1)).unwrap()).collect();
        assert_eq!(lobby.waiting.lock().all, places.len());
        lobby.change(Some(places.len()));
        assert!(lobby.enter(address(2)).is_none(), "a bound that comes later");
    }

    #[test]
    fn who_is_known_does_not_wait_until_they_are_not_any_more() {
        let lobby = Arc::new(Lobby::new(Some(8)));
        let all = || lobby.waiting.lock().all;
        let place = lobby.enter(address(1)).unwrap();
        place.leave();
        place.leave();
        assert!(!place.waits() && all() == 0);
        place.come_back();
        place.come_back();
        assert!(place.waits() && all() == 1);
        drop(place);
        assert_eq!(all(), 0);
    }
}
