//! Reading a conversation's messages back: pages of history, and what changed since a `rev`. Each walks an
//! index from where the page begins, so the cost does not depend on how far back that is.

use parlance_domain::model::{ConversationId, Message, MessageId, Page, Rev, Seq};
use parlance_domain::ports::Changes;

use crate::SqlStorage;
use crate::error::Failed;
use crate::rows::{self, MessageRow, message_columns, sql_number};
use crate::statement::Sql;

/// The newest page before a message, oldest first.
pub(crate) async fn list_history(
    storage: &SqlStorage,
    conversation: ConversationId,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Option<Page<Message, MessageId>>, Failed> {
    let reader = storage.pools.reader();
    let below = match before {
        None => i64::MAX,
        Some(before) => {
            // A message keeps its `seq`, so the two statements need not see the same state.
            let seq = Sql::new("SELECT seq FROM messages WHERE id = ? AND conversation_id = ?");
            let seq = seq.bind(before.bytes().to_vec()).bind(conversation.bytes().to_vec());
            match seq.scalar(reader).await? {
                Some(seq) => seq,
                None => return Ok(None),
            }
        }
    };
    let rows: Vec<MessageRow> = Sql::new(concat!(
        "SELECT ",
        message_columns!(),
        " FROM messages m \
         WHERE m.conversation_id = ? AND m.seq < ? ORDER BY m.seq DESC LIMIT ?",
    ))
    .bind(conversation.bytes().to_vec())
    .bind(below)
    .bind(sql_number(limit.saturating_add(1)))
    .rows(reader)
    .await?;
    let mut page = Page::cut(rows::all::<_, Message>(rows)?, limit, |oldest| oldest.id);
    page.items.reverse();
    Ok(Some(page))
}

/// What has a higher `rev` than `since`.
pub(crate) async fn list_changes(
    storage: &SqlStorage,
    conversation: ConversationId,
    since: Rev,
    limit: usize,
) -> Result<Option<Changes>, Failed> {
    let snapshot = storage.pools.snapshot().await?;
    let head = Sql::new("SELECT rev FROM conversations WHERE id = ?").bind(conversation.bytes().to_vec());
    let Some(head) = head.scalar::<i64, _>(&snapshot).await? else { return Ok(None) };
    let rows: Vec<MessageRow> = Sql::new(concat!(
        "SELECT ",
        message_columns!(),
        " FROM messages m \
         WHERE m.conversation_id = ? AND m.rev > ? ORDER BY m.rev LIMIT ?",
    ))
    .bind(conversation.bytes().to_vec())
    .bind(sql_number(since))
    .bind(sql_number(limit.saturating_add(1)))
    .rows(&snapshot)
    .await?;
    let page = Page::cut(rows::all::<_, Message>(rows)?, limit, |last| last.rev);
    let rev = page.next.map_or_else(|| rows::count(head), Ok)?;
    Ok(Some(Changes { messages: page.items, rev, has_more: page.next.is_some() }))
}

/// The `seq` of the newest message.
pub(crate) async fn find_last_seq(storage: &SqlStorage, conversation: ConversationId) -> Result<Seq, Failed> {
    let sql = Sql::new("SELECT last_seq FROM conversations WHERE id = ?").bind(conversation.bytes().to_vec());
    Ok(rows::count(sql.scalar::<i64, _>(storage.pools.reader()).await?.unwrap_or(0))?)
}
