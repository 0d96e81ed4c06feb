//! Conversations as one participant sees them: a page of the list, or one. Three statements for any page:
//! the conversations with unread counts, everybody in them, their newest messages. The viewer's own rows
//! are sorted by activity; messages are never sorted or counted.

use std::collections::HashMap;

use parlance_domain::model::{Conversation, ConversationCursor, ConversationId, Message, Page, Participant, UserId};
use parlance_domain::ports::{ConversationEntry, ConversationQuery};
use sea_orm::{DatabaseTransaction, FromQueryResult};

use crate::SqlStorage;
use crate::error::Failed;
use crate::rows::{
    self, ConversationRow, MessageRow, ParticipantRow, conversation_columns, larger, message_columns, sql_number,
    unread,
};
use crate::statement::Sql;
use crate::users::{cannot_occur, containing};

/// What the statements select for each entry; `p` is the viewer's row.
macro_rules! entry_columns {
    () => {
        concat!(conversation_columns!(), ", ", unread!(), " AS unread")
    };
}

/// A conversation and the viewer's unread count.
#[derive(Debug, FromQueryResult)]
struct EntryRow {
    #[sea_orm(nested)]
    conversation: ConversationRow,
    unread: i64,
}

/// Somebody in one of several conversations.
#[derive(Debug, FromQueryResult)]
struct MemberRow {
    conversation_id: Vec<u8>,
    #[sea_orm(nested)]
    participant: ParticipantRow,
}

/// The conversation as `viewer` sees it.
pub(crate) async fn find_entry(
    storage: &SqlStorage,
    id: ConversationId,
    viewer: &UserId,
) -> Result<Option<ConversationEntry>, Failed> {
    let snapshot = storage.pools.snapshot().await?;
    let row: Option<EntryRow> = Sql::new(concat!(
        "SELECT ",
        entry_columns!(),
        " FROM participants p JOIN conversations c ON c.id = p.conversation_id \
         WHERE p.conversation_id = ? AND p.user_id = ?",
    ))
    .bind(id.bytes().to_vec())
    .bind(viewer.as_str())
    .row(&snapshot)
    .await?;
    Ok(complete(&snapshot, row.into_iter().collect()).await?.pop())
}

/// A page of the conversations that `viewer` is in, latest activity first.
pub(crate) async fn list_entries(
    storage: &SqlStorage,
    viewer: &UserId,
    query: &ConversationQuery,
) -> Result<Page<ConversationEntry, ConversationCursor>, Failed> {
    let ConversationQuery { search, cursor, limit } = query;
    if search.as_deref().is_some_and(cannot_occur) {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let snapshot = storage.pools.snapshot().await?;
    let mut text = concat!(
        "SELECT ",
        entry_columns!(),
        " FROM participants p JOIN conversations c ON c.id = p.conversation_id \
         WHERE p.user_id = ?1",
    )
    .to_owned();
    if cursor.is_some() {
        text.push_str(" AND (c.active_at, c.id) < (?3, ?4)");
    }
    if search.is_some() {
        text.push_str(
            r" AND (lower(c.title) LIKE lower(?5) ESCAPE '\' OR EXISTS (
                SELECT 1 FROM participants other JOIN users u ON u.id = other.user_id
                WHERE other.conversation_id = c.id AND other.user_id <> ?1 AND lower(u.name) LIKE lower(?5) ESCAPE '\'))",
        );
    }
    text.push_str(" ORDER BY c.active_at DESC, c.id DESC LIMIT ?2");
    // Values that a variant does not use are bound all the same: the places stay what they are.
    let rows: Vec<EntryRow> = Sql::new(text)
        .bind(viewer.as_str())
        .bind(sql_number(limit.saturating_add(1)))
        .bind(cursor.map(|cursor| cursor.at.millis()))
        .bind(cursor.map(|cursor| cursor.id.bytes().to_vec()))
        .bind(search.as_deref().map(containing))
        .rows(&snapshot)
        .await?;
    let mut page = Page::cut(rows, *limit, |_| ());
    let entries = complete(&snapshot, std::mem::take(&mut page.items)).await?;
    let next = page
        .next
        .and_then(|()| entries.last())
        .map(|entry| ConversationCursor { at: entry.conversation.active_at, id: entry.conversation.id });
    Ok(Page { items: entries, next })
}

/// Adds the participants and the newest messages.
async fn complete(snapshot: &DatabaseTransaction, rows: Vec<EntryRow>) -> Result<Vec<ConversationEntry>, Failed> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut entries = Vec::with_capacity(rows.len());
    for EntryRow { conversation, unread } in rows {
        let conversation = Conversation::try_from(conversation)?;
        let unread = rows::count(unread)?;
        entries.push(ConversationEntry { conversation, participants: Vec::new(), last_message: None, unread });
    }
    let ids: Vec<String> = entries.iter().map(|entry| entry.conversation.id.to_string()).collect();
    let mut participants = list_participants(snapshot, &ids).await?;
    let mut messages = list_newest(snapshot, &entries).await?;
    for entry in &mut entries {
        entry.participants = participants.remove(&entry.conversation.id).unwrap_or_default();
        entry.last_message = messages.remove(&entry.conversation.id);
    }
    Ok(entries)
}

async fn list_participants(
    snapshot: &DatabaseTransaction,
    ids: &[String],
) -> Result<HashMap<ConversationId, Vec<Participant>>, Failed> {
    let rows: Vec<MemberRow> = Sql::new(
        "SELECT p.conversation_id, p.user_id, p.role, p.joined_at \
         FROM json_each(?) d CROSS JOIN participants p WHERE p.conversation_id = unhex(d.atom) \
         ORDER BY p.joined_at, p.user_id",
    )
    .bind_json(&ids)?
    .rows(snapshot)
    .await?;
    let mut participants: HashMap<ConversationId, Vec<Participant>> = HashMap::with_capacity(ids.len());
    for MemberRow { conversation_id, participant } in rows {
        let id = rows::object_id(&conversation_id)?.into();
        participants.entry(id).or_default().push(participant.try_into()?);
    }
    Ok(participants)
}

async fn list_newest(
    snapshot: &DatabaseTransaction,
    entries: &[ConversationEntry],
) -> Result<HashMap<ConversationId, Message>, Failed> {
    let places: Vec<(String, u64)> =
        entries.iter().map(|entry| (entry.conversation.id.to_string(), entry.conversation.last_seq)).collect();
    let rows: Vec<MessageRow> = Sql::new(concat!(
        "SELECT ",
        message_columns!(),
        " FROM json_each(?) d CROSS JOIN messages m \
         WHERE m.conversation_id = unhex(d.value ->> 0) AND m.seq = CAST(d.value ->> 1 AS BIGINT)",
    ))
    .bind_json(&places)?
    .rows(snapshot)
    .await?;
    let mut messages = HashMap::with_capacity(rows.len());
    for message in rows::all::<MessageRow, Message>(rows)? {
        messages.insert(message.conversation_id, message);
    }
    Ok(messages)
}
