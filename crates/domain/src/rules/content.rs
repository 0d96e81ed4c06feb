//! What records say, as bytes to be hashed: every field in a fixed order, with lengths before texts and a mark before
//! what may be missing, so that different records never come to the same bytes. All storages and archive files use
//! this one encoding; it is never stored.

use sha2::{Digest, Sha256};

use crate::model::{
    Attendance, BlocksRecord, ClaimedProfile, ContentHash, Conversation, ConversationKind, ConversationRecord,
    Dimensions, MediaLink, MediaType, Medium, Message, MessageKind, Notification, NotificationBody, ParticipantRecord,
    Preferences, Reaction, Record, RecordCounts, Role, SeqRange, Thumbnail, Timestamp, User, UserId, UserRecord,
};

/// A hash that is being worked out.
#[derive(Debug, Clone, Default)]
pub struct Contents(Sha256);

impl Contents {
    /// The hash of all that was added.
    pub fn hash(&self) -> ContentHash {
        ContentHash::from_bytes(self.0.clone().finalize().into())
    }

    /// Adds a hash of other contents.
    pub fn add_hash(&mut self, hash: ContentHash) {
        self.0.update(hash.bytes());
    }

    /// Adds how many records there are.
    pub fn add_counts(&mut self, counts: &RecordCounts) {
        let RecordCounts { users, media, conversations, messages, participants, blocks, notifications } = *counts;
        for count in [users, media, conversations, messages, participants, blocks, notifications] {
            self.number(count);
        }
    }

    /// Adds a record.
    pub fn add(&mut self, record: &Record) {
        match record {
            Record::User(record) => self.user(record),
            Record::Medium(medium) => self.medium(medium),
            Record::Conversation(record) => self.conversation(record),
            Record::Message(message) => self.message(message),
            Record::Participant(record) => self.participant(record),
            Record::Blocks(record) => self.blocks(record),
            Record::Notification(notification) => self.notification(notification),
        }
    }

    fn user(&mut self, record: &UserRecord) {
        let UserRecord { user, claimed, preferences, created_at, revoked_before } = record;
        let User { id, name, picture } = user;
        let ClaimedProfile { name: claimed_name, picture: claimed_picture } = claimed;
        let Preferences { email, push, chat, job_match } = *preferences;
        self.mark(b'u');
        self.person(id);
        self.text(name);
        self.option(picture.as_deref(), Self::text);
        self.option(claimed_name.as_deref(), Self::text);
        self.option(claimed_picture.as_deref(), Self::text);
        for wanted in [email, push, chat, job_match] {
            self.mark(u8::from(wanted));
        }
        self.moment(*created_at);
        // Nothing where there is none, and no record begins with this mark: what was hashed before there were
        // revocations still comes to the same.
        if let Some(moment) = revoked_before {
            self.mark(b'r');
            self.moment(*moment);
        }
    }

    fn medium(&mut self, medium: &Medium) {
        let Medium {
            id,
            uploader,
            media_type,
            format,
            content_type,
            filename,
            bytes,
            digest,
            dimensions,
            thumbnail,
            uploaded_at,
        } = medium;
        self.mark(b'f');
        self.0.update(id.bytes());
        self.person(uploader);
        self.media_type(*media_type);
        for text in [format, content_type, filename, digest] {
            self.text(text);
        }
        self.number(*bytes);
        self.option(*dimensions, Self::dimensions);
        self.option(thumbnail.as_ref(), |contents, Thumbnail { content_type, bytes, dimensions }| {
            contents.text(content_type);
            contents.number(*bytes);
            contents.dimensions(*dimensions);
        });
        self.moment(*uploaded_at);
    }

    fn conversation(&mut self, record: &ConversationRecord) {
        let ConversationRecord { conversation, pair } = record;
        let Conversation { id, kind, title, image, last_seq, rev, created_at, updated_at, active_at } = conversation;
        self.mark(b'c');
        self.0.update(id.bytes());
        self.mark(match kind {
            ConversationKind::Direct => 0,
            ConversationKind::Group => 1,
        });
        self.option(pair.as_ref(), |contents, (one, other)| {
            contents.person(one);
            contents.person(other);
        });
        self.option(title.as_ref(), |contents, title| contents.text(title.as_str()));
        self.option(image.as_deref(), Self::text);
        self.number(*last_seq);
        self.number(*rev);
        for moment in [created_at, updated_at, active_at] {
            self.moment(*moment);
        }
    }

    fn message(&mut self, message: &Message) {
        let Message {
            id,
            conversation_id,
            seq,
            rev,
            sender_id,
            kind,
            text,
            media,
            reply_to,
            client_message_id,
            reactions,
            created_at,
            edited_at,
            deleted_at,
            updated_at,
        } = message;
        self.mark(b'm');
        self.0.update(id.bytes());
        self.0.update(conversation_id.bytes());
        self.number(*seq);
        self.number(*rev);
        self.person(sender_id);
        match kind {
            MessageKind::Text => self.mark(0),
            MessageKind::Media(media_type) => self.media_type(*media_type),
            MessageKind::System => self.mark(4),
        }
        self.option(text.as_deref(), Self::text);
        self.list(media, |contents, MediaLink { url, media_type, filename, size, thumbnail_url }| {
            contents.text(url);
            contents.media_type(*media_type);
            contents.option(filename.as_deref(), Self::text);
            contents.option(*size, Self::number);
            contents.option(thumbnail_url.as_deref(), Self::text);
        });
        self.option(*reply_to, |contents, id| contents.0.update(id.bytes()));
        self.option(client_message_id.as_ref(), |contents, mark| contents.text(mark.as_str()));
        self.list(reactions, |contents, Reaction { emoji, users }| {
            contents.text(emoji.as_str());
            contents.list(users, Self::person);
        });
        self.moment(*created_at);
        self.option(*edited_at, Self::moment);
        self.option(*deleted_at, Self::moment);
        self.moment(*updated_at);
    }

    fn participant(&mut self, record: &ParticipantRecord) {
        let ParticipantRecord { conversation_id, user_id, attendance, read, delivered } = record;
        self.mark(b'p');
        self.0.update(conversation_id.bytes());
        self.person(user_id);
        self.option(*attendance, |contents, Attendance { role, joined_at, floor }| {
            contents.mark(match role {
                Role::Member => 0,
                Role::Admin => 1,
                Role::Owner => 2,
            });
            contents.moment(joined_at);
            contents.number(floor);
        });
        self.number(read.position());
        self.list(read.ahead(), |contents, SeqRange { first, last }| {
            contents.number(*first);
            contents.number(*last);
        });
        self.number(*delivered);
    }

    fn blocks(&mut self, record: &BlocksRecord) {
        let BlocksRecord { blocker, blocked } = record;
        self.mark(b'b');
        self.person(blocker);
        self.list(blocked, |contents, (user, since)| {
            contents.person(user);
            contents.moment(*since);
        });
    }

    fn notification(&mut self, notification: &Notification) {
        let Notification { id, user_id, kind, body, read, created_at } = notification;
        self.mark(b'n');
        self.0.update(id.bytes());
        self.person(user_id);
        self.text(kind.as_str());
        match body {
            NotificationBody::Chat { conversation_id, message_id } => {
                self.mark(0);
                self.0.update(conversation_id.bytes());
                self.0.update(message_id.bytes());
            }
            NotificationBody::Text { title, message, link, data } => {
                self.mark(1);
                self.text(title);
                self.text(message);
                self.option(link.as_deref(), Self::text);
                self.option(data.as_deref(), Self::text);
            }
        }
        self.mark(u8::from(*read));
        self.moment(*created_at);
    }

    fn mark(&mut self, byte: u8) {
        self.0.update([byte]);
    }

    fn number(&mut self, number: u64) {
        self.0.update(number.to_be_bytes());
    }

    fn moment(&mut self, moment: Timestamp) {
        self.0.update(moment.millis().to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.update(text);
    }

    fn person(&mut self, user: &UserId) {
        self.text(user.as_str());
    }

    fn media_type(&mut self, media_type: MediaType) {
        self.mark(match media_type {
            MediaType::Image => 1,
            MediaType::Video => 2,
            MediaType::File => 3,
        });
    }

    fn dimensions(&mut self, Dimensions { width, height }: Dimensions) {
        self.number(u64::from(width));
        self.number(u64::from(height));
    }

    fn option<T>(&mut self, value: Option<T>, add: impl FnOnce(&mut Self, T)) {
        self.mark(u8::from(value.is_some()));
        if let Some(value) = value {
            add(self, value);
        }
    }

    fn list<T>(&mut self, items: &[T], add: impl Fn(&mut Self, &T)) {
        self.number(items.len() as u64);
        for item in items {
            add(self, item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Emoji, ReadState};

    fn id(byte: u8) -> [u8; 12] {
        [byte; 12]
    }

    fn user(text: &str) -> UserId {
        text.parse().expect("a valid id")
    }

    fn hash(record: &Record) -> ContentHash {
        let mut contents = Contents::default();
        contents.add(record);
        contents.hash()
    }

    fn message() -> Message {
        Message {
            id: id(1).into_id(),
            conversation_id: id(2).into_id(),
            seq: 1,
            rev: 2,
            sender_id: user("ann"),
            kind: MessageKind::Text,
            text: Some("hi".into()),
            media: vec![],
            reply_to: None,
            client_message_id: None,
            reactions: vec![],
            created_at: Timestamp::from_millis(1),
            edited_at: None,
            deleted_at: None,
            updated_at: Timestamp::from_millis(1),
        }
    }

    trait IntoId {
        fn into_id<T: From<crate::model::ObjectId>>(self) -> T;
    }

    impl IntoId for [u8; 12] {
        fn into_id<T: From<crate::model::ObjectId>>(self) -> T {
            crate::model::ObjectId::from_bytes(self).into()
        }
    }

    #[test]
    fn any_change_to_a_message_changes_its_hash() {
        let changes: Vec<fn(&mut Message)> = vec![
            |m| m.id = id(9).into_id(),
            |m| m.conversation_id = id(9).into_id(),
            |m| m.seq = 9,
            |m| m.rev = 9,
            |m| m.sender_id = user("bob"),
            |m| m.kind = MessageKind::System,
            |m| m.kind = MessageKind::Media(MediaType::Image),
            |m| m.text = None,
            |m| m.text = Some(String::new()),
            |m| m.text = Some("hi ".into()),
            |m| {
                let link = MediaLink {
                    url: "https://x/y".into(),
                    media_type: MediaType::File,
                    filename: None,
                    size: None,
                    thumbnail_url: None,
                };
                m.media = vec![link];
            },
            |m| m.reply_to = Some(id(1).into_id()),
            |m| m.client_message_id = crate::model::ClientMessageId::new("x").ok(),
            |m| m.reactions = vec![Reaction { emoji: Emoji::from_stored("+".into()), users: vec![user("ann")] }],
            |m| m.created_at = Timestamp::from_millis(9),
            |m| m.edited_at = Some(Timestamp::from_millis(1)),
            |m| m.deleted_at = Some(Timestamp::from_millis(1)),
            |m| m.updated_at = Timestamp::from_millis(9),
        ];
        let mut seen = vec![hash(&Record::Message(message()))];
        for change in changes {
            let mut changed = message();
            change(&mut changed);
            let hash = hash(&Record::Message(changed.clone()));
            assert!(!seen.contains(&hash), "{changed:?}");
            seen.push(hash);
        }
    }

    #[test]
    fn where_a_text_ends_is_part_of_what_it_says() {
        let blocks = |blocker: &str, blocked: &str| {
            let blocked = vec![(user(blocked), Timestamp::from_millis(1))];
            hash(&Record::Blocks(BlocksRecord { blocker: user(blocker), blocked }))
        };
        assert_ne!(blocks("ab", "c"), blocks("a", "bc"));
    }

    #[test]
    fn leaving_and_reading_change_the_hash_of_a_participant() {
        let record = |attendance, read, delivered| {
            let conversation_id = id(2).into_id();
            hash(&Record::Participant(ParticipantRecord {
                conversation_id,
                user_id: user("ann"),
                attendance,
                read,
                delivered,
            }))
        };
        let attendance = |role, floor| Some(Attendance { role, joined_at: Timestamp::from_millis(1), floor });
        let ahead = ReadState::from_stored(0, vec![SeqRange { first: 2, last: 2 }]);
        let hashes = [
            record(attendance(Role::Member, 0), ReadState::default(), 0),
            record(attendance(Role::Admin, 0), ReadState::default(), 0),
            record(attendance(Role::Member, 1), ReadState::default(), 0),
            record(None, ReadState::default(), 0),
            record(None, ReadState::default(), 1),
            record(None, ahead, 0),
            record(None, ReadState::from_stored(2, vec![]), 0),
        ];
        for (at, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..at].contains(hash), "{at}");
        }
    }
}
