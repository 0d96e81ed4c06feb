//! The one way by which a conversation's `rev` moves on this node: sends, amendments and membership
//! changes queue here, a single worker stores them and publishes what happened, so events leave in the order
//! of the commits. Sends that queued while the last batch was committing are stored together (group
//! commit); there is no timer. Callers check drafts before; storages decide races inside the transaction.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::announcer::Announcer;
use super::closing::{Closing, Switch, closing};
use super::messaging::Sent;
use super::notifying::Notifying;
use super::publisher::Publisher;
use super::rosters::Rosters;
use super::views::Views;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::model::{MessageKind, MessageStatus, MessageView, NewMessage, SessionId, User, UserId};
use crate::ports::{AmendMessage, Appended, ChangeMembership, MembershipChanged, Messages, ReadMessage, StorageError};
use crate::rules::Limits;
use crate::rules::amending::Amendment;

/// The most changes that wait; beyond that callers wait for room, and their sockets with them.
const QUEUE: usize = 4_096;
/// The most sends of one transaction; keeps the first of a burst from waiting for the last.
const BATCH: usize = 300;

/// A send on its way, with what its event needs.
pub(super) struct Outgoing {
    pub(super) message: NewMessage,
    pub(super) sender: User,
    pub(super) origin: Option<SessionId>,
}

type Answer<T> = oneshot::Sender<Result<T>>;

enum Change {
    Append(Box<Outgoing>, Answer<Sent>),
    Amend(Box<AmendMessage>, Answer<MessageView>),
    Membership(Box<ChangeMembership>, Answer<MembershipChanged>),
}

/// The end of the queue that services hold.
#[derive(Clone)]
pub(super) struct WriteQueue {
    changes: mpsc::Sender<Change>,
    switch: Switch,
}

impl WriteQueue {
    /// Queues a send. The answer comes when it is stored.
    pub(super) async fn append(&self, outgoing: Outgoing) -> Result<oneshot::Receiver<Result<Sent>>> {
        self.put(|answer| Change::Append(Box::new(outgoing), answer)).await
    }

    /// Amends a message.
    pub(super) async fn amend(&self, amend: AmendMessage) -> Result<MessageView> {
        answered(self.put(|answer| Change::Amend(Box::new(amend), answer)).await?).await
    }

    /// Changes a membership.
    pub(super) async fn change_membership(&self, change: ChangeMembership) -> Result<MembershipChanged> {
        answered(self.put(|answer| Change::Membership(Box::new(change), answer)).await?).await
    }

    /// Takes no more changes.
    pub(super) fn close(&self) {
        self.switch.close();
    }

    async fn put<T>(&self, change: impl FnOnce(Answer<T>) -> Change) -> Result<oneshot::Receiver<Result<T>>> {
        let (answer, outcome) = oneshot::channel();
        self.changes.send(change(answer)).await.map_err(|_| going_down())?;
        Ok(outcome)
    }
}

/// Waits for the worker's answer.
pub(super) async fn answered<T>(outcome: oneshot::Receiver<Result<T>>) -> Result<T> {
    outcome.await.unwrap_or_else(|_| Err(going_down()))
}

fn going_down() -> Error {
    StorageError::Unavailable { source: "the server is going down".into() }.into()
}

/// Stores what is queued.
pub struct Writer {
    changes: mpsc::Receiver<Change>,
    closing: Closing,
    messages: Arc<dyn Messages>,
    rosters: Rosters,
    views: Views,
    announcer: Announcer,
    notifying: Notifying,
    publisher: Publisher,
    limits: Limits,
}

impl Writer {
    pub(super) fn new(
        messages: Arc<dyn Messages>,
        rosters: Rosters,
        views: Views,
        announcer: Announcer,
        publisher: Publisher,
        notifying: Notifying,
        limits: Limits,
    ) -> (WriteQueue, Self) {
        let (queue, changes) = mpsc::channel(QUEUE);
        let (switch, closing) = closing();
        let worker = Self { changes, closing, messages, rosters, views, announcer, notifying, publisher, limits };
        (WriteQueue { changes: queue, switch }, worker)
    }

    /// Stores and answers until the queue is closed and empty.
    pub async fn run(mut self) {
        let mut queued = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                count = self.changes.recv_many(&mut queued, BATCH) => {
                    if count == 0 {
                        self.notifying.close();
                        return;
                    }
                }
                () = self.closing.closed(), if !self.changes.is_closed() => self.changes.close(),
            }
            self.store(queued.drain(..)).await;
        }
    }

    /// Stores changes in order; neighbouring sends together.
    async fn store(&self, changes: impl Iterator<Item = Change>) {
        let mut sends = Vec::new();
        for change in changes {
            match change {
                Change::Append(outgoing, answer) => sends.push((outgoing, answer)),
                Change::Amend(amend, answer) => {
                    self.append(std::mem::take(&mut sends)).await;
                    reply(answer, self.amend(&amend).await);
                }
                Change::Membership(change, answer) => {
                    self.append(std::mem::take(&mut sends)).await;
                    reply(answer, self.change_membership(&change).await);
                }
            }
        }
        self.append(sends).await;
    }

    async fn append(&self, sends: Vec<(Box<Outgoing>, Answer<Sent>)>) {
        if sends.is_empty() {
            return;
        }
        let batch: Vec<NewMessage> = sends.iter().map(|(outgoing, _)| outgoing.message.clone()).collect();
        match self.messages.append(batch).await {
            Ok(outcomes) => {
                for ((outgoing, answer), outcome) in sends.into_iter().zip(outcomes) {
                    let outcome = match outcome {
                        Ok(appended) => self.appended(*outgoing, appended).await,
                        Err(refusal) => Err(refusal),
                    };
                    reply(answer, outcome);
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
                for (_, answer) in sends {
                    reply(answer, Err(error.clone()));
                }
            }
        }
    }

    async fn appended(&self, outgoing: Outgoing, appended: Appended) -> Result<Sent> {
        let Outgoing { message: NewMessage { delivered_to, .. }, sender, origin } = outgoing;
        let Appended { message, duplicate, reply_to, newly_read } = appended;
        if duplicate {
            return Ok(Sent { message: self.views.message(message).await?, duplicate, delivered: false });
        }
        let delivered = delivered_to.is_some();
        let status = if delivered { MessageStatus::Delivered } else { MessageStatus::Sent };
        let view = self.views.fresh(message, sender, reply_to, status).await;
        self.announce_message(&view, newly_read, origin).await;
        Ok(Sent { message: view, duplicate, delivered })
    }

    /// Publishes a new message, and before it what its sender has read by sending it.
    async fn announce_message(&self, view: &MessageView, newly_read: Vec<ReadMessage>, origin: Option<SessionId>) {
        let conversation_id = view.message.conversation_id;
        let participants = match self.rosters.load(conversation_id).await {
            Ok(roster) => roster.users().clone(),
            Err(error) => {
                // It is stored: the sockets in the room get it now, the others with `sync`.
                tracing::warn!(%conversation_id, %error, "a message reaches its room only");
                Arc::from([])
            }
        };
        if let Some(event) = read_event(conversation_id, &view.sender.id, newly_read, &participants) {
            self.publisher.publish(event).await;
            self.notifying.conversation_read(conversation_id, view.sender.id.clone()).await;
        }
        self.publisher.publish(Event::MessageNew { message: Box::new(view.clone()), participants, origin }).await;
        if view.message.kind != MessageKind::System {
            self.notifying.message_stored(conversation_id, view.message.id, view.sender.id.clone()).await;
        }
    }

    async fn amend(&self, amend: &AmendMessage) -> Result<MessageView> {
        let amended = self.messages.amend(amend, &self.limits).await??;
        let view = self.views.message(amended.message).await?;
        if amended.changed {
            let reaction = |emoji: &crate::model::Emoji, added| Event::ReactionChanged {
                conversation_id: view.message.conversation_id,
                message_id: view.message.id,
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
            self.publisher.publish(event).await;
        }
        Ok(view)
    }

    async fn change_membership(&self, change: &ChangeMembership) -> Result<MembershipChanged> {
        let changed = self.messages.change_membership(change, &self.limits).await??;
        self.rosters.forget(change.conversation_id);
        if !changed.outcome.is_empty() {
            self.announcer.membership_changed(&changed).await;
            if let Some(message) = &changed.message {
                let sender = self.announcer.person(&change.actor).await;
                let view = self.views.fresh(message.clone(), sender, None, MessageStatus::Sent).await;
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

fn reply<T>(answer: Answer<T>, outcome: Result<T>) {
    // The caller may be gone; what is stored is stored.
    let _ = answer.send(outcome);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        ConversationId, ConversationKind, Message, MessageId, MessageKind, ObjectId, Roster, Timestamp, Watermarks,
    };
    use crate::ports::{
        Clock, EmptyRooms, IdSource, MockBlocks, MockConversations, MockEventBus, MockMessages, MockNotifications,
        MockReceipts, MockUsers,
    };
    use crate::services::notification_views::NotificationViews;
    use crate::services::{Settings, directory::Directory, notifying, presence::Presence, settings::Provisioning};
    use std::io;

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
        Outgoing { message, sender, origin: None }
    }

    fn stored(new: &NewMessage) -> Appended {
        let message = Message {
            id: new.id,
            conversation_id: new.conversation_id,
            seq: 1,
            rev: 1,
            sender_id: new.sender_id.clone(),
            kind: new.kind,
            text: new.text.clone(),
            media: vec![],
            reply_to: None,
            client_message_id: None,
            reactions: vec![],
            created_at: new.created_at,
            edited_at: None,
            deleted_at: None,
            updated_at: new.created_at,
        };
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
        let directory = Directory::new(Arc::new(MockUsers::new()), Arc::new(Midnight), Provisioning::FromToken);
        let views = Views::new(messages.clone(), receipts.clone(), directory.clone());
        let (presence, _) = Presence::new(
            conversations.clone(),
            receipts.clone(),
            Arc::new(MockBlocks::new()),
            publisher.clone(),
            &Settings::default(),
        );
        let announcer =
            Announcer::new(conversations.clone(), receipts, directory, views.clone(), presence, publisher.clone());
        let rosters = Rosters::new(conversations.clone());
        let directory = Directory::new(Arc::new(MockUsers::new()), Arc::new(Midnight), Provisioning::FromToken);
        // Its worker is gone, so nothing is noted.
        let (notifying, _) = Notifying::new(notifying::Needs {
            notifications: Arc::new(MockNotifications::new()),
            views: NotificationViews::new(conversations, messages.clone(), directory),
            publisher: publisher.clone(),
            clock: Arc::new(Midnight),
            ids: Arc::new(SameId),
            rosters: rosters.clone(),
            rooms: Arc::new(EmptyRooms),
        });
        Writer::new(messages, rosters, views, announcer, publisher, notifying, Limits::default())
    }

    fn roster() -> MockConversations {
        let mut conversations = MockConversations::new();
        let people = || Some(Roster::new(ConversationKind::Direct, [user("ann").id, user("bob").id]));
        conversations.expect_find_roster().returning(move |_| Ok(people()));
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
            outcomes.push(answered(outcome).await);
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
