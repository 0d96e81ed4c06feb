//! Sending, changing and finding messages. Storing is the writer's job; who may do what is decided by
//! the rules, for races inside the storage's transaction.

use std::sync::Arc;

use tracing::{Instrument, Span};

use super::bounds::Bounds;
use super::conversing::Conversing;
use super::publisher::Publisher;
use super::rosters::Rosters;
use super::settings::Settings;
use super::typing::Typing;
use super::views::Views;
use super::write_queue::{Outgoing, PendingSend, WriteQueue};
use crate::error::{Attempt, Error, Result};
use crate::event::Event;
use crate::model::{
    ConversationId, Emoji, MediaLink, MessageId, MessageView, NewMessage, Page, SearchCursor, SessionId, User, UserId,
};
use crate::ports::{AmendMessage, Clock, IdSource, MediaItems, MessagePolicy, Messages, SearchQuery, Verdict};
use crate::rules::amending::Amendment;
use crate::rules::media::own_id;
use crate::rules::messages::{Checked, Draft, check, check_edit};
use crate::rules::search;
use crate::trace;

pub(super) struct Needs {
    pub(super) messages: Arc<dyn Messages>,
    pub(super) media: Arc<dyn MediaItems>,
    pub(super) rosters: Rosters,
    pub(super) conversing: Conversing,
    pub(super) views: Views,
    pub(super) typing: Typing,
    pub(super) policy: Arc<dyn MessagePolicy>,
    pub(super) queue: WriteQueue,
    pub(super) publisher: Publisher,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) bounds: Bounds,
    pub(super) settings: Arc<Settings>,
}

/// The messages of all conversations.
#[derive(Clone)]
pub struct Messaging(Arc<Needs>);

/// A message that is stored durably.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The message.
    pub message: MessageView,
    /// Its `clientMessageId` was sent before: this is the first one, nothing was stored or published.
    pub duplicate: bool,
    /// A recipient had a live socket when it was stored.
    pub delivered: bool,
}

impl Messaging {
    pub(super) fn new(needs: Needs) -> Self {
        Self(Arc::new(needs))
    }

    /// Checks a message and queues it. Messages that one task submits one after the other are stored in that order.
    ///
    /// # Errors
    /// `Validation`, `AudioNotAllowed`, `ConversationNotFound`, `NotParticipant(Send)`, `Forbidden` where the product's
    /// policy refuses, and `Unavailable` if the storage answers nobody while this waits for room.
    pub async fn submit(&self, sender: &User, draft: Draft, origin: Option<SessionId>) -> Result<PendingSend> {
        let span = tracing::info_span!(target: trace::PART, "domain.message.send");
        self.queue(sender, draft, origin, span.clone()).instrument(span).await
    }

    async fn queue(&self, sender: &User, draft: Draft, origin: Option<SessionId>, span: Span) -> Result<PendingSend> {
        let needs = &*self.0;
        let limits = needs.bounds.now();
        check(&draft, &limits, &needs.settings.own_media_prefix)?;
        let conversation_id = draft.conversation_id;
        let roster = needs.rosters.authorize(&sender.id, conversation_id, Attempt::Send).await?;
        let draft = match needs.policy.review(sender, &roster, draft).await {
            Verdict::Accept(draft) => draft,
            Verdict::Refuse(reason) => return Err(Error::Forbidden(reason)),
        };
        let Checked { text, kind } = check(&draft, &limits, &needs.settings.own_media_prefix)?;
        let message = NewMessage {
            id: needs.ids.next_id().into(),
            conversation_id,
            sender_id: sender.id.clone(),
            kind,
            text,
            media: self.with_previews(draft.media).await?,
            reply_to: draft.reply_to,
            client_message_id: draft.client_message_id,
            created_at: needs.clock.now(),
            delivered_to: None,
        };
        needs.typing.leave(&sender.id, conversation_id);
        needs.queue.append(Outgoing { message, sender: sender.clone(), roster, origin, span }).await
    }

    /// The links with the previews of what was uploaded here. Whether a medium is there is decided when it is stored.
    async fn with_previews(&self, mut links: Vec<MediaLink>) -> Result<Vec<MediaLink>> {
        let prefix = &self.0.settings.own_media_prefix;
        for link in links.iter_mut().filter(|link| link.thumbnail_url.is_none() && link.url.starts_with(prefix)) {
            if let Some(id) = own_id(&link.url)
                && let Some(medium) = self.0.media.find_medium(id).await?
            {
                link.thumbnail_url = medium.thumbnail_url(prefix);
            }
        }
        Ok(links)
    }

    /// Sends a message: [`submit`](Self::submit) and [`PendingSend::outcome`] in one.
    ///
    /// # Errors
    /// Those of both.
    pub async fn send(&self, sender: &User, draft: Draft, origin: Option<SessionId>) -> Result<Sent> {
        self.submit(sender, draft, origin).await?.outcome().await
    }

    /// Tells the sender's sockets that a message has reached somebody. A step of its own, taken after the ack: the
    /// contract has clients hear "sent" before "delivered".
    pub async fn announce_delivered(&self, sent: &Sent) {
        if sent.delivered && !sent.duplicate {
            let event = Event::MessagesDelivered {
                conversation_id: sent.message.message.conversation_id,
                sender: sent.message.sender.id.clone(),
                message_ids: vec![sent.message.message.id],
            };
            self.0.publisher.publish(event).await;
        }
    }

    /// Gives an own message another text.
    ///
    /// # Errors
    /// `Validation`, `MessageNotFound`, `Forbidden`, `Conflict` for a tombstone; `Forbidden` from the policy.
    pub async fn edit(&self, actor: &User, id: MessageId, text: &str) -> Result<MessageView> {
        let needs = &*self.0;
        let limits = needs.bounds.now();
        let text = check_edit(text, &limits)?;
        let message = needs.messages.find_message(id).await?.ok_or(Error::MessageNotFound)?;
        let conversation_id = message.conversation_id;
        let roster = needs.rosters.authorize(&actor.id, conversation_id, Attempt::Access).await;
        let roster = roster.map_err(|_| Error::MessageNotFound)?;
        let draft = Draft::text(conversation_id, text);
        let text = match needs.policy.review(actor, &roster, draft).await {
            Verdict::Accept(draft) => check_edit(draft.text.as_deref().unwrap_or_default(), &limits)?,
            Verdict::Refuse(reason) => return Err(Error::Forbidden(reason)),
        };
        self.amend(actor, id, Amendment::Edit(text)).await
    }

    /// Deletes a message; a tombstone stays.
    ///
    /// # Errors
    /// `MessageNotFound`, `Forbidden`.
    pub async fn delete(&self, actor: &User, id: MessageId) -> Result<MessageView> {
        self.amend(actor, id, Amendment::Delete).await
    }

    /// Reacts to a message.
    ///
    /// # Errors
    /// `MessageNotFound`, `Conflict` for a tombstone or one different reaction too many.
    pub async fn react(&self, actor: &User, id: MessageId, emoji: Emoji) -> Result<MessageView> {
        self.amend(actor, id, Amendment::React(emoji)).await
    }

    /// Takes a reaction back.
    ///
    /// # Errors
    /// `MessageNotFound`, `Conflict` for a tombstone.
    pub async fn unreact(&self, actor: &User, id: MessageId, emoji: Emoji) -> Result<MessageView> {
        self.amend(actor, id, Amendment::Unreact(emoji)).await
    }

    async fn amend(&self, actor: &User, message_id: MessageId, amendment: Amendment) -> Result<MessageView> {
        let now = self.0.clock.now();
        self.0.queue.amend(AmendMessage { message_id, actor: actor.id.clone(), amendment, now }).await
    }

    /// The newest page of a conversation's history before `before`; inside the page oldest first.
    ///
    /// # Errors
    /// `ConversationNotFound`, `NotParticipant(Access)`, `Validation` of `cursor` if it is no message of the
    /// conversation.
    pub async fn history(
        &self,
        viewer: &UserId,
        conversation: ConversationId,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Page<MessageView, MessageId>> {
        let needs = &*self.0;
        needs.conversing.authorize(viewer, conversation, Attempt::Access).await?;
        let page = needs.messages.list_history(conversation, before, limit).await?;
        let page = page.ok_or(Error::validation("cursor", "must be a message of the conversation"))?;
        Ok(Page { items: needs.views.messages(page.items).await?, next: page.next })
    }

    /// Messages that hold all words of `text`, newest first, in the viewer's conversations.
    ///
    /// # Errors
    /// `Validation` of `q` without a word to look for; `ConversationNotFound`, `NotParticipant(Access)` for the
    /// conversation asked for.
    pub async fn search(
        &self,
        viewer: &UserId,
        text: &str,
        conversation_id: Option<ConversationId>,
        cursor: Option<SearchCursor>,
        limit: usize,
    ) -> Result<Page<MessageView, SearchCursor>> {
        let needs = &*self.0;
        let words = search::words(text)?;
        if let Some(id) = conversation_id {
            needs.conversing.authorize(viewer, id, Attempt::Access).await?;
        }
        let query = SearchQuery { user_id: viewer.clone(), words, conversation_id, cursor, limit };
        let page = needs.messages.search_messages(&query).await?;
        Ok(Page { items: needs.views.messages(page.items).await?, next: page.next })
    }

    pub(super) fn close(&self) {
        self.0.queue.close();
    }
}
