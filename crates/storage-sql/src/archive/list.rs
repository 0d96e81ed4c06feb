//! Pages of records, each kind from an index that is in the order of its places: a page costs what it holds.

use parlance_domain::model::{
    BlocksRecord, ConversationId, MediumId, Notification, NotificationId, ParticipantRecord, Place, Record, Seq,
    Timestamp, UserId,
};
use sea_orm::ConnectionTrait;

use super::rows::{BlockRow, HeadRow, KnownRow, PositionsRow};
use crate::error::Failed;
use crate::media_items::{MediumRow, medium_columns};
use crate::notifications::NotificationRow;
use crate::preferences::wanted;
use crate::rows::{MessageRow, all, conversation_columns, message_columns, sql_number};
use crate::statement::Sql;

/// A page of one kind of records after a place.
pub(super) async fn list<C: ConnectionTrait>(on: &C, after: &Place, limit: usize) -> Result<Vec<Record>, Failed> {
    match after {
        Place::Users(after) => users(on, after.as_ref(), limit).await,
        Place::Media(after) => media(on, *after, limit).await,
        Place::Conversations(after) => conversations(on, *after, limit).await,
        Place::Messages(after) => messages(on, *after, limit).await,
        Place::Participants(after) => participants(on, after.as_ref(), limit).await,
        Place::Blocks(after) => blocks(on, after.as_ref(), limit).await,
        Place::Notifications(after) => notifications(on, after.as_ref(), limit).await,
    }
}

/// An id for a comparison: the empty one is before all others.
fn text(id: Option<&UserId>) -> &str {
    id.map_or("", UserId::as_str)
}

fn bytes(id: Option<[u8; 12]>) -> Vec<u8> {
    id.map_or_else(Vec::new, Vec::from)
}

async fn users<C: ConnectionTrait>(on: &C, after: Option<&UserId>, limit: usize) -> Result<Vec<Record>, Failed> {
    let sql = Sql::new(concat!(
        "SELECT u.id, u.name, u.picture, u.claimed_name, u.claimed_picture, u.created_at, u.revoked_before, ",
        wanted!(),
        " FROM users u LEFT JOIN inboxes b ON b.user_id = u.id WHERE u.id > ? ORDER BY u.id LIMIT ?",
    ));
    let rows: Vec<KnownRow> = sql.bind(text(after)).bind(sql_number(limit)).rows(on).await?;
    Ok(all(rows)?.into_iter().map(Record::User).collect())
}

async fn media<C: ConnectionTrait>(on: &C, after: Option<MediumId>, limit: usize) -> Result<Vec<Record>, Failed> {
    let sql = Sql::new(concat!("SELECT ", medium_columns!(), " FROM media WHERE id > ? ORDER BY id LIMIT ?"));
    let rows: Vec<MediumRow> = sql.bind(bytes(after.map(|id| id.bytes()))).bind(sql_number(limit)).rows(on).await?;
    Ok(all(rows)?.into_iter().map(Record::Medium).collect())
}

async fn conversations<C: ConnectionTrait>(
    on: &C,
    after: Option<ConversationId>,
    limit: usize,
) -> Result<Vec<Record>, Failed> {
    let sql = Sql::new(concat!(
        "SELECT ",
        conversation_columns!(),
        ", c.direct_key FROM conversations c WHERE c.id > ? ORDER BY c.id LIMIT ?"
    ));
    let rows: Vec<HeadRow> = sql.bind(bytes(after.map(|id| id.bytes()))).bind(sql_number(limit)).rows(on).await?;
    Ok(all(rows)?.into_iter().map(Record::Conversation).collect())
}

async fn messages<C: ConnectionTrait>(
    on: &C,
    after: Option<(ConversationId, Seq)>,
    limit: usize,
) -> Result<Vec<Record>, Failed> {
    let sql = Sql::new(concat!(
        "SELECT ",
        message_columns!(),
        " FROM messages m INDEXED BY messages_by_seq WHERE (m.conversation_id, m.seq) > (?, ?) \
         ORDER BY m.conversation_id, m.seq LIMIT ?"
    ));
    let rows: Vec<MessageRow> = sql
        .bind(bytes(after.map(|(id, _)| id.bytes())))
        .bind(sql_number(after.map_or(0, |(_, seq)| seq)))
        .bind(sql_number(limit))
        .rows(on)
        .await?;
    Ok(all(rows)?.into_iter().map(Record::Message).collect())
}

/// Those who are in conversations and those who were are in two tables, each in order.
async fn participants<C: ConnectionTrait>(
    on: &C,
    after: Option<&(ConversationId, Option<UserId>)>,
    limit: usize,
) -> Result<Vec<Record>, Failed> {
    const PRESENT: &str = "SELECT conversation_id, user_id, role, joined_at, floor_seq, read_position, \
             delivered_position, ahead \
         FROM participants WHERE (conversation_id, user_id) > (?, ?) ORDER BY conversation_id, user_id LIMIT ?";
    const FORMER: &str = "SELECT conversation_id, user_id, CAST(NULL AS BIGINT) AS role, \
             CAST(NULL AS BIGINT) AS joined_at, CAST(NULL AS BIGINT) AS floor_seq, read_position, \
             delivered_position, ahead \
         FROM former_participants WHERE (conversation_id, user_id) > (?, ?) ORDER BY conversation_id, user_id LIMIT ?";
    let mut rows: Vec<PositionsRow> = Vec::new();
    for statement in [PRESENT, FORMER] {
        let sql = Sql::new(statement)
            .bind(bytes(after.map(|(id, _)| id.bytes())))
            .bind(text(after.and_then(|(_, user)| user.as_ref())))
            .bind(sql_number(limit));
        rows.extend(sql.rows::<PositionsRow, _>(on).await?);
    }
    rows.sort_by(|one, other| one.key().cmp(&other.key()));
    rows.truncate(limit);
    Ok(all::<_, ParticipantRecord>(rows)?.into_iter().map(Record::Participant).collect())
}

async fn blocks<C: ConnectionTrait>(on: &C, after: Option<&UserId>, limit: usize) -> Result<Vec<Record>, Failed> {
    let sql = Sql::new(
        "SELECT blocker, blocked, created_at FROM blocks WHERE blocker IN ( \
             SELECT DISTINCT blocker FROM blocks WHERE blocker > ? ORDER BY blocker LIMIT ?) \
         ORDER BY blocker, created_at, place",
    );
    let rows: Vec<BlockRow> = sql.bind(text(after)).bind(sql_number(limit)).rows(on).await?;
    let mut records: Vec<BlocksRecord> = Vec::new();
    for row in rows {
        let (blocker, blocked, since) = row.parts()?;
        match records.last_mut().filter(|record| record.blocker == blocker) {
            Some(record) => record.blocked.push((blocked, since)),
            None => records.push(BlocksRecord { blocker, blocked: vec![(blocked, since)] }),
        }
    }
    Ok(records.into_iter().map(Record::Blocks).collect())
}

/// As they are stored: the message is that which a notification was made for, or stood for when it was read.
async fn notifications<C: ConnectionTrait>(
    on: &C,
    after: Option<&(UserId, Timestamp, NotificationId)>,
    limit: usize,
) -> Result<Vec<Record>, Failed> {
    let sql = Sql::new(
        "SELECT n.id, n.user_id, n.kind, n.conversation_id, n.message_id, n.title, n.message, n.link, n.data, \
             n.read <> 0 AS read, n.created_at \
         FROM notifications n INDEXED BY notifications_by_user WHERE (n.user_id, n.created_at, n.id) > (?, ?, ?) \
         ORDER BY n.user_id, n.created_at, n.id LIMIT ?",
    );
    let rows: Vec<NotificationRow> = sql
        .bind(text(after.map(|(user, ..)| user)))
        .bind(after.map_or(i64::MIN, |(_, at, _)| at.millis()))
        .bind(bytes(after.map(|(.., id)| id.bytes())))
        .bind(sql_number(limit))
        .rows(on)
        .await?;
    Ok(all::<_, Notification>(rows)?.into_iter().map(Record::Notification).collect())
}
