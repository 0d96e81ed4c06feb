//! The one way by which a conversation's `rev` moves on this node: sends, amendments and membership
//! changes queue here, a single worker stores them and publishes what happened, so events leave in the order
//! of the commits. Sends that queued while the last batch was committing are stored together (group
//! commit); there is no timer. Callers check drafts before; storages decide races inside the transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;
use tracing::Instrument;

use super::announcer::Announcer;
use super::bounds::Bounds;
use super::messaging::Sent;
use super::meters::WriterMeters;
use super::notifying::Notifying;
use super::patience::Patience;
use super::presence::Presence;
use super::publisher::Publisher;
use super::queue::{QueueOut, reply};
use super::rosters::Rosters;
use super::views::Views;
use super::write_queue::{Awaited, Change, Outgoing, Queued};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::model::{MessageKind, MessageStatus, MessageView, NewMessage, SessionId, UserId};
use crate::ports::{
    AmendMessage, Appended, ChangeMembership, DeliveredNow, MembershipChanged, Messages, ReadMessage, Receipts,
    StorageError,
};
use crate::rules::amending::Amendment;
use crate::trace;

/// The most sends of one transaction; keeps the first of a burst from waiting for the last.
const BATCH: usize = 300;

/// What a writer is made of.
pub(super) struct Needs {
    pub(super) messages: Arc<dyn Messages>,
    pub(super) receipts: Arc<dyn Receipts>,
    pub(super) rosters: Rosters,
    pub(super) views: Views,
    pub(super) presence: Presence,
    pub(super) announcer: Announcer,
    pub(super) notifying: Notifying,
    pub(super) publisher: Publisher,
    pub(super) bounds: Bounds,
}

/// Stores what is queued.
pub struct Writer {
    changes: QueueOut<Change>,
    patience: Patience,
    needs: Needs,
    meters: WriterMeters,
    /// Whether the last batch of sends could not be stored.
    away: AtomicBool,
}

impl Writer {
    pub(super) fn new(Queued { changes, patience }: Queued, needs: Needs) -> Self {
        Self { changes, patience, needs, meters: WriterMeters::new(), away: AtomicBool::new(false) }
    }

    /// Stores and answers until the queue is closed and empty.
    pub async fn run(mut self) {
        let mut changes = Vec::with_capacity(BATCH);
        loop {
            self.changes.take(&mut changes, BATCH).await;
            self.meters.waiting(self.changes.len());
            if changes.is_empty() {
                self.needs.notifying.close();
                return;
            }
            self.store(changes.drain(..)).await;
        }
    }

    /// Stores changes in order; neighbouring sends together.
    async fn store(&self, changes: impl Iterator<Item = Change>) {
        let mut sends = Vec::new();
        for change in changes {
            match change {
                Change::Append(outgoing, awaited) => sends.push((outgoing, awaited)),
                Change::Amend(amend, answer) => {
                    self.append(std::mem::take(&mut sends)).await;
                    reply(answer, self.heard(self.amend(&amend).await));
                }
                Change::Membership(change, answer) => {
                    self.append(std::mem::take(&mut sends)).await;
                    reply(answer, self.heard(self.change_membership(&change).await));
                }
                Change::Reach(user, answer) => {
                    self.append(std::mem::take(&mut sends)).await;
                    reply(answer, self.heard(self.reach(&user).await));
                }
            }
        }
        self.append(sends).await;
    }

    /// Those who wait for what queued behind this go on waiting, if the storage has answered.
    fn heard<T>(&self, outcome: Result<T>) -> Result<T> {
        if !matches!(outcome, Err(Error::Unavailable(_))) {
            self.patience.renew();
        }
        outcome
    }

    async fn append(&self, mut sends: Vec<(Box<Outgoing>, Awaited)>) {
        sends.retain(|(_, awaited)| !awaited.is_given_up());
        if sends.is_empty() {
            return;
        }
        for (outgoing, _) in &mut sends {
            self.address(outgoing);
        }
        let spans = sends.iter().map(|(outgoing, _)| &outgoing.span);
        let begin =
            || tracing::info_span!(target: trace::PART, "domain.batch.store", messages = trace::number(sends.len()));
        let span = trace::shared(spans, begin);
        self.append_together(sends).instrument(span).await;
    }

    async fn append_together(&self, sends: Vec<(Box<Outgoing>, Awaited)>) {
        let batch: Vec<NewMessage> = sends.iter().map(|(outgoing, _)| outgoing.message.clone()).collect();
        let began = Instant::now();
        let appended = self.needs.messages.append(batch).await;
        self.meters.appended(sends.len(), began.elapsed(), appended.is_ok());
        self.note(appended.as_ref().err());
        match appended {
            Ok(outcomes) => {
                for ((outgoing, awaited), outcome) in sends.into_iter().zip(outcomes) {
                    let outcome = match outcome {
                        Ok(appended) => self.appended(*outgoing, appended).await,
                        Err(refusal) => Err(refusal),
                    };
                    awaited.reply(self.heard(outcome));
                }
            }
            // One send that the storage cannot take must not take the others down with it.
            Err(StorageError::Corrupt { .. }) if sends.len() > 1 => {
                for send in sends {
                    Box::pin(self.append(vec![send])).await;
                }
            }
            Err(error) => {
                let error = Error::from(error);
                for (_, awaited) in sends {
                    awaited.reply(Err(error.clone()));
                }
            }
        }
    }

    /// Lets those who queued behind a batch go on waiting, if the storage has answered. Says once in the log that it does not,
    /// and once that it does again: what each sender is told would be too much.
    fn note(&self, failed: Option<&StorageError>) {
        let away = failed.filter(|error| !matches!(error, StorageError::Corrupt { .. }));
        if away.is_none() {
            self.patience.renew();
        }
        let was_away = self.away.swap(away.is_some(), Ordering::Relaxed);
        match away {
            Some(error) if !was_away => {
                tracing::warn!(error = error as &dyn std::error::Error, "messages cannot be stored");
            }
            None if was_away => tracing::info!("messages are stored again"),
            _ => {}
        }
    }

    /// Names somebody whom the message reaches as soon as it is stored, if there is somebody.
    fn address(&self, outgoing: &mut Outgoing) {
        let Outgoing { message, roster, .. } = outgoing;
        let reached = roster.others(&message.sender_id).find(|other| self.needs.presence.is_reached(other));
        message.delivered_to = reached.cloned();
    }

    async fn reach(&self, user: &UserId) -> Result<Vec<DeliveredNow>> {
        let delivered = self.needs.receipts.mark_delivered(user).await?;
        self.needs.presence.settle(user);
        Ok(delivered)
    }

    async fn appended(&self, outgoing: Outgoing, appended: Appended) -> Result<Sent> {
        let Outgoing { message: NewMessage { delivered_to, .. }, sender, roster: _, origin, span: _ } = outgoing;
        let Appended { message, duplicate, reply_to, newly_read } = appended;
        if duplicate {
            return Ok(Sent { message: self.needs.views.message(message).await?, duplicate, delivered: false });
        }
        let delivered = delivered_to.is_some();
        let status = if delivered { MessageStatus::Delivered } else { MessageStatus::Sent };
        let view = self.needs.views.fresh(message, sender, reply_to, status).await;
        self.announce_message(&view, newly_read, origin).await;
        Ok(Sent { message: view, duplicate, delivered })
    }

    /// Publishes a new message, and before it what its sender has read by sending it.
    async fn announce_message(&self, view: &MessageView, newly_read: Vec<ReadMessage>, origin: Option<SessionId>) {
        let conversation_id = view.message.conversation_id;
        let participants = match self.needs.rosters.load(conversation_id).await {
            Ok(roster) => roster.users().clone(),
            Err(error) => {
                // It is stored: the sockets in the room get it now, the others with `sync`.
                tracing::warn!(%conversation_id, %error, "a message reaches its room only");
                Arc::from([])
            }
        };
        if let Some(event) = read_event(conversation_id, &view.sender.id, newly_read, &participants) {
            self.needs.publisher.publish(event).await;
            self.needs.notifying.conversation_read(conversation_id, view.sender.id.clone()).await;
        }
        self.needs.publisher.publish(Event::MessageNew { message: Box::new(view.clone()), participants, origin }).await;
        if view.message.kind != MessageKind::System {
            self.needs.notifying.message_stored(conversation_id, view.message.id, view.sender.id.clone()).await;
        }
    }

    async fn amend(&self, amend: &AmendMessage) -> Result<MessageView> {
        let amended = self.needs.messages.amend(amend, &self.needs.bounds.now()).await??;
        let view = self.needs.views.message(amended.message).await?;
        if amended.changed {
            let reaction = |emoji: &crate::model::Emoji, added| Event::ReactionChanged {
                conversation_id: view.message.conversation_id,
                message_id: view.message.id,
                rev: view.message.rev,
                emoji: emoji.clone(),
                user_id: amend.actor.clone(),
                added,
                reactions: view.message.reactions.clone(),
            };
            let event = match &amend.amendment {
                Amendment::Edit(_) => Event::MessageEdited { message: Box::new(view.clone()) },
                Amendment::Delete => Event::MessageDeleted { message: Box::new(view.clone()) },
                Amendment::React(emoji) => reaction(emoji, true),
                Amendment::Unreact(emoji) => reaction(emoji, false),
            };
            self.needs.publisher.publish(event).await;
        }
        Ok(view)
    }

    async fn change_membership(&self, change: &ChangeMembership) -> Result<MembershipChanged> {
        let changed = self.needs.messages.change_membership(change, &self.needs.bounds.now()).await??;
        self.needs.rosters.forget(change.conversation_id);
        if !changed.outcome.is_empty() {
            self.needs.announcer.membership_changed(&changed).await;
            if let Some(message) = &changed.message {
                let sender = self.needs.announcer.person(&change.actor).await;
                let view = self.needs.views.fresh(message.clone(), sender, None, MessageStatus::Sent).await;
                self.announce_message(&view, Vec::new(), None).await;
            }
        }
        Ok(changed)
    }
}

/// The event that says what somebody has read; `None` if that is nothing new.
pub(super) fn read_event(
    conversation_id: crate::model::ConversationId,
    reader: &UserId,
    newly_read: Vec<ReadMessage>,
    participants: &Arc<[UserId]>,
) -> Option<Event> {
    if newly_read.is_empty() {
        return None;
    }
    let mut senders: Vec<UserId> = newly_read.iter().map(|read| read.sender_id.clone()).collect();
    senders.sort_unstable();
    senders.dedup();
    Some(Event::MessagesRead {
        conversation_id,
        reader: reader.clone(),
        message_ids: newly_read.into_iter().map(|read| read.id).collect(),
        senders,
        participants: participants.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::User;
    use crate::model::{
        ConversationId, ConversationKind, MessageId, MessageKind, ObjectId, Roster, Timestamp, Watermarks,
    };
    use crate::ports::{
        Clock, EmptyRooms, IdSource, MockBlocks, MockConversations, MockEventBus, MockMessages, MockNotifications,
        MockReceipts, MockUsers,
    };
    use crate::rules::Limits;
    use crate::services::cluster::Lookers;
    use crate::services::directory::Directory;
    use crate::services::emails::Emails;
    use crate::services::notification_views::NotificationViews;
    use crate::services::reaching::Reaching;
    use crate::services::revoking::Revoking;
    use crate::services::settings::{Provisioning, Settings};
    use crate::services::write_queue::{WriteQueue, write_queue};
    use crate::services::{notifying, presence};
    use std::io;
    use std::time::Duration;
    use tokio::task::JoinSet;

    const TIMEOUT: Duration = Duration::from_millis(1_500);

    struct SameId;

    impl IdSource for SameId {
        fn next_id(&self) -> ObjectId {
            ObjectId::from_bytes([1; 12])
        }
    }

    struct Midnight;

    impl Clock for Midnight {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(0)
        }
    }

    fn user(name: &str) -> User {
        User::nameless(name.parse().expect("a valid id"))
    }

    fn people() -> Roster {
        Roster::new(ConversationKind::Direct, [user("ann").id, user("bob").id])
    }

    fn outgoing(n: u8) -> Outgoing {
        let sender = user("ann");
        let message = NewMessage {
            id: MessageId::from_bytes([n; 12]),
            conversation_id: ConversationId::from_bytes([9; 12]),
            sender_id: sender.id.clone(),
            kind: MessageKind::Text,
            text: Some(n.to_string()),
            media: vec![],
            reply_to: None,
            client_message_id: None,
            created_at: Timestamp::from_millis(0),
            delivered_to: None,
        };
        let roster = Arc::new(people());
        Outgoing { message, sender, roster, origin: None, span: tracing::Span::none() }
    }

    fn stored(new: &NewMessage) -> Appended {
        let message = new.clone().placed(1, 1);
        Appended { message, duplicate: false, reply_to: None, newly_read: vec![] }
    }

    /// A writer on these messages, and on a bus that hears `told` events.
    fn writer(messages: MockMessages, conversations: MockConversations, told: usize) -> (WriteQueue, Writer) {
        let mut bus = MockEventBus::new();
        bus.expect_publish().times(told).returning(|_| Ok(()));
        let mut receipts = MockReceipts::new();
        receipts
            .expect_list_watermarks()
            .returning(|ids| Ok(ids.iter().map(|id| (*id, Watermarks::default())).collect()));
        let (messages, conversations): (Arc<dyn Messages>, Arc<_>) = (Arc::new(messages), Arc::new(conversations));
        let receipts = Arc::new(receipts);
        let publisher = Publisher::new(Arc::new(bus));
        let users = Arc::new(MockUsers::new());
        let revoking = Revoking::new(users.clone());
        let emails = Emails::new(None, Arc::new(Midnight), false);
        let directory = Directory::new(users, revoking, emails, Arc::new(Midnight), Provisioning::FromToken);
        let views = Views::new(messages.clone(), receipts.clone(), directory.clone());
        let (queue, queued) = write_queue(TIMEOUT);
        let (presence, _) = Presence::new(presence::Needs {
            conversations: conversations.clone(),
            receipts: receipts.clone(),
            blocks: Arc::new(MockBlocks::new()),
            queue: queue.clone(),
            publisher: publisher.clone(),
            link: None,
            webhooks: None,
            settings: &Settings::default(),
        });
        let announcer = Announcer::new(
            conversations.clone(),
            receipts.clone(),
            directory.clone(),
            views.clone(),
            presence.clone(),
            publisher.clone(),
        );
        let rosters = Rosters::new(conversations.clone(), true);
        // Its worker is gone, so nothing is noted.
        let (notifying, _) = Notifying::new(notifying::Needs {
            notifications: Arc::new(MockNotifications::new()),
            views: NotificationViews::new(conversations, messages.clone(), directory, rosters.clone()),
            publisher: publisher.clone(),
            clock: Arc::new(Midnight),
            ids: Arc::new(SameId),
            rosters: rosters.clone(),
            lookers: Lookers::new(Arc::new(EmptyRooms), None),
            reaching: Reaching::off(),
        });
        let bounds = Bounds::new(Limits::default());
        let needs = Needs { messages, receipts, rosters, views, presence, announcer, notifying, publisher, bounds };
        (queue, Writer::new(queued, needs))
    }

    fn roster() -> MockConversations {
        let mut conversations = MockConversations::new();
        conversations.expect_find_roster().returning(|_| Ok(Some(people())));
        conversations
    }

    /// Queues `count` sends, lets the writer store them all, and hands out the answers.
    async fn answers(queue: WriteQueue, writer: Writer, count: u8) -> Vec<Result<Sent>> {
        let mut waiting = Vec::new();
        for n in 0..count {
            waiting.push(queue.append(outgoing(n)).await.expect("there is room"));
        }
        queue.close();
        writer.run().await;
        let mut outcomes = Vec::new();
        for outcome in waiting {
            outcomes.push(outcome.outcome().await);
        }
        outcomes
    }

    fn broken() -> Box<dyn std::error::Error + Send + Sync> {
        io::Error::other("broken").into()
    }

    #[tokio::test]
    async fn what_queued_is_stored_with_one_call() {
        let mut messages = MockMessages::new();
        messages.expect_append().times(1).returning(|batch| Ok(batch.iter().map(stored).map(Ok).collect()));
        let (queue, writer) = writer(messages, roster(), 5);
        assert!(answers(queue, writer, 5).await.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn a_storage_that_is_away_is_told_to_every_sender_and_nothing_is_published() {
        for unknown in [false, true] {
            let mut messages = MockMessages::new();
            messages.expect_append().times(1).returning(move |_| {
                Err(if unknown {
                    StorageError::UnknownOutcome { source: broken() }
                } else {
                    StorageError::Unavailable { source: broken() }
                })
            });
            let (queue, writer) = writer(messages, roster(), 0);
            let outcomes = answers(queue, writer, 3).await;
            assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Error::Unavailable(_)))), "{outcomes:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_its_sender_has_been_told_is_lost_is_not_stored_any_more() {
        let mut messages = MockMessages::new();
        let one = messages.expect_append().times(1).withf(|batch| batch.len() == 1);
        one.returning(|batch| Ok(batch.iter().map(stored).map(Ok).collect()));
        let (queue, writer) = writer(messages, roster(), 1);
        let late = queue.append(outgoing(1)).await.expect("there is room").outcome();
        assert!(matches!(late.await, Err(Error::Unavailable(_))));
        let in_time = queue.append(outgoing(2)).await.expect("there is room");
        queue.close();
        writer.run().await;
        assert_eq!(in_time.outcome().await.expect("stored").message.message.text.as_deref(), Some("2"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_storage_that_is_slow_but_answers_loses_nothing_of_what_queues() {
        let mut messages = MockMessages::new();
        messages.expect_append().times(5).returning(|batch| Ok(batch.iter().map(stored).map(Ok).collect()));
        messages.expect_amend().times(5).returning(|_, _| Ok(Err(Error::MessageNotFound)));
        let (queue, mut writer) = writer(messages, roster(), 5);
        let began = Instant::now();
        let (mut sends, mut amends) = (JoinSet::new(), JoinSet::new());
        for n in 0..5 {
            let queue = queue.clone();
            let amend = AmendMessage {
                message_id: MessageId::from_bytes([n; 12]),
                actor: user("ann").id,
                amendment: Amendment::Delete,
                now: Timestamp::from_millis(0),
            };
            sends.spawn(queue.append(outgoing(n)).await.expect("there is room").outcome());
            amends.spawn(async move { queue.amend(amend).await });
            tokio::task::yield_now().await;
        }
        let mut changes = Vec::new();
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_millis(1_400)).await;
            writer.changes.take(&mut changes, 1).await;
            writer.store(changes.drain(..)).await;
        }
        assert!(began.elapsed() > 9 * TIMEOUT, "the last turn came long after");
        assert!(sends.join_all().await.iter().all(Result::is_ok));
        assert!(amends.join_all().await.iter().all(|amended| amended == &Err(Error::MessageNotFound)));
    }

    #[tokio::test]
    async fn a_send_that_cannot_be_stored_does_not_take_its_batch_down() {
        let mut messages = MockMessages::new();
        messages.expect_append().times(4).returning(|batch| {
            if batch.iter().any(|new| new.text.as_deref() == Some("1")) {
                return Err(StorageError::Corrupt { source: broken() });
            }
            Ok(batch.iter().map(stored).map(Ok).collect())
        });
        let (queue, writer) = writer(messages, roster(), 2);
        let outcomes = answers(queue, writer, 3).await;
        assert!(outcomes[0].is_ok() && matches!(outcomes[1], Err(Error::Internal(_))) && outcomes[2].is_ok());
    }

    #[tokio::test]
    async fn a_stored_message_is_acked_and_reaches_its_room_when_the_participants_cannot_be_read() {
        let mut messages = MockMessages::new();
        messages.expect_append().returning(|batch| Ok(batch.iter().map(stored).map(Ok).collect()));
        let mut conversations = MockConversations::new();
        conversations.expect_find_roster().returning(|_| Err(StorageError::Unavailable { source: broken() }));
        let (queue, writer) = writer(messages, conversations, 1);
        assert!(answers(queue, writer, 1).await[0].is_ok());
    }

    #[tokio::test]
    async fn a_caller_that_is_gone_does_not_stop_the_writer() {
        let mut messages = MockMessages::new();
        messages.expect_append().times(1).returning(|batch| Ok(batch.iter().map(stored).map(Ok).collect()));
        let (queue, writer) = writer(messages, roster(), 1);
        drop(queue.append(outgoing(1)).await.expect("there is room"));
        drop(queue);
        writer.run().await;
    }
}
