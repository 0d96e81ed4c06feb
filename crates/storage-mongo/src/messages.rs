//! The `Messages` port, and reading messages by their ids and places. What each call does is in the file of its name.

use std::collections::BTreeMap;

use async_trait::async_trait;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};
use parlance_domain::error::Result as Verdict;
use parlance_domain::model::{
    ConversationId, Message, MessageId, NewMessage, Page, Rev, SearchCursor, Seq, SeqRange, UserId,
};
use parlance_domain::ports::{
    AmendMessage, Amended, Appended, ChangeMembership, Changes, MembershipChanged, Messages, SearchQuery, StorageResult,
};
use parlance_domain::rules::Limits;

use crate::amend::Amend;
use crate::append::{Append, parts};
use crate::documents::{MessageDocument, PlaceDocument, all, number, object_id};
use crate::error::Failed;
use crate::groups::Membership;
use crate::reader::{Query, Reader, any};
use crate::schema::MESSAGES;
use crate::{MongoStorage, history, search};

#[async_trait]
impl Messages for MongoStorage {
    async fn append(&self, batch: Vec<NewMessage>) -> StorageResult<Vec<Verdict<Appended>>> {
        let parts = if self.is_transactional() { vec![batch.as_slice()] } else { parts(&batch) };
        let mut answers = Vec::with_capacity(batch.len());
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            // What parts before this one have stored is stored.
            let failed = |failed: Failed| if answers.is_empty() { failed } else { failed.in_commit() };
            let part = self.make(&Append { batch: part, wanted: &self.wanted }).await.map_err(failed)?;
            answers.extend(part);
        }
        Ok(answers)
    }

    async fn amend(&self, amend: &AmendMessage, limits: &Limits) -> StorageResult<Verdict<Amended>> {
        Ok(self.make(&Amend { change: amend, limits, wanted: &self.wanted }).await?)
    }

    async fn change_membership(
        &self,
        change: &ChangeMembership,
        limits: &Limits,
    ) -> StorageResult<Verdict<MembershipChanged>> {
        Ok(self.make(&Membership { change, limits, wanted: &self.wanted }).await?)
    }

    async fn find_message(&self, id: MessageId) -> StorageResult<Option<Message>> {
        Ok(self.within(find(&mut self.reader(), id)).await?)
    }

    async fn list_messages(&self, ids: &[MessageId]) -> StorageResult<Vec<Message>> {
        Ok(self.within(list(&mut self.reader(), ids)).await?)
    }

    async fn list_history(
        &self,
        conversation: ConversationId,
        before: Option<MessageId>,
        limit: usize,
    ) -> StorageResult<Option<Page<Message, MessageId>>> {
        Ok(self.within(history::list_history(&mut self.reader(), conversation, before, limit)).await?)
    }

    async fn list_changes(
        &self,
        conversation: ConversationId,
        since: Rev,
        limit: usize,
    ) -> StorageResult<Option<Changes>> {
        Ok(self.within(history::list_changes(&mut self.reader(), conversation, since, limit)).await?)
    }

    async fn search_messages(&self, query: &SearchQuery) -> StorageResult<Page<Message, SearchCursor>> {
        Ok(self.within(search::search(&mut self.reader(), query)).await?)
    }

    async fn find_last_seq(&self, conversation: ConversationId) -> StorageResult<Seq> {
        let head = self.within(history::find_head(&mut self.reader(), conversation)).await?;
        Ok(head.map_or(0, |(last_seq, _)| last_seq))
    }
}

/// The lock of a conversation with its messages and positions.
pub(crate) fn lock(id: ConversationId) -> String {
    format!("conversation/{id}")
}

/// The message with this id.
pub(crate) async fn find(reader: &mut Reader<'_>, id: MessageId) -> Result<Option<Message>, Failed> {
    let found = find_document(reader, id).await?;
    Ok(found.map(Message::try_from).transpose()?)
}

/// The same with the media that count it.
pub(crate) async fn find_document(reader: &mut Reader<'_>, id: MessageId) -> Result<Option<MessageDocument>, Failed> {
    reader.one(Query::by_id(MESSAGES, object_id(id.bytes())).fields(MessageDocument::fields())).await
}

/// Those of `ids` that exist.
pub(crate) async fn list(reader: &mut Reader<'_>, ids: &[MessageId]) -> Result<Vec<Message>, Failed> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<ObjectId> = ids.iter().map(|id| object_id(id.bytes())).collect();
    let query = Query::new(MESSAGES, doc! { "_id": { "$in": ids } }).fields(MessageDocument::fields());
    Ok(all(reader.all::<MessageDocument>(query).await?)?)
}

/// The newest message of a conversation, or the newest of those that are not by somebody.
pub(crate) async fn find_newest(
    reader: &mut Reader<'_>,
    id: ConversationId,
    not_by: Option<&UserId>,
) -> Result<Option<PlaceDocument>, Failed> {
    let mut filter = doc! { "conversation": object_id(id.bytes()) };
    if let Some(user) = not_by {
        filter.insert("sender", doc! { "$ne": user.as_str() });
    }
    reader.one(Query::new(MESSAGES, filter).fields(PlaceDocument::fields()).sort(doc! { "seq": -1 })).await
}

/// Ranges with so few messages between them are asked for as one: passing over those costs less than another range.
const GAP: u64 = 32;

/// Where messages in these ranges are and whose, tombstones included, in any order; perhaps some that lie between
/// the ranges of a conversation.
pub(crate) async fn list_places(
    reader: &mut Reader<'_>,
    ranges: impl IntoIterator<Item = (ConversationId, SeqRange)>,
) -> Result<Vec<PlaceDocument>, Failed> {
    let Some(filter) = any(in_ranges(ranges)) else { return Ok(Vec::new()) };
    reader.all(Query::new(MESSAGES, filter).fields(PlaceDocument::fields())).await
}

/// A filter for each range; ranges that nearly touch are one.
fn in_ranges(ranges: impl IntoIterator<Item = (ConversationId, SeqRange)>) -> Vec<Document> {
    let mut by_conversation: BTreeMap<ConversationId, Vec<SeqRange>> = BTreeMap::new();
    for (id, range) in ranges {
        by_conversation.entry(id).or_default().push(range);
    }
    let mut filters = Vec::new();
    for (id, mut ranges) in by_conversation {
        ranges.sort_unstable_by_key(|range| range.first);
        let mut merged: Vec<SeqRange> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut().filter(|before| range.first <= before.last.saturating_add(GAP)) {
                Some(before) => before.last = before.last.max(range.last),
                None => merged.push(range),
            }
        }
        let filter = |range: SeqRange| {
            let seq = doc! { "$gte": number(range.first), "$lte": number(range.last) };
            doc! { "conversation": object_id(id.bytes()), "seq": seq }
        };
        filters.extend(merged.into_iter().map(filter));
    }
    filters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_nearly_touch_are_asked_for_as_one() {
        let one = ConversationId::from_bytes([1; 12]);
        let two = ConversationId::from_bytes([2; 12]);
        let range = |first, last| SeqRange { first, last };
        let asked = in_ranges([
            (one, range(5, 7)),
            (two, range(1, 1)),
            (one, range(1, 4)),
            (one, range(6, 6)),
            (one, range(7 + GAP, 50)),
            (one, range(51 + GAP, 99)),
        ]);
        let seqs: Vec<(i64, i64)> = asked
            .iter()
            .map(|filter| filter.get_document("seq").expect("a range"))
            .map(|seq| (seq.get_i64("$gte").expect("a number"), seq.get_i64("$lte").expect("a number")))
            .collect();
        assert_eq!(seqs, [(1, 50), (83, 99), (1, 1)]);
    }
}
