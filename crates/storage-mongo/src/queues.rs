//! Queues for changes that got into each other's way. Attempts that meet are tried again, and the more there are the
//! fewer of them succeed: eighty edits at once in one conversation are eighty attempts for each that lasts. So who has
//! met somebody else stands in line, in this process, for what it depends on. Other processes are met as before.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many queues there are. Changes that share one without having to only wait a little longer.
const QUEUES: u64 = 64;

/// One place at the head of each.
#[derive(Debug, Clone)]
pub(crate) struct Queues(Arc<[Arc<Semaphore>]>);

impl Default for Queues {
    fn default() -> Self {
        Self((0..QUEUES).map(|_| Arc::new(Semaphore::new(1))).collect())
    }
}

impl Queues {
    /// Waits for the head of the queues of all that bears these names, and keeps it until the answer is dropped.
    pub(crate) async fn join(&self, names: &[String]) -> Vec<OwnedSemaphorePermit> {
        let mut places: Vec<usize> = names.iter().map(|name| place(name)).collect();
        // Everybody takes them in the same order, so nobody waits for somebody who waits for them.
        places.sort_unstable();
        places.dedup();
        let mut heads = Vec::with_capacity(places.len());
        for queue in places.into_iter().filter_map(|place| self.0.get(place)) {
            // They are never closed.
            heads.extend(Arc::clone(queue).acquire_owned().await.ok());
        }
        heads
    }
}

fn place(name: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    usize::try_from(hasher.finish() % QUEUES).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn who_depends_on_the_same_waits_and_who_does_not_goes_on() {
        let queues = Queues::default();
        let busy = "conversation-1".to_owned();
        let free = (2..100).map(|number| format!("conversation-{number}")).find(|name| place(name) != place(&busy));
        let head = queues.join(std::slice::from_ref(&busy)).await;
        assert_eq!(queues.join(&free.into_iter().collect::<Vec<_>>()).await.len(), 1);
        let (mut second, clone) = (Box::pin(queues.join(std::slice::from_ref(&busy))), queues.clone());
        assert!(timeout(Duration::from_millis(20), &mut second).await.is_err());
        drop(head);
        assert_eq!(second.await.len(), 1);
        assert_eq!(clone.join(&[busy.clone(), busy]).await.len(), 1, "nobody waits for themselves");
    }
}
