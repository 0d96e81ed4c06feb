//! The `Messages` port, and reading messages by their ids. What each call does is in the file of its name.

use async_trait::async_trait;
use parlance_domain::error::Result as Verdict;
use parlance_domain::model::{ConversationId, Message, MessageId, NewMessage, Page, Rev, SearchCursor, Seq};
use parlance_domain::ports::{
    AmendMessage, Amended, Appended, ChangeMembership, Changes, MembershipChanged, Messages, SearchQuery, StorageResult,
};
use parlance_domain::rules::Limits;
use sea_orm::ConnectionTrait;

use crate::error::Failed;
use crate::rows::{self, MessageRow, message_columns};
use crate::statement::Sql;
use crate::{SqlStorage, amend, append, groups, history, search};

#[async_trait]
impl Messages for SqlStorage {
    async fn append(&self, batch: Vec<NewMessage>) -> StorageResult<Vec<Verdict<Appended>>> {
        match self.pools.prepared() {
            Some(prepared) if append::is_plain(&batch) => Ok(prepared.append(batch, self.wanted.clone()).await?),
            _ => self.again(|| append::append(self, &batch)).await,
        }
    }

    async fn amend(&self, amend: &AmendMessage, limits: &Limits) -> StorageResult<Verdict<Amended>> {
        self.again(|| amend::amend(self, amend, limits)).await
    }

    async fn change_membership(
        &self,
        change: &ChangeMembership,
        limits: &Limits,
    ) -> StorageResult<Verdict<MembershipChanged>> {
        self.again(|| groups::change_membership(self, change, limits)).await
    }

    async fn find_message(&self, id: MessageId) -> StorageResult<Option<Message>> {
        self.again(|| find(self.pools.reader(), id)).await
    }

    async fn list_messages(&self, ids: &[MessageId]) -> StorageResult<Vec<Message>> {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        self.again(|| list(self.pools.reader(), &ids)).await
    }

    async fn list_history(
        &self,
        conversation: ConversationId,
        before: Option<MessageId>,
        limit: usize,
    ) -> StorageResult<Option<Page<Message, MessageId>>> {
        self.again(|| history::list_history(self, conversation, before, limit)).await
    }

    async fn list_changes(
        &self,
        conversation: ConversationId,
        since: Rev,
        limit: usize,
    ) -> StorageResult<Option<Changes>> {
        self.again(|| history::list_changes(self, conversation, since, limit)).await
    }

    async fn search_messages(&self, query: &SearchQuery) -> StorageResult<Page<Message, SearchCursor>> {
        self.again(|| search::search(self, query)).await
    }

    async fn find_last_seq(&self, conversation: ConversationId) -> StorageResult<Seq> {
        self.again(|| history::find_last_seq(self, conversation)).await
    }
}

/// The message with this id.
pub(crate) async fn find<C: ConnectionTrait>(on: &C, id: MessageId) -> Result<Option<Message>, Failed> {
    let sql = Sql::new(concat!("SELECT ", message_columns!(), " FROM messages m WHERE m.id = ?"));
    let row: Option<MessageRow> = sql.bind(id.bytes().to_vec()).row(on).await?;
    Ok(row.map(Message::try_from).transpose()?)
}

/// Those of `ids` (as hex) that exist.
pub(crate) async fn list<C: ConnectionTrait>(on: &C, ids: &[String]) -> Result<Vec<Message>, Failed> {
    let sql = Sql::new(concat!(
        "SELECT ",
        message_columns!(),
        " FROM messages m WHERE m.id IN (SELECT unhex(atom) FROM json_each(?))",
    ));
    Ok(rows::all::<MessageRow, _>(sql.bind_json(&ids)?.rows(on).await?)?)
}
