//! Random lives of notifications, compared with a naive model: a list of what was told.

use std::collections::BTreeMap;

use parlance_domain::model::{ConversationId, MessageId, NotificationBody, NotificationId, UserId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::World;

/// A notification as the model remembers it.
struct Told {
    id: NotificationId,
    conversation: Option<ConversationId>,
    /// What it stands for, once it is read.
    frozen: Option<MessageId>,
    read: bool,
}

/// One user's notifications, oldest first, and the newest message of each conversation.
#[derive(Default)]
struct Model {
    told: Vec<Told>,
    newest: BTreeMap<ConversationId, MessageId>,
}

impl Model {
    fn unread(&self) -> u64 {
        self.told.iter().filter(|told| !told.read).count() as u64
    }

    fn standing(&self, conversation: ConversationId) -> Option<usize> {
        self.told.iter().position(|told| told.conversation == Some(conversation) && !told.read)
    }

    fn read(&mut self, at: usize) {
        let told = &mut self.told[at];
        if !told.read {
            told.read = true;
            told.frozen = told.conversation.and_then(|id| self.newest.get(&id).copied());
        }
    }
}

async fn assert_equal(world: &World, user: &UserId, model: &Model, after: &str) {
    // `told` compares the counts with the rows.
    let told = world.told(user).await;
    let found: Vec<_> = told
        .iter()
        .rev()
        .map(|told| match told.body {
            NotificationBody::Chat { message_id, .. } => (told.id, told.conversation(), Some(message_id), told.read),
            NotificationBody::Text { .. } => (told.id, None, None, told.read),
        })
        .collect();
    let expected: Vec<_> = model
        .told
        .iter()
        .map(|told| {
            let newest = told.conversation.and_then(|id| model.newest.get(&id).copied());
            (told.id, told.conversation, told.frozen.or(newest), told.read)
        })
        .collect();
    assert_eq!(found, expected, "after {after}");
}

/// A life of so many steps. All that is known is compared after each `every` of them.
async fn live(world: World, seed: u64, steps: usize, every: usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let mut conversations = vec![world.direct(&ann, &bob).await];
    for _ in 0..2 {
        conversations.push(world.group(&ann, &[&bob]).await);
    }
    let mut model = Model::default();
    for step in 0..steps {
        let conversation = conversations[random.random_range(0..conversations.len())];
        let some = (!model.told.is_empty()).then(|| random.random_range(0..model.told.len()));
        let choice = random.random_range(0..10);
        let what = format!("step {step} of seed {seed}: {choice} at {some:?}");
        match (choice, some) {
            (0..=2, _) => {
                let message = world.send(conversation, &ann, &what).await;
                model.newest.insert(conversation, message.id);
                let noted = world.note(&message, &[&bob]).await;
                if model.standing(conversation).is_some() {
                    assert_eq!((noted.made.len(), noted.standing.len()), (0, 1), "one stands, at {what}");
                } else {
                    let id = noted.made[0].value.id;
                    model.told.push(Told { id, conversation: Some(conversation), frozen: None, read: false });
                    assert_eq!(noted.made[0].unread, model.unread(), "the count, at {what}");
                }
            }
            (3..=4, _) => {
                let notices = (0..random.random_range(1..4)).map(|_| world.notice_of("system", &bob)).collect();
                let made = world.tell(notices).await;
                for told in &made {
                    model.told.push(Told { id: told.value.id, conversation: None, frozen: None, read: false });
                }
                assert!(made.iter().all(|told| told.unread == model.unread()), "the count, at {what}");
            }
            (5, Some(at)) => {
                let marked = world.mark_told(&bob, model.told[at].id).await.expect("it is Bob's");
                assert_eq!(marked.value.1, !model.told[at].read, "whether it was unread, at {what}");
                model.read(at);
                assert_eq!(marked.unread, model.unread(), "the count, at {what}");
            }
            (6, _) => {
                let marked = world.mark_noted(&bob, conversation).await;
                let standing = model.standing(conversation);
                assert_eq!(marked.as_ref().map(|one| one.value), standing.map(|at| model.told[at].id), "at {what}");
                if let Some(at) = standing {
                    model.read(at);
                    assert_eq!(marked.map(|one| one.unread), Some(model.unread()), "the count, at {what}");
                }
            }
            (7..=8, Some(at)) => {
                let removed = world.forget_told(&bob, model.told[at].id).await.expect("it is Bob's");
                assert_eq!(removed.value, !model.told[at].read, "whether it was unread, at {what}");
                model.told.remove(at);
                assert_eq!(removed.unread, model.unread(), "the count, at {what}");
            }
            (9, _) if random.random_range(0..3) == 0 => {
                let marked = world.mark_all_told(&bob).await;
                assert_eq!((marked.value, marked.unread), (model.unread(), 0), "how many were unread, at {what}");
                for at in 0..model.told.len() {
                    model.read(at);
                }
            }
            _ => continue,
        }
        if step % every == 0 {
            assert_equal(&world, &bob, &model, &what).await;
        }
    }
    assert_equal(&world, &bob, &model, "the end").await;
}

/// Notifications, what they stand for and both counts follow a naive model through a random life.
pub async fn random_notifications_follow_the_naive_model(world: World) {
    live(world, 1, 100, 1).await;
}

/// The same with another, longer life, looked at now and then.
pub async fn a_long_life_of_notifications_follows_the_naive_model(world: World) {
    live(world, 2, 300, 10).await;
}
