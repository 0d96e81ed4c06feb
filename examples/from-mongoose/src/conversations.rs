//! Conversations with their messages and people. Messages get their `seq` in the order of their time; what somebody has
//! read becomes their position and, beyond it, single reads.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use parlance_domain::model::{
    Attendance, Conversation, ConversationId, ConversationKind, ConversationRecord, ParticipantRecord, ReadState,
    Record, Role, Timestamp, Title, UserId,
};

use crate::document::{Document, Unusable};
use crate::messages::Said;
use crate::people::People;

const PARTICIPANTS: &[&str] = &["participants", "members", "users"];
const KIND: &[&str] = &["type"];
const IS_GROUP: &[&str] = &["isGroup", "isGroupChat"];
const TITLE: &[&str] = &["title", "groupName", "name", "chatName"];
const IMAGE: &[&str] = &["groupImage", "groupPhoto", "image"];
const OWNER: &[&str] = &["createdBy", "owner", "groupAdmin"];
const ADMINS: &[&str] = &["admins"];
const CREATED: &[&str] = &["createdAt"];
const UPDATED: &[&str] = &["updatedAt", "createdAt"];

/// A conversation that is being put together.
struct Room {
    record: ConversationRecord,
    roles: BTreeMap<UserId, Role>,
    messages: Vec<Said>,
}

/// All conversations.
pub(crate) struct Rooms(BTreeMap<ConversationId, Room>);

impl Rooms {
    pub(crate) fn of(documents: &[Document], people: &mut People) -> Result<Self, Unusable> {
        let mut rooms = BTreeMap::new();
        let mut pairs = HashSet::new();
        for document in documents {
            let room = Room::of(document)?;
            for user in room.roles.keys() {
                people.meet(user, room.record.conversation.created_at);
            }
            if let Some((one, other)) = &room.record.pair
                && !pairs.insert((one.clone(), other.clone()))
            {
                // Which of the two histories goes on is not for us to say.
                return Err(document.unusable(format!("{one} and {other} have another direct conversation")));
            }
            let id = room.record.conversation.id;
            if rooms.insert(id, room).is_some() {
                return Err(document.unusable(format!("there is another conversation {id}")));
            }
        }
        Ok(Self(rooms))
    }

    /// Puts messages into their conversations.
    pub(crate) fn take_in(&mut self, documents: Vec<Document>, people: &mut People) -> Result<(), Unusable> {
        let mut ids = HashSet::new();
        for document in documents {
            let said = Said::of(&document)?;
            if !ids.insert(said.id) {
                return Err(document.unusable(format!("there is another message {}", said.id)));
            }
            let Some(room) = self.0.get_mut(&said.conversation_id) else {
                return Err(document.unusable(format!("there is no conversation {}", said.conversation_id)));
            };
            people.meet(&said.sender_id, said.created_at);
            room.messages.push(said);
        }
        Ok(())
    }

    pub(crate) fn records(self) -> impl Iterator<Item = Record> {
        self.0.into_values().flat_map(Room::records)
    }
}

impl Room {
    fn of(document: &Document) -> Result<Self, Unusable> {
        let id: ConversationId = document.needed_id(&["_id"])?;
        let people: BTreeSet<UserId> = document.ids(PARTICIPANTS)?.into_iter().collect();
        let title = document.text(TITLE);
        let is_group = document.flag(IS_GROUP) || document.text(KIND) == Some("group") || people.len() != 2;
        let Some(first) = people.first() else { return Err(document.unusable("nobody is in it")) };
        let created_at = document.moment(CREATED).unwrap_or(Timestamp::from_millis(0));
        let updated_at = document.moment(UPDATED).unwrap_or(created_at).max(created_at);
        let kind = if is_group { ConversationKind::Group } else { ConversationKind::Direct };
        let title = match kind {
            ConversationKind::Direct => None,
            ConversationKind::Group => {
                let title: String = title.unwrap_or("Group").chars().take(Title::MAX_CHARS).collect();
                Some(Title::new(&title).map_err(|error| document.unusable(error.to_string()))?)
            }
        };
        let owner: Option<UserId> = document.id(OWNER)?.filter(|owner| people.contains(owner));
        let owner = owner.unwrap_or_else(|| first.clone());
        let admins: Vec<UserId> = document.ids(ADMINS)?;
        let role = |user: &UserId| match kind {
            ConversationKind::Group if *user == owner => Role::Owner,
            ConversationKind::Group if admins.contains(user) => Role::Admin,
            ConversationKind::Group | ConversationKind::Direct => Role::Member,
        };
        let pair = people.first().cloned().zip(people.last().cloned());
        let conversation = Conversation {
            id,
            kind,
            title,
            image: document.text(IMAGE).filter(|_| is_group).map(str::to_owned),
            last_seq: 0,
            rev: 0,
            created_at,
            updated_at,
            active_at: created_at,
        };
        Ok(Self {
            record: ConversationRecord { conversation, pair: pair.filter(|_| kind == ConversationKind::Direct) },
            roles: people.iter().map(|user| (user.clone(), role(user))).collect(),
            messages: Vec::new(),
        })
    }

    fn records(mut self) -> Vec<Record> {
        self.messages.sort_by_key(|said| (said.created_at, said.id));
        let there: HashSet<_> = self.messages.iter().map(|said| said.id).collect();
        let conversation = &mut self.record.conversation;
        let mut read: BTreeMap<UserId, ReadState> = BTreeMap::new();
        for user in self.roles.keys().chain(self.messages.iter().map(|said| &said.sender_id)) {
            read.entry(user.clone()).or_default();
        }
        let mut messages = Vec::with_capacity(self.messages.len());
        for (seq, mut said) in (1..).zip(self.messages) {
            for (user, state) in &mut read {
                if said.read_by_all || said.sender_id == *user || said.read_by.contains(user) {
                    state.mark(seq);
                }
            }
            // An answer to what is not there answers nothing.
            said.reply_to = said.reply_to.filter(|id| there.contains(id));
            conversation.last_seq = seq;
            conversation.rev = seq;
            conversation.active_at = said.created_at.max(conversation.active_at);
            messages.push(Record::Message(said.placed(seq)));
        }
        let (id, last, joined_at) = (conversation.id, conversation.last_seq, conversation.created_at);
        let mut records = vec![Record::Conversation(self.record)];
        records.append(&mut messages);
        records.extend(read.into_iter().map(|(user_id, read)| {
            let role = self.roles.get(&user_id).copied();
            let attendance = role.map(|role| Attendance { role, joined_at, floor: 0 });
            // Whatever they have not read they have at least been shown by the old back end.
            Record::Participant(ParticipantRecord { conversation_id: id, user_id, attendance, read, delivered: last })
        }));
        records
    }
}
