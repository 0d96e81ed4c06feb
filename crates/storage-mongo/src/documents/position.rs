//! How far somebody is in a conversation, or was when they left it: the status of a message never goes back.
//!
//! Nothing up to `floor`, the end of the history when somebody came in, is unread by them, though they have not
//! read it. Beyond it and the read position, `ahead_count` counts single reads, and `dead` tombstones that these do
//! not cover. So unread = last seq - max(read, floor) - `ahead_count` - `dead`.

use mongodb::bson::oid::ObjectId;
use parlance_domain::model::{ConversationId, ReadState, Seq, SeqRange, UserId};
use parlance_domain::rules::appending::Standing;
use serde::{Deserialize, Serialize};

use super::{count, number, object_id, user_id};
use crate::error::BadDocument;

/// Somebody's positions.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PositionDocument {
    #[serde(rename = "_id")]
    pub(crate) id: String,
    pub(crate) conversation: ObjectId,
    pub(crate) user: String,
    /// Whether they are in it now.
    pub(crate) present: bool,
    pub(crate) floor: i64,
    pub(crate) read: i64,
    pub(crate) delivered: i64,
    /// Single reads beyond the position, as first and last of each range.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ahead: Vec<(i64, i64)>,
    pub(crate) ahead_count: i64,
    pub(crate) dead: i64,
}

/// The key of somebody's positions: those of one conversation lie side by side.
pub(crate) fn position_id(conversation: ConversationId, user: &UserId) -> String {
    format!("{conversation}/{user}")
}

impl PositionDocument {
    /// Somebody who comes in for the first time, when the newest message is `last_seq`.
    pub(crate) fn new(conversation: ConversationId, user: &UserId, last_seq: Seq) -> Self {
        Self {
            id: position_id(conversation, user),
            conversation: object_id(conversation.bytes()),
            user: user.as_str().to_owned(),
            present: true,
            floor: number(last_seq),
            read: 0,
            delivered: 0,
            ahead: Vec::new(),
            ahead_count: 0,
            dead: 0,
        }
    }

    pub(crate) fn conversation_id(&self) -> ConversationId {
        ConversationId::from_bytes(self.conversation.bytes())
    }

    pub(crate) fn user_id(&self) -> Result<UserId, BadDocument> {
        user_id(&self.user)
    }

    /// What they have read.
    pub(crate) fn read_state(&self) -> Result<ReadState, BadDocument> {
        let range = |(first, last): &(i64, i64)| Ok(SeqRange { first: count(*first)?, last: count(*last)? });
        let ahead = self.ahead.iter().map(range).collect::<Result<_, BadDocument>>()?;
        Ok(ReadState::from_stored(count(self.read)?, ahead))
    }

    /// Where they stand as a sender.
    pub(crate) fn standing(&self) -> Result<Standing, BadDocument> {
        Ok(Standing { floor: count(self.floor)?, read: self.read_state()?, dead: count(self.dead)? })
    }

    /// What they have not read when the newest message is `last_seq`. Positions and conversation may have been read
    /// at different moments.
    pub(crate) fn unread(&self, last_seq: i64) -> u64 {
        let Self { floor, read, ahead_count, dead, .. } = self;
        u64::try_from(last_seq - (*read).max(*floor) - ahead_count - dead).unwrap_or(0)
    }
}

/// Ranges as they are stored.
pub(crate) fn ranges_to_stored(ranges: &[SeqRange]) -> Vec<Vec<i64>> {
    ranges.iter().map(|range| vec![number(range.first), number(range.last)]).collect()
}
