//! The `Archive` port. A list sorts what it needs anew for each page, which is all that a reference needs; what is
//! taken in goes where the other ports look for it.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use parlance_domain::model::{
    BlocksRecord, ContentHash, ConversationId, ConversationKind, ConversationRecord, Message, Notification,
    ParticipantRecord, Place, Record, RecordCounts, Seq, UserId, UserRecord,
};
use parlance_domain::ports::{Archive, Begun, StorageError, StorageResult, UnfinishedCopy};
use parlance_domain::rules::media::Named;

use crate::MemoryStorage;
use crate::inbox::Inbox;
use crate::media_items::{Item, Use};
use crate::room::Room;
use crate::state::{Known, State};

#[async_trait]
impl Archive for MemoryStorage {
    async fn count_records(&self) -> StorageResult<RecordCounts> {
        Ok(self.state().count_records())
    }

    async fn list_records(&self, after: &Place, limit: usize) -> StorageResult<Vec<Record>> {
        Ok(self.state().list_records(after, limit))
    }

    async fn find_copy(&self) -> StorageResult<Option<UnfinishedCopy>> {
        Ok(self.state().copy.clone())
    }

    async fn begin_copy(&self, source: ContentHash) -> StorageResult<Begun> {
        let mut state = self.state();
        if let Some(copy) = &state.copy {
            return Ok(if copy.source == source { Begun::Unfinished(copy.reached.clone()) } else { Begun::Foreign });
        }
        if !state.count_records().is_empty() {
            return Ok(Begun::Occupied);
        }
        state.copy = Some(UnfinishedCopy { source, reached: None });
        Ok(Begun::Fresh)
    }

    async fn take_in(&self, records: &[Record]) -> StorageResult<()> {
        let mut state = self.state();
        if state.copy.is_none() {
            return Err(corrupt("no copy has begun"));
        }
        // What came in before an error is harmless: the batch is repeated, and what is there stays.
        records.iter().try_for_each(|record| state.take_in(record))?;
        if let Some((copy, last)) = state.copy.as_mut().zip(records.last()) {
            copy.reached = Some(last.place());
        }
        Ok(())
    }

    async fn finish_copy(&self) -> StorageResult<()> {
        let mut state = self.state();
        let pictures: Vec<(UserId, Named)> = state
            .users
            .iter()
            .map(|(id, known)| (id.clone(), Named::by_urls(known.user.picture.as_deref())))
            .filter(|(_, named)| !named.is_empty())
            .collect();
        for (id, named) in pictures {
            state.use_media(&Use::Picture(id), &Named::default(), &named);
        }
        state.copy = None;
        Ok(())
    }
}

impl State {
    fn count_records(&self) -> RecordCounts {
        RecordCounts {
            users: self.users.len() as u64,
            media: self.media.len() as u64,
            conversations: self.rooms.len() as u64,
            messages: self.places.len() as u64,
            participants: self.rooms.values().map(Room::count_members).sum(),
            blocks: self.blocks.values().map(|blocked| blocked.len() as u64).sum(),
            notifications: self.inboxes.values().map(Inbox::total).sum(),
        }
    }

    fn list_records(&self, after: &Place, limit: usize) -> Vec<Record> {
        match after {
            Place::Users(after) => {
                let users = self.users.iter().filter(|(id, _)| after.as_ref().is_none_or(|after| *id > after));
                users.take(limit).map(|(_, known)| Record::User(self.user_record(known))).collect()
            }
            Place::Media(after) => {
                let media: BTreeMap<_, _> = self.media.iter().filter(|(id, _)| Some(**id) > *after).collect();
                media.values().take(limit).map(|item| Record::Medium(item.medium.clone())).collect()
            }
            Place::Conversations(after) => {
                let rooms = self.rooms_from(*after).filter(|room| Some(room.conversation.id) > *after);
                rooms.take(limit).map(|room| Record::Conversation(conversation_record(room))).collect()
            }
            Place::Messages(after) => {
                let messages = self.rooms_from(after.map(|(id, _)| id)).flat_map(|room| &room.messages);
                let key = |message: &Message| (message.conversation_id, message.seq);
                let messages = messages.filter(|message| Some(key(message)) > *after);
                messages.take(limit).cloned().map(Record::Message).collect()
            }
            Place::Participants(after) => {
                let people = self.rooms_from(after.as_ref().map(|(id, _)| *id)).flat_map(Room::records);
                let key = |record: &ParticipantRecord| (record.conversation_id, Some(record.user_id.clone()));
                let people = people.filter(|record| Some(key(record)) > *after);
                people.take(limit).map(Record::Participant).collect()
            }
            Place::Blocks(after) => {
                let blocks: BTreeMap<_, _> = self.blocks.iter().filter(|(id, _)| Some(*id) > after.as_ref()).collect();
                let blocks = blocks.into_iter().filter(|(_, blocked)| !blocked.is_empty());
                let record = |(blocker, blocked): (&UserId, &Vec<_>)| (blocker.clone(), blocked.clone());
                let records = blocks.take(limit).map(record);
                records.map(|(blocker, blocked)| Record::Blocks(BlocksRecord { blocker, blocked })).collect()
            }
            Place::Notifications(after) => {
                let user = after.as_ref().map(|(user, ..)| user);
                let inboxes: BTreeMap<_, _> = self.inboxes.iter().filter(|(id, _)| Some(*id) >= user).collect();
                let of = |(id, inbox)| {
                    let after = after.as_ref().filter(|(user, ..)| user == id).map(|(_, at, id)| (*at, *id));
                    Inbox::oldest_first_after(inbox, after)
                };
                inboxes.into_iter().flat_map(of).take(limit).cloned().map(Record::Notification).collect()
            }
        }
    }

    /// The conversations from this one on, in id order.
    fn rooms_from(&self, first: Option<ConversationId>) -> impl Iterator<Item = &Room> {
        let rooms: BTreeMap<_, _> = self.rooms.iter().filter(|(id, _)| Some(**id) >= first).collect();
        rooms.into_values()
    }

    fn user_record(&self, known: &Known) -> UserRecord {
        let Known { user, claimed, created_at, revoked_before } = known;
        UserRecord {
            user: user.clone(),
            claimed: claimed.clone(),
            preferences: self.preferences(&user.id),
            created_at: *created_at,
            revoked_before: *revoked_before,
        }
    }

    fn take_in(&mut self, record: &Record) -> StorageResult<()> {
        match record {
            Record::User(UserRecord { user, claimed, preferences, created_at, revoked_before }) => {
                if !self.users.contains_key(&user.id) {
                    self.inbox(&user.id).preferences = *preferences;
                    let known = Known {
                        user: user.clone(),
                        claimed: claimed.clone(),
                        created_at: *created_at,
                        revoked_before: *revoked_before,
                    };
                    self.users.insert(user.id.clone(), known);
                }
                Ok(())
            }
            Record::Medium(medium) => {
                self.must_know([&medium.uploader])?;
                let item = || Item { medium: medium.clone(), uses: HashSet::new() };
                self.media.entry(medium.id).or_insert_with(item);
                Ok(())
            }
            Record::Conversation(record) => self.take_in_conversation(record),
            Record::Message(message) => self.take_in_message(message),
            Record::Participant(record) => self.take_in_participant(record),
            Record::Blocks(BlocksRecord { blocker, blocked }) => {
                for (user, since) in blocked {
                    if !self.blocks(blocker, user) {
                        self.blocks.entry(blocker.clone()).or_default().push((user.clone(), *since));
                    }
                }
                Ok(())
            }
            Record::Notification(notification) => self.take_in_notification(notification),
        }
    }

    fn take_in_conversation(&mut self, record: &ConversationRecord) -> StorageResult<()> {
        let ConversationRecord { conversation, pair } = record;
        if self.rooms.contains_key(&conversation.id) {
            return Ok(());
        }
        if let Some((one, other)) = pair {
            self.must_know([one, other])?;
            self.directs.insert((one.clone(), other.clone()), conversation.id);
        }
        let named = Named::by_urls(conversation.image.as_deref());
        self.use_media(&Use::Group(conversation.id), &Named::default(), &named);
        self.rooms.insert(conversation.id, Room::new(conversation.clone()));
        Ok(())
    }

    fn take_in_message(&mut self, message: &Message) -> StorageResult<()> {
        if self.places.contains_key(&message.id) {
            return Ok(());
        }
        let room = self.rooms.get_mut(&message.conversation_id);
        let room = room.ok_or_else(|| corrupt("a message of a conversation that is not there"))?;
        if message.seq != room.messages.len() as Seq + 1 {
            return Err(corrupt("a message that does not follow the one before it"));
        }
        if let Some(mark) = &message.client_message_id {
            room.sent.insert((message.sender_id.clone(), mark.clone()), message.seq);
        }
        room.messages.push(message.clone());
        self.places.insert(message.id, (message.conversation_id, message.seq));
        self.use_media(&Use::Message(message.id), &Named::default(), &Named::by_links(&message.media));
        Ok(())
    }

    fn take_in_participant(&mut self, record: &ParticipantRecord) -> StorageResult<()> {
        self.must_know([&record.user_id])?;
        let room = self.rooms.get_mut(&record.conversation_id);
        let room = room.ok_or_else(|| corrupt("a participant of a conversation that is not there"))?;
        room.restore(record);
        if record.attendance.is_some() {
            self.rooms_of.entry(record.user_id.clone()).or_default().insert(record.conversation_id);
        }
        Ok(())
    }

    fn take_in_notification(&mut self, notification: &Notification) -> StorageResult<()> {
        self.must_know([&notification.user_id])?;
        let inbox = self.inbox(&notification.user_id);
        if inbox.find(notification.id).is_none() {
            inbox.insert(notification.clone());
        }
        Ok(())
    }
}

fn conversation_record(room: &Room) -> ConversationRecord {
    let pair = match room.conversation.kind {
        ConversationKind::Direct => match &room.roster().users()[..] {
            [one, other] => Some((one.clone(), other.clone())),
            _ => None,
        },
        ConversationKind::Group => None,
    };
    ConversationRecord { conversation: room.conversation.clone(), pair }
}

fn corrupt(what: &'static str) -> StorageError {
    StorageError::Corrupt { source: what.into() }
}
