//! The small world in which a case plays: a fresh storage, identities and a clock that rise, and people and
//! conversations in one line each. What people do there is in `doing`.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use parlance_domain::model::{
    ClaimedProfile, Conversation, ConversationId, Message, ObjectId, Participant, Timestamp, Title, UserId,
};
use parlance_domain::ports::{ConversationEntry, NewConversation, Started, Storage};

/// An empty storage, made for one case.
pub struct Fresh {
    storage: Arc<dyn Storage>,
    guard: Box<dyn Any + Send + Sync>,
}

impl Fresh {
    /// An empty storage.
    pub fn new(storage: impl Storage + 'static) -> Self {
        Self { storage: Arc::new(storage), guard: Box::new(()) }
    }

    /// Likewise, of a storage that others have as well.
    pub fn shared(storage: Arc<dyn Storage>) -> Self {
        Self { storage, guard: Box::new(()) }
    }

    /// Keeps `guard` (a folder, a container) for as long as the case runs; it is dropped after the storage.
    #[must_use]
    pub fn keeping(self, guard: impl Any + Send + Sync) -> Self {
        Self { guard: Box::new((self.guard, guard)), ..self }
    }
}

/// A storage with people in it. Clones are the same world, for the tasks of a race.
#[derive(Clone)]
pub struct World {
    // Fields drop in order: the storage goes before what it stands on.
    storage: Arc<dyn Storage>,
    shared: Arc<Shared>,
}

struct Shared {
    ids: AtomicU64,
    now: AtomicI64,
    _guard: Box<dyn Any + Send + Sync>,
}

impl World {
    /// A world without people.
    pub fn new(fresh: Fresh) -> Self {
        let Fresh { storage, guard } = fresh;
        let shared = Shared { ids: AtomicU64::new(1), now: AtomicI64::new(1_700_000_000_000), _guard: guard };
        Self { storage, shared: Arc::new(shared) }
    }

    /// Another world without people, whose ids and clock begin where those of this one are.
    #[must_use]
    pub fn beside(&self, fresh: Fresh) -> Self {
        let other = Self::new(fresh);
        other.set_like(self);
        other
    }

    /// Sets ids and clock to where those of `other` are, so that the same deeds are the same in both.
    pub fn set_like(&self, other: &Self) {
        self.shared.ids.store(other.shared.ids.load(Ordering::Relaxed), Ordering::Relaxed);
        self.shared.now.store(other.shared.now.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// The storage under test.
    pub fn storage(&self) -> &dyn Storage {
        &*self.storage
    }

    /// An id that nobody has; ids rise.
    pub fn id<T: From<ObjectId>>(&self) -> T {
        let mut bytes = [7; 12];
        bytes[4..].copy_from_slice(&self.shared.ids.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        ObjectId::from_bytes(bytes).into()
    }

    /// The present moment: a second after the one before.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.shared.now.fetch_add(1_000, Ordering::Relaxed))
    }

    /// Somebody new of this name; their id is the name in lower case.
    pub async fn person(&self, name: &str) -> UserId {
        let id: UserId = name.to_lowercase().parse().expect("a name that makes a valid id");
        let claims = ClaimedProfile { name: Some(name.to_owned()), picture: None };
        let user = self.storage().record_claims(&id, &claims, true, self.now()).await.expect("the storage answers");
        user.expect("`record_claims` with `create` makes an unknown user").id
    }

    /// Several people.
    pub async fn people<const N: usize>(&self, names: [&str; N]) -> [UserId; N] {
        let mut people = Vec::with_capacity(N);
        for name in names {
            people.push(self.person(name).await);
        }
        people.try_into().expect("as many people as names")
    }

    /// The id of somebody who does not exist.
    pub fn id_of_nobody(&self) -> UserId {
        "nobody".parse().expect("a valid id")
    }

    /// Starts a conversation.
    pub async fn start(&self, new: &NewConversation) -> Started {
        self.storage().start_conversation(new, self.now()).await.expect("the storage answers")
    }

    /// Starts, or finds, the conversation of two people.
    pub async fn direct(&self, starter: &UserId, other: &UserId) -> ConversationId {
        let new = NewConversation::Direct { id: self.id(), starter: starter.clone(), other: other.clone() };
        self.start(&new).await.conversation.id
    }

    /// Makes a group called "Team".
    pub async fn group(&self, owner: &UserId, members: &[&UserId]) -> ConversationId {
        self.group_called("Team", owner, members).await
    }

    /// Makes a group.
    pub async fn group_called(&self, title: &str, owner: &UserId, members: &[&UserId]) -> ConversationId {
        let new = NewConversation::Group {
            id: self.id(),
            title: Title::new(title).expect("a valid title"),
            owner: owner.clone(),
            members: members.iter().map(|member| (*member).clone()).collect(),
        };
        self.start(&new).await.conversation.id
    }

    /// Two people with a conversation: the smallest world in which something can be said.
    pub async fn ann_and_bob(&self) -> (UserId, UserId, ConversationId) {
        let [ann, bob] = self.people(["Ann", "Bob"]).await;
        let direct = self.direct(&ann, &bob).await;
        (ann, bob, direct)
    }

    /// A conversation that is there.
    pub async fn conversation(&self, id: ConversationId) -> Conversation {
        let found = self.storage().find_conversation(id).await.expect("the storage answers");
        found.expect("a conversation that was started is found")
    }

    /// A conversation as somebody in it sees it.
    pub async fn entry(&self, id: ConversationId, viewer: &UserId) -> ConversationEntry {
        let found = self.storage().find_entry(id, viewer).await.expect("the storage answers");
        found.expect("a participant sees their conversation")
    }

    /// Everybody in a conversation, as one of them sees it.
    pub async fn participants(&self, id: ConversationId, viewer: &UserId) -> Vec<Participant> {
        self.entry(id, viewer).await.participants
    }

    /// Who is in a conversation, in id order.
    pub async fn roster(&self, id: ConversationId) -> Vec<UserId> {
        let found = self.storage().find_roster(id).await.expect("the storage answers");
        found.expect("a conversation that was started has a roster").users().to_vec()
    }

    /// All messages of a conversation, oldest first.
    pub async fn history(&self, id: ConversationId) -> Vec<Message> {
        let page = self.storage().list_history(id, None, 10_000).await.expect("the storage answers");
        page.expect("a conversation has a history").items
    }
}
