//! Long random lives, compared with a model that is too simple to be wrong: sets of who has read what.

use std::collections::{BTreeMap, BTreeSet};

use parlance_domain::model::{ConversationId, MessageId, MessageStatus, NewMessage, UserId};
use parlance_domain::ports::ReadTarget;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::World;
use crate::doing::ids_of;

/// A message as the model remembers it; its place is its `seq` less one.
struct Said {
    id: MessageId,
    sender: UserId,
    gone: bool,
    read_by: BTreeSet<UserId>,
    received_by: BTreeSet<UserId>,
}

impl Said {
    fn status(&self) -> MessageStatus {
        let other = |users: &BTreeSet<UserId>| users.iter().any(|user| *user != self.sender);
        if other(&self.read_by) {
            MessageStatus::Read
        } else if other(&self.received_by) {
            MessageStatus::Delivered
        } else {
            MessageStatus::Sent
        }
    }
}

/// A group, naively.
struct Model {
    said: Vec<Said>,
    /// Who is in it, and how much had been said when they came in.
    present: BTreeMap<UserId, usize>,
    changes: u64,
}

impl Model {
    fn unread(&self, user: &UserId) -> Vec<usize> {
        let since = self.present[user];
        let unread = |said: &Said| said.sender != *user && !said.gone && !said.read_by.contains(user);
        (since..self.said.len()).filter(|at| unread(&self.said[*at])).collect()
    }

    /// Reads these places; answers with what was unread.
    fn read(&mut self, user: &UserId, places: impl IntoIterator<Item = usize>) -> Vec<MessageId> {
        let unread = self.unread(user);
        let mut newly = Vec::new();
        for at in places {
            self.said[at].read_by.insert(user.clone());
            if unread.contains(&at) {
                newly.push(self.said[at].id);
            }
        }
        newly
    }

    /// Something is said: it reads everything before it.
    fn say(&mut self, id: MessageId, sender: &UserId) -> Vec<MessageId> {
        let newly = if self.present.contains_key(sender) { self.read(sender, 0..self.said.len()) } else { vec![] };
        for said in &mut self.said {
            said.read_by.insert(sender.clone());
        }
        let (read_by, received_by) = (BTreeSet::from([sender.clone()]), BTreeSet::new());
        self.said.push(Said { id, sender: sender.clone(), gone: false, read_by, received_by });
        self.changes += 1;
        newly
    }

    /// A live socket appears; answers with what turns to delivered.
    fn deliver(&mut self, user: &UserId) -> Vec<MessageId> {
        let mut told = Vec::new();
        for said in &mut self.said {
            if said.sender != *user && !said.gone && said.status() == MessageStatus::Sent {
                told.push(said.id);
            }
            said.received_by.insert(user.clone());
        }
        told.sort_unstable();
        told
    }
}

/// Compares everything that the ports say about reading with the model.
async fn assert_equal(world: &World, group: ConversationId, model: &Model, after: &str) {
    let everybody: Vec<UserId> = model.present.keys().cloned().collect();
    assert_eq!(world.roster(group).await, everybody, "who is in it, after {after}");
    let mut counts = world.storage().list_unread_of(group, &everybody).await.expect("the storage answers");
    counts.sort();
    let expected: Vec<(UserId, u64)> =
        everybody.iter().map(|user| (user.clone(), model.unread(user).len() as u64)).collect();
    assert_eq!(counts, expected, "unread = others' messages, not read, not deleted; after {after}");
    let marks = world.watermarks(group).await;
    for (at, said) in model.said.iter().enumerate().filter(|(_, said)| !said.gone) {
        let status = marks.status(&said.sender, at as u64 + 1);
        assert_eq!(status, said.status(), "the status of message {}, after {after}", at + 1);
    }
    let now = world.conversation(group).await;
    let expected = (model.said.len() as u64, model.changes);
    assert_eq!((now.last_seq, now.rev), expected, "`seq` and `rev` count every change, after {after}");
}

async fn live(world: World, seed: u64, steps: usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let people = world.people(["Ann", "Bob", "Cleo", "Dan", "Eve"]).await;
    let ann = &people[0];
    let group = world.group(ann, &[&people[1], &people[2], &people[3]]).await;
    let present = people[..4].iter().map(|user| (user.clone(), 0)).collect();
    let mut model = Model { said: Vec::new(), present, changes: 0 };
    for step in 0..steps {
        let user = &people[random.random_range(0..people.len())];
        let inside = model.present.contains_key(user);
        let some = (!model.said.is_empty()).then(|| random.random_range(0..model.said.len()));
        let choice = random.random_range(0..14);
        let what = format!("step {step} of seed {seed}: {choice} by {user} at {some:?}");
        match (choice, some) {
            // Somebody who is not in it comes, or somebody who is goes; Ann, who may, does it, or they do.
            (0, _) if !inside => {
                let told = world.add(group, ann, user).await.message.expect("a system message tells of it");
                model.present.insert(user.clone(), model.said.len());
                model.say(told.id, ann);
            }
            (0, _) if user != ann => {
                let actor = if random.random_range(0..2) == 0 { user } else { ann };
                let told = world.remove(group, actor, user).await.message.expect("a system message tells of it");
                model.present.remove(user);
                model.say(told.id, actor);
            }
            _ if !inside => continue,
            (1..=4, _) => {
                let recipient = &people[random.random_range(0..people.len())];
                let delivered_to = Some(recipient.clone()).filter(|other| other != user);
                let draft = NewMessage { delivered_to: delivered_to.clone(), ..world.draft(group, user, &what) };
                let sent = world.send_draft(draft).await;
                let newly = model.say(sent.message.id, user);
                if let Some(other) = delivered_to.filter(|other| model.present.contains_key(other)) {
                    for said in &mut model.said {
                        said.received_by.insert(other.clone());
                    }
                }
                assert_eq!(ids_of(&sent.newly_read), newly, "what the send has read, at {what}");
            }
            (5, Some(at)) if model.said[at].sender == *user || user == ann => {
                if world.delete(model.said[at].id, ann).await.changed {
                    model.said[at].gone = true;
                    model.changes += 1;
                }
            }
            (6, Some(at)) if !model.said[at].gone => {
                if world.react(model.said[at].id, user, "👍").await.changed {
                    model.changes += 1;
                }
            }
            (7, Some(at)) => {
                let target = ReadTarget::UpTo(model.said[at].id);
                let marked = world.read(group, user, target).await;
                assert_eq!(ids_of(&marked.newly_read), model.read(user, 0..=at), "what was read, at {what}");
            }
            (8..=10, Some(_)) => {
                let count = random.random_range(1..5);
                let places: BTreeSet<usize> = (0..count).map(|_| random.random_range(0..model.said.len())).collect();
                let target = ReadTarget::Messages(places.iter().map(|at| model.said[*at].id).collect());
                let marked = world.read(group, user, target).await;
                assert_eq!(ids_of(&marked.newly_read), model.read(user, places), "what was read, at {what}");
                assert_eq!(marked.unread, model.unread(user).len() as u64, "what is left, at {what}");
            }
            (11, _) if random.random_range(0..3) == 0 => {
                let marked = world.read_all(group, user).await;
                let newly = model.read(user, 0..model.said.len());
                assert_eq!(ids_of(&marked.newly_read), newly, "what was read, at {what}");
            }
            (12, _) => {
                assert_eq!(world.delivered_ids(user).await, model.deliver(user), "what was delivered, at {what}");
            }
            _ => continue,
        }
        assert_equal(&world, group, &model, &what).await;
    }
}

/// Unread counts, newly read messages, statuses, `seq` and `rev` follow a naive model through a random life.
pub async fn a_random_life_follows_the_naive_model(world: World) {
    live(world, 1, 120).await;
}

/// The same with another life.
pub async fn another_random_life_follows_the_naive_model(world: World) {
    live(world, 2, 120).await;
}

/// And a third, longer one.
pub async fn a_long_random_life_follows_the_naive_model(world: World) {
    live(world, 3, 300).await;
}
