//! Full-text search, and keeping its index in step with the messages. Words are folded and split by our own code
//! (see `words`), so both engines find the same; what their indexes are and how they are asked is in the file of each.

mod postgres;
mod sqlite;

use parlance_domain::model::{Message, MessageKind, Page, SearchCursor};
use parlance_domain::ports::SearchQuery;
use sea_orm::{DatabaseTransaction, DbBackend};

use crate::error::Failed;
use crate::statement::Sql;
use crate::{SqlStorage, words};

pub(crate) use sqlite::{INSERT_ROW, PLACE_BITS};

/// Messages that match, newest first.
pub(crate) async fn search(storage: &SqlStorage, query: &SearchQuery) -> Result<Page<Message, SearchCursor>, Failed> {
    match storage.pools.reader().get_database_backend() {
        DbBackend::Postgres => postgres::search(storage, query).await,
        _ => sqlite::search(storage, query).await,
    }
}

/// Puts new messages, with their places, into the index; nothing of those that search never finds.
pub(crate) async fn index(transaction: &DatabaseTransaction, stored: &[(i64, Message)]) -> Result<(), Failed> {
    let row = |(place, message): &(i64, Message)| {
        let words = words_of(message)?;
        let (id, conversation) = (message.id.to_string(), message.conversation_id.to_string());
        Some((words, *place, id, conversation, message.created_at.millis()))
    };
    let rows: Vec<_> = stored.iter().filter_map(row).collect();
    if rows.is_empty() {
        return Ok(());
    }
    Sql::either(sqlite::INSERT, postgres::INSERT).bind_json(&rows)?.run(transaction).await?;
    Ok(())
}

/// What the index holds of a new message; `None` of those that search never finds.
pub(crate) fn words_of(message: &Message) -> Option<String> {
    let text = message.text.as_deref().filter(|_| message.kind != MessageKind::System)?;
    Some(words::indexed(message.conversation_id, text))
}

/// Puts a message that has changed into the index instead of what it was; a tombstone no more.
pub(crate) async fn index_again(transaction: &DatabaseTransaction, message: &Message) -> Result<(), Failed> {
    let (id, conversation) = (message.id.bytes().to_vec(), message.conversation_id.bytes().to_vec());
    let bind = |sql: Sql| sql.bind(id.clone()).bind(conversation.clone()).bind(message.created_at.millis());
    bind(Sql::either(sqlite::REMOVE, postgres::REMOVE)).run(transaction).await?;
    if let Some(text) = &message.text {
        let words = words::indexed(message.conversation_id, text);
        bind(Sql::either(sqlite::INSERT_ONE, postgres::INSERT_ONE)).bind(words).run(transaction).await?;
    }
    Ok(())
}
