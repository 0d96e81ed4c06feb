//! Reaching people who are not there, on the storage in memory and a channel that keeps what it is handed. Time is
//! paused: it moves when everything that was begun is done, and the clock of the services when a test says so.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{World, claims, id};
use async_trait::async_trait;
use parlance_domain::model::{ConversationId, EmailAddress, NotificationKind, Preferences, PreferencesChange, User};
use parlance_domain::ports::{Addresses, ChannelError, Claims, Delivered, Digest, NotificationChannel, ReadTarget};
use parlance_domain::services::{AcceptAll, EMAIL, Notice, Settings};
use parlance_storage_memory::MemoryStorage;

const GATHERS: Duration = Duration::from_mins(15);

/// What the channel does with the next digests; it delivers the others.
enum Then {
    Fail,
    Refuse,
    Lose(&'static str),
}

/// A channel that keeps what it is handed.
#[derive(Default)]
struct Letterbox {
    handed: Mutex<Vec<Digest>>,
    then: Mutex<VecDeque<Then>>,
}

impl Letterbox {
    fn then(&self, then: Then) {
        self.then.lock().expect("nobody panics").push_back(then);
    }

    fn empty(&self) -> Vec<Digest> {
        std::mem::take(&mut *self.handed.lock().expect("nobody panics"))
    }
}

#[async_trait]
impl NotificationChannel for Letterbox {
    fn name(&self) -> &'static str {
        EMAIL
    }

    fn is_wanted(&self, preferences: &Preferences) -> bool {
        preferences.email
    }

    fn gathers(&self) -> Duration {
        GATHERS
    }

    async fn deliver(&self, digest: &Digest) -> Result<Delivered, ChannelError> {
        self.handed.lock().expect("nobody panics").push(digest.clone());
        match self.then.lock().expect("nobody panics").pop_front() {
            None => Ok(Delivered::default()),
            Some(Then::Fail) => Err(ChannelError::Later("it rains".into())),
            Some(Then::Refuse) => Err(ChannelError::Refused("no such street".into())),
            Some(Then::Lose(target)) => Ok(Delivered { gone: vec![target.to_owned()] }),
        }
    }
}

struct Post {
    world: World,
    storage: Arc<MemoryStorage>,
    letters: Arc<Letterbox>,
}

impl Post {
    fn new() -> Self {
        Self::on(Arc::new(MemoryStorage::new()))
    }

    fn on(storage: Arc<MemoryStorage>) -> Self {
        let letters = Arc::new(Letterbox::default());
        let world =
            World::reaching(storage.clone(), Settings::default(), Arc::new(AcceptAll), vec![letters.clone() as _]);
        Self { world, storage, letters }
    }

    /// Ann and Bob, who has an address, and their conversation.
    async fn ann_and_bob(&mut self) -> (User, User, ConversationId) {
        let (ann, bob) = (self.world.user("ann").await, self.world.user("bob").await);
        self.move_in(&bob, "bob@example.com").await;
        let room = self.world.direct(&ann, &bob).await;
        (ann, bob, room)
    }

    async fn move_in(&self, user: &User, target: &str) {
        let email = EmailAddress::new(target).expect("an address");
        self.world.services.backend.put_email(&user.id, Some(&email)).await.expect("it is kept");
    }

    async fn addresses(&self, user: &User) -> Vec<String> {
        let addresses = self.storage.list_addresses(&user.id, EMAIL).await.expect("the storage answers");
        addresses.into_iter().map(|address| address.target).collect()
    }

    /// What is handed to the channel by the time that as much has passed.
    async fn after(&self, time: Duration) -> Vec<Digest> {
        settle().await;
        self.world.clock.pass(time);
        settle().await;
        self.letters.empty()
    }

    async fn prefer(&self, user: &User, change: PreferencesChange) {
        self.world.services.notifying.prefer(&user.id, change).await.expect("it is noted");
    }
}

/// Everything that is due gets done.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_said_in_a_quarter_of_an_hour_is_told_at_once() {
    let mut post = Post::new();
    let (ann, bob, room) = post.ann_and_bob().await;
    for text in ["one", "two", "three"] {
        post.world.send(&ann, room, text).await;
    }
    post.world.send(&ann, room, &"ä".repeat(300)).await;
    assert_eq!(post.after(Duration::from_mins(14)).await, [], "it is gathered");
    let told = post.after(Duration::from_mins(1)).await;
    let [digest] = &told[..] else { panic!("one, not {told:?}") };
    assert_eq!((digest.user.id.clone(), digest.unread), (bob.id.clone(), 4));
    assert_eq!(digest.addresses[0].target, "bob@example.com");
    assert_eq!(digest.notification.conversation_id, Some(room));
    let words: Vec<&str> = digest.words.iter().map(|words| words.text.as_str()).collect();
    assert_eq!(words[..3], ["one", "two", "three"]);
    assert!(words[3].ends_with('…') && digest.words.iter().all(|words| words.from == "ANN"), "{words:?}");
    assert_eq!(post.after(GATHERS * 4).await, [], "nothing new is nothing to tell");
    post.world.send(&ann, room, "five").await;
    let told = post.after(GATHERS).await;
    assert_eq!(told.len(), 1, "and what is said later is told later");
    assert_eq!((told[0].unread, told[0].words.len()), (5, 5));
    post.world.send(&bob, room, "I am back").await;
    assert_eq!(post.after(GATHERS).await, [], "Ann has no address");
}

#[tokio::test(start_paused = true)]
async fn who_came_read_or_does_not_want_it_is_not_told() {
    let mut post = Post::new();
    let (ann, bob, room) = post.ann_and_bob().await;
    let services = post.world.services.clone();
    services.presence.connected(&bob.id);
    post.world.send(&ann, room, "you are online").await;
    services.presence.disconnected(&bob.id);
    assert_eq!(post.after(GATHERS).await, [], "who was there when it was said");
    post.world.send(&ann, room, "and now you are not").await;
    settle().await;
    services.presence.connected(&bob.id);
    assert_eq!(post.after(GATHERS).await, [], "who has come meanwhile");
    services.presence.disconnected(&bob.id);
    settle().await;
    post.world.send(&ann, room, "you will read this elsewhere").await;
    settle().await;
    services.reading.mark(&bob.id, room, ReadTarget::All).await.expect("read");
    assert_eq!(post.after(GATHERS).await, [], "who has read meanwhile");
    post.world.send(&ann, room, "one more").await;
    post.prefer(&bob, PreferencesChange { email: Some(false), ..PreferencesChange::default() }).await;
    assert_eq!(post.after(GATHERS).await, [], "who wants no mail");
    post.prefer(&bob, PreferencesChange { email: Some(true), ..PreferencesChange::default() }).await;
    post.world.send(&ann, room, "and another").await;
    assert_eq!(post.after(GATHERS).await.len(), 1, "and who wants it again");
}

#[tokio::test(start_paused = true)]
async fn each_notice_of_a_product_is_told_by_itself() {
    let mut post = Post::new();
    let (_, bob, _) = post.ann_and_bob().await;
    let kind = NotificationKind::new("order").expect("a type");
    for title in ["Order 1", "Order 2"] {
        let notice =
            Notice { kind: kind.clone(), title: title.into(), message: "Shipped".into(), link: None, data: None };
        post.world.services.notifying.notify([bob.id.clone()], &notice).await.expect("noted");
    }
    let mut told = post.after(GATHERS).await;
    told.sort_by_key(|digest| digest.notification.title.clone());
    let titles: Vec<&str> = told.iter().map(|digest| digest.notification.title.as_str()).collect();
    assert_eq!(titles, ["Order 1", "Order 2"]);
    assert!(told.iter().all(|digest| digest.unread == 1 && digest.words.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_and_what_is_refused_is_not() {
    let mut post = Post::new();
    let (ann, _, room) = post.ann_and_bob().await;
    (0..2).for_each(|_| post.letters.then(Then::Fail));
    post.world.send(&ann, room, "hello").await;
    assert_eq!(post.after(GATHERS).await.len(), 1, "the first attempt");
    assert_eq!(post.after(Duration::from_secs(10)).await, [], "there is a pause");
    assert_eq!(post.after(Duration::from_secs(10)).await.len(), 1, "the second");
    assert_eq!(post.after(Duration::from_secs(20)).await, [], "which grows");
    assert_eq!(post.after(Duration::from_secs(20)).await.len(), 1, "the third, which is taken");
    assert_eq!(post.after(GATHERS * 10).await, []);
    post.letters.then(Then::Refuse);
    post.world.send(&ann, room, "hello?").await;
    assert_eq!(post.after(GATHERS).await.len(), 1);
    assert_eq!(post.after(GATHERS * 10).await, [], "it would be refused again");
}

#[tokio::test(start_paused = true)]
async fn targets_behind_which_there_is_nobody_are_forgotten() {
    let mut post = Post::new();
    let (ann, bob, room) = post.ann_and_bob().await;
    post.letters.then(Then::Lose("bob@example.com"));
    post.world.send(&ann, room, "hello").await;
    assert_eq!(post.after(GATHERS).await.len(), 1);
    assert_eq!(post.addresses(&bob).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_outlives_the_process() {
    let mut post = Post::new();
    let (ann, _, room) = post.ann_and_bob().await;
    post.world.send(&ann, room, "before the fall").await;
    settle().await;
    assert_eq!(post.letters.empty(), []);
    let Post { world, storage, .. } = post;
    drop(world);
    let next = Post::on(storage);
    // Its clock begins anew.
    let told = next.after(GATHERS + Duration::from_secs(1)).await;
    assert_eq!(told.len(), 1, "the next process tells it");
    assert_eq!(told[0].words[0].text, "before the fall");
}

#[tokio::test(start_paused = true)]
async fn an_address_comes_from_the_token_unless_the_backend_says_another() {
    let post = Post::new();
    let mailed =
        |address: &str| Claims { email: Some(EmailAddress::new(address).expect("an address")), ..claims("ann") };
    let directory = post.world.services.directory.clone();
    let ann = directory.admit(&mailed("ann@example.com")).await.expect("admitted");
    assert_eq!(post.addresses(&ann).await, ["ann@example.com"]);
    directory.admit(&mailed("anna@example.com")).await.expect("admitted");
    assert_eq!(post.addresses(&ann).await, ["anna@example.com"], "a newer token wins");
    directory.admit(&claims("ann")).await.expect("admitted");
    assert_eq!(post.addresses(&ann).await, ["anna@example.com"], "one that says nothing changes nothing");
    post.move_in(&ann, "ann@work.example").await;
    directory.admit(&mailed("ann@example.com")).await.expect("admitted");
    assert_eq!(post.addresses(&ann).await, ["ann@work.example"], "the backend knows better");
    post.world.services.backend.put_email(&id("ann"), None).await.expect("forgotten");
    assert_eq!(post.addresses(&ann).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn without_mail_addresses_of_tokens_are_not_kept() {
    let storage = Arc::new(MemoryStorage::new());
    let world = World::reaching(storage.clone(), Settings::default(), Arc::new(AcceptAll), vec![]);
    let email = Some(EmailAddress::new("ann@example.com").expect("an address"));
    let ann = world.services.directory.admit(&Claims { email, ..claims("ann") }).await.expect("admitted");
    assert_eq!(storage.list_addresses(&ann.id, EMAIL).await.expect("answers"), []);
}
