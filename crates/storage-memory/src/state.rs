//! All data, and what several ports ask of it. Every conversation of `rooms_of` has that user among its
//! present members and the other way round; every message has its place. Single conversations are in `room`.

use std::collections::{BTreeMap, HashMap, HashSet};

use parlance_domain::model::{
    Address, ClaimedProfile, ConversationId, MediumId, Message, MessageId, Seq, Subject, Timestamp, User, UserId,
};
use parlance_domain::ports::{StorageError, UnfinishedCopy};
use parlance_domain::rules::blocking::Blocking;

use crate::errands::Waiting;
use crate::inbox::Inbox;
use crate::media_items::Item;
use crate::outbox::Post;
use crate::room::Room;

/// A user, what their tokens last claimed, and before when those are revoked.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) user: User,
    pub(crate) claimed: ClaimedProfile,
    pub(crate) created_at: Timestamp,
    pub(crate) revoked_before: Option<Timestamp>,
}

/// Everything that is stored.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) users: BTreeMap<UserId, Known>,
    pub(crate) rooms: HashMap<ConversationId, Room>,
    /// By the two people, the lower id first.
    pub(crate) directs: HashMap<(UserId, UserId), ConversationId>,
    pub(crate) rooms_of: HashMap<UserId, HashSet<ConversationId>>,
    pub(crate) places: HashMap<MessageId, (ConversationId, Seq)>,
    /// By blocker; oldest block first, each with its moment.
    pub(crate) blocks: HashMap<UserId, Vec<(UserId, Timestamp)>>,
    pub(crate) inboxes: HashMap<UserId, Inbox>,
    pub(crate) media: HashMap<MediumId, Item>,
    /// By user and channel; what was given last first.
    pub(crate) addresses: HashMap<(UserId, String), Vec<Address>>,
    /// By channel, user and subject.
    pub(crate) errands: BTreeMap<(String, UserId, Subject), Waiting>,
    pub(crate) copy: Option<UnfinishedCopy>,
    pub(crate) post: Post,
}

impl State {
    pub(crate) fn message(&self, id: MessageId) -> Option<&Message> {
        let (conversation, seq) = self.places.get(&id)?;
        self.rooms.get(conversation)?.message(*seq)
    }

    /// The conversations that `user` is in now, in no order.
    pub(crate) fn rooms_of(&self, user: &UserId) -> impl Iterator<Item = &Room> {
        self.rooms_of.get(user).into_iter().flatten().filter_map(|id| self.rooms.get(id))
    }

    pub(crate) fn blocks(&self, blocker: &UserId, blocked: &UserId) -> bool {
        self.blocks.get(blocker).is_some_and(|all| all.iter().any(|(user, _)| user == blocked))
    }

    pub(crate) fn blocking(&self, viewer: &UserId, other: &UserId) -> Blocking {
        Blocking { by_viewer: self.blocks(viewer, other), by_other: self.blocks(other, viewer) }
    }

    /// What a database's foreign key would say.
    pub(crate) fn must_know<'a>(&self, users: impl IntoIterator<Item = &'a UserId>) -> Result<(), StorageError> {
        match users.into_iter().find(|user| !self.users.contains_key(*user)) {
            Some(user) => Err(StorageError::Corrupt { source: format!("there is no user {user}").into() }),
            None => Ok(()),
        }
    }
}

/// Whether `text` contains `part`, ignoring the case of ASCII letters at least.
pub(crate) fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}
