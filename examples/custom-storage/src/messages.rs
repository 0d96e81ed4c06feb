//! The `Messages` port: one call, one transaction. Appending, membership and search are in files of their own.

use std::collections::BTreeSet;

use async_trait::async_trait;
use parlance_domain::error::{Error, Result};
use parlance_domain::model::{ConversationId, Message, MessageId, NewMessage, Page, Rev, SearchCursor, Seq};
use parlance_domain::ports::{
    AmendMessage, Amended, Appended, ChangeMembership, Changes, MembershipChanged, Messages, SearchQuery, StorageResult,
};
use parlance_domain::rules::Limits;
use parlance_domain::rules::amending::{self, Actor};
use parlance_domain::rules::media::Named;

use crate::EmbeddedStorage;
use crate::failure::{Failed, Stop, answered};
use crate::media_items::Use;
use crate::room::{self, message_at, seq_in};
use crate::search;
use crate::store::{Scan, View, Writer};
use crate::tables::{self, CHANGES, MESSAGES};

#[async_trait]
impl Messages for EmbeddedStorage {
    async fn append(&self, batch: Vec<NewMessage>) -> StorageResult<Vec<Result<Appended>>> {
        self.write(move |writer| batch.into_iter().map(|new| answered(writer.append(new))).collect()).await
    }

    async fn amend(&self, amend: &AmendMessage, limits: &Limits) -> StorageResult<Result<Amended>> {
        let (amend, limits) = (amend.clone(), *limits);
        self.write(move |writer| answered(writer.amend(&amend, &limits))).await
    }

    async fn change_membership(
        &self,
        change: &ChangeMembership,
        limits: &Limits,
    ) -> StorageResult<Result<MembershipChanged>> {
        let (change, limits) = (change.clone(), *limits);
        self.write(move |writer| answered(writer.change_membership(&change, &limits))).await
    }

    async fn find_message(&self, id: MessageId) -> StorageResult<Option<Message>> {
        self.read(move |view| room::message(view, id)).await
    }

    async fn list_messages(&self, ids: &[MessageId]) -> StorageResult<Vec<Message>> {
        let ids: BTreeSet<MessageId> = ids.iter().copied().collect();
        self.read(move |view| {
            let found = ids.into_iter().map(|id| room::message(view, id)).collect::<Result<Vec<_>, _>>()?;
            Ok(found.into_iter().flatten().collect())
        })
        .await
    }

    async fn list_history(
        &self,
        conversation: ConversationId,
        before: Option<MessageId>,
        limit: usize,
    ) -> StorageResult<Option<Page<Message, MessageId>>> {
        self.read(move |view| history(view, conversation, before, limit)).await
    }

    async fn list_changes(
        &self,
        conversation: ConversationId,
        since: Rev,
        limit: usize,
    ) -> StorageResult<Option<Changes>> {
        self.read(move |view| changes(view, conversation, since, limit)).await
    }

    async fn search_messages(&self, query: &SearchQuery) -> StorageResult<Page<Message, SearchCursor>> {
        let query = query.clone();
        self.read(move |view| search::messages(view, &query)).await
    }

    async fn find_last_seq(&self, conversation: ConversationId) -> StorageResult<Seq> {
        self.read(move |view| Ok(room::find(view, conversation)?.map_or(0, |room| room.conversation.last_seq))).await
    }
}

impl Writer {
    fn amend(&mut self, amend: &AmendMessage, limits: &Limits) -> Result<Amended, Stop> {
        let AmendMessage { message_id, actor, amendment, now } = amend;
        let mut message = room::message(self, *message_id)?.ok_or(Error::MessageNotFound)?;
        let mut room = room::find(self, message.conversation_id)?.ok_or(Error::MessageNotFound)?;
        let role = room.role(actor).ok_or(Error::MessageNotFound)?;
        let before = message.clone();
        let actor = Actor { user_id: actor, role, kind: room.conversation.kind };
        let changed = amending::amend(&mut message, amendment, actor, limits, *now)?;
        if changed {
            // The rule changes nothing about a tombstone, so this one has just become one.
            if message.is_tombstone() {
                room.discount_unread(&before);
            }
            self.remove(CHANGES, &tables::numbered(message.conversation_id, message.rev))?;
            message.rev = room.next_rev();
            self.put_message(&message)?;
            self.put_room(&room)?;
            let (named, names) = (Named::by_links(&before.media), Named::by_links(&message.media));
            self.use_media(&Use::Message(message.id), &named, &names)?;
        }
        let reply_to = self.original(&message)?;
        Ok(Amended { message, reply_to, changed })
    }
}

/// A page of history is a run of `seq`, which has no gaps.
fn history(
    view: &impl View,
    conversation: ConversationId,
    before: Option<MessageId>,
    limit: usize,
) -> Result<Option<Page<Message, MessageId>>, Failed> {
    let end = match before {
        Some(id) => seq_in(view, conversation, id)?,
        None => Some(room::find(view, conversation)?.map_or(1, |room| room.conversation.last_seq + 1)),
    };
    let Some(end) = end else { return Ok(None) };
    let first = end.saturating_sub(limit as Seq).max(1);
    let mut items = Vec::new();
    for seq in first..end {
        items.extend(message_at(view, conversation, seq)?);
    }
    let next = items.first().filter(|oldest| oldest.seq > 1).map(|oldest| oldest.id);
    Ok(Some(Page { items, next }))
}

fn changes(
    view: &impl View,
    conversation: ConversationId,
    since: Rev,
    limit: usize,
) -> Result<Option<Changes>, Failed> {
    let Some(room) = room::find(view, conversation)? else { return Ok(None) };
    if since >= room.conversation.rev {
        return Ok(Some(Changes { messages: Vec::new(), rev: room.conversation.rev, has_more: false }));
    }
    let from = tables::numbered(conversation, since + 1);
    let newer = Scan { from, limit: limit.saturating_add(1), ..Scan::of(&conversation.bytes()) };
    let mut found = view.entries(CHANGES, newer)?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let messages = found.iter().map(|(_, place)| Ok(view.load(&MESSAGES, place)?.0));
    let messages: Vec<Message> = messages.collect::<Result<_, Failed>>()?;
    let last = messages.last().filter(|_| has_more).map_or(room.conversation.rev, |message| message.rev);
    Ok(Some(Changes { messages, rev: last, has_more }))
}
