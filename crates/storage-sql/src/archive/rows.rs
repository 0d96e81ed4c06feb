//! Rows of what only a copy looks at: people with their claims, participants with their positions, heads with the
//! pair of a direct conversation.

use parlance_domain::model::{
    Attendance, ClaimedProfile, ConversationRecord, ParticipantRecord, Timestamp, User, UserId, UserRecord,
};
use sea_orm::FromQueryResult;

use crate::conversations::people_of;
use crate::error::BadRow;
use crate::preferences::PreferencesRow;
use crate::rows::{ConversationRow, count, object_id, read_state, role, user_id};

/// A user together with what their last token claimed and what they want to be told.
#[derive(Debug, FromQueryResult)]
pub(super) struct KnownRow {
    id: String,
    name: String,
    picture: Option<String>,
    claimed_name: Option<String>,
    claimed_picture: Option<String>,
    created_at: i64,
    revoked_before: Option<i64>,
    #[sea_orm(nested)]
    preferences: PreferencesRow,
}

impl TryFrom<KnownRow> for UserRecord {
    type Error = BadRow;

    fn try_from(row: KnownRow) -> Result<Self, BadRow> {
        let KnownRow { id, name, picture, claimed_name, claimed_picture, created_at, revoked_before, preferences } =
            row;
        Ok(Self {
            user: User { id: user_id(&id)?, name, picture },
            claimed: ClaimedProfile { name: claimed_name, picture: claimed_picture },
            preferences: preferences.into(),
            created_at: Timestamp::from_millis(created_at),
            revoked_before: revoked_before.map(Timestamp::from_millis),
        })
    }
}

/// A conversation with its key.
#[derive(Debug, FromQueryResult)]
pub(super) struct HeadRow {
    #[sea_orm(nested)]
    conversation: ConversationRow,
    direct_key: Option<String>,
}

impl TryFrom<HeadRow> for ConversationRecord {
    type Error = BadRow;

    fn try_from(row: HeadRow) -> Result<Self, BadRow> {
        let HeadRow { conversation, direct_key } = row;
        Ok(Self { conversation: conversation.try_into()?, pair: direct_key.as_deref().map(people_of).transpose()? })
    }
}

/// Somebody who is (with a role) or was in a conversation.
#[derive(Debug, FromQueryResult)]
pub(super) struct PositionsRow {
    conversation_id: Vec<u8>,
    user_id: String,
    role: Option<i64>,
    joined_at: Option<i64>,
    floor_seq: Option<i64>,
    read_position: i64,
    delivered_position: i64,
    ahead: Option<String>,
}

impl PositionsRow {
    pub(super) fn key(&self) -> (&[u8], &[u8]) {
        (&self.conversation_id, self.user_id.as_bytes())
    }
}

impl TryFrom<PositionsRow> for ParticipantRecord {
    type Error = BadRow;

    fn try_from(row: PositionsRow) -> Result<Self, BadRow> {
        let PositionsRow {
            conversation_id,
            user_id: id,
            role: number,
            joined_at,
            floor_seq,
            read_position,
            delivered_position,
            ahead,
        } = row;
        let attendance = match (number, joined_at, floor_seq) {
            (Some(number), Some(joined_at), Some(floor)) => Some(Attendance {
                role: role(number)?,
                joined_at: Timestamp::from_millis(joined_at),
                floor: count(floor)?,
            }),
            _ => None,
        };
        Ok(Self {
            conversation_id: object_id(&conversation_id)?.into(),
            user_id: user_id(&id)?,
            attendance,
            read: read_state(read_position, ahead.as_deref())?,
            delivered: count(delivered_position)?,
        })
    }
}

/// Who blocks whom.
#[derive(Debug, FromQueryResult)]
pub(super) struct BlockRow {
    blocker: String,
    blocked: String,
    created_at: i64,
}

impl BlockRow {
    pub(super) fn parts(self) -> Result<(UserId, UserId, Timestamp), BadRow> {
        let Self { blocker, blocked, created_at } = self;
        Ok((user_id(&blocker)?, user_id(&blocked)?, Timestamp::from_millis(created_at)))
    }
}
