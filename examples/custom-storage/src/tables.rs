//! What is kept where, and how identities become keys. Keys are compared byte by byte, so a key that begins with a
//! moment or a number is in order, and one that begins with a user or conversation is found with all of its kind.
//! A user's id has no control characters: a zero byte ends it.

use std::marker::PhantomData;

use parlance_domain::model::{ConversationId, NotificationId, Seq, Timestamp, UserId};
use redb::{Database, TableDefinition};

use crate::media_items::Item;
use crate::records::{MessageRecord, NotificationRecord};
use crate::room::Room;
use crate::users::Known;

/// A table of the database, before its values have a type.
pub(crate) type RawTable = TableDefinition<'static, &'static [u8], &'static [u8]>;

/// A table of documents.
pub(crate) struct Documents<T> {
    pub(crate) raw: RawTable,
    document: PhantomData<fn() -> T>,
}

impl<T> Documents<T> {
    const fn new(name: &'static str) -> Self {
        Self { raw: TableDefinition::new(name), document: PhantomData }
    }
}

/// By user.
pub(crate) const USERS: Documents<Known> = Documents::new("users");
/// By blocker: whom they block, oldest block first.
pub(crate) const BLOCKS: Documents<Vec<String>> = Documents::new("blocks");
/// By conversation.
pub(crate) const ROOMS: Documents<Room> = Documents::new("rooms");
/// By conversation and `seq`.
pub(crate) const MESSAGES: Documents<MessageRecord> = Documents::new("messages");
/// By user, moment and id.
pub(crate) const NOTIFICATIONS: Documents<NotificationRecord> = Documents::new("notifications");
/// By medium.
pub(crate) const MEDIA: Documents<Item> = Documents::new("media");

/// The conversation of two people, by the lower id and the higher.
pub(crate) const DIRECTS: RawTable = TableDefinition::new("directs");
/// The conversations that a user is in now: user and conversation; no value.
pub(crate) const ROOMS_OF: RawTable = TableDefinition::new("rooms_of");
/// The key of a message in `MESSAGES`, by its id.
pub(crate) const PLACES: RawTable = TableDefinition::new("places");
/// The same, by conversation and the `rev` of its last change.
pub(crate) const CHANGES: RawTable = TableDefinition::new("changes");
/// The same, by conversation, sender and `clientMessageId`.
pub(crate) const SENT: RawTable = TableDefinition::new("sent");
/// The key of a notification in `NOTIFICATIONS`, by user and id.
pub(crate) const NOTES: RawTable = TableDefinition::new("notes");
/// The same, of a user's unread chat notification, by user and conversation.
pub(crate) const STANDING: RawTable = TableDefinition::new("standing");
/// The keys of unread notifications; no value.
pub(crate) const UNREAD: RawTable = TableDefinition::new("unread");
/// The media that nothing uses: moment of the upload and id; no value.
pub(crate) const UNUSED: RawTable = TableDefinition::new("unused");

/// Makes the tables that are not there yet, so that readers find all of them.
pub(crate) fn make_all(database: &Database) -> Result<(), redb::Error> {
    let documents = [USERS.raw, BLOCKS.raw, ROOMS.raw, MESSAGES.raw, NOTIFICATIONS.raw, MEDIA.raw];
    let indexes = [DIRECTS, ROOMS_OF, PLACES, CHANGES, SENT, NOTES, STANDING, UNREAD, UNUSED];
    let transaction = database.begin_write()?;
    for table in documents.into_iter().chain(indexes) {
        transaction.open_table(table)?;
    }
    Ok(transaction.commit()?)
}

/// Everything of a user.
pub(crate) fn of_user(user: &UserId) -> Vec<u8> {
    [user.as_str().as_bytes(), &[0]].concat()
}

/// What a user has in, or with, a conversation.
pub(crate) fn of_user_in(user: &UserId, conversation: ConversationId) -> Vec<u8> {
    [of_user(user).as_slice(), &conversation.bytes()].concat()
}

/// Two people, in either order.
pub(crate) fn pair(one: &UserId, other: &UserId) -> Vec<u8> {
    let (low, high) = if one < other { (one, other) } else { (other, one) };
    [of_user(low), of_user(high)].concat()
}

/// A number in a conversation: `seq` or `rev`.
pub(crate) fn numbered(conversation: ConversationId, number: Seq) -> Vec<u8> {
    [conversation.bytes().as_slice(), &number.to_be_bytes()].concat()
}

/// A sender's own mark in a conversation.
pub(crate) fn mark(conversation: ConversationId, sender: &UserId, mark: &str) -> Vec<u8> {
    [conversation.bytes().as_slice(), &of_user(sender), mark.as_bytes()].concat()
}

/// A notification's place in its user's list.
pub(crate) fn in_inbox(user: &UserId, at: Timestamp, id: NotificationId) -> Vec<u8> {
    [of_user(user).as_slice(), &moment(at), &id.bytes()].concat()
}

/// A notification of a user, by its id.
pub(crate) fn note(user: &UserId, id: NotificationId) -> Vec<u8> {
    [of_user(user).as_slice(), &id.bytes()].concat()
}

/// A moment, also one before 1970: the sign is turned round, so that bytes sort as numbers do.
pub(crate) fn moment(at: Timestamp) -> [u8; 8] {
    (at.millis() ^ i64::MIN).to_be_bytes()
}

/// The id at the end of a key.
pub(crate) fn last_id(key: &[u8]) -> [u8; 12] {
    key.last_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_what_they_stand_for() {
        let times = [i64::MIN, -1, 0, 1, i64::MAX].map(|millis| moment(Timestamp::from_millis(millis)));
        assert!(times.is_sorted());
        let home = ConversationId::from_bytes([7; 12]);
        assert!(numbered(home, 9) < numbered(home, 10) && numbered(home, 255) < numbered(home, 256));
    }

    #[test]
    fn nobody_is_found_among_the_keys_of_a_longer_name() {
        let [ann, anna]: [UserId; 2] = ["ann", "anna"].map(|id| id.parse().unwrap());
        assert!(!of_user_in(&anna, ConversationId::from_bytes([1; 12])).starts_with(&of_user(&ann)));
        assert_eq!(pair(&ann, &anna), pair(&anna, &ann));
    }
}
