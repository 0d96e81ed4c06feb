//! The one worker that changes notifications: it stores and tells one thing after the other.

use std::collections::{HashMap, HashSet};

use super::standing::Standing;
use super::{CHUNK, NOT_FOUND, Needs};
use crate::error::Result;
use crate::event::Event;
use crate::model::{ConversationId, MessageId, Notification, NotificationId, Subject, UserId};
use crate::ports::{ChatNote, Counted, NewNotification};
use crate::services::cluster::Looking;
use crate::services::queue::{Answer, QueueOut, reply};

/// The most changes that are looked at together.
const BATCH: usize = 1_024;

/// Something that changes notifications.
pub(super) enum Change {
    /// A message was stored.
    Message { conversation_id: ConversationId, message_id: MessageId, sender: UserId },
    /// Somebody has read all of a conversation.
    Read { conversation_id: ConversationId, reader: UserId },
    /// A product tells people something; answered with how many were told.
    Insert(Vec<NewNotification>, Answer<u64>),
    /// Somebody reads one.
    MarkRead(UserId, NotificationId, Answer<Notification>),
    /// Somebody reads all; answered with how many were unread.
    MarkAllRead(UserId, Answer<u64>),
    /// Somebody removes one.
    Remove(UserId, NotificationId, Answer<()>),
}

/// What is known of a batch of changes before the first is noted.
struct Outlook {
    /// Who has read where, with nothing that stands there.
    clear: HashSet<(UserId, ConversationId)>,
    /// Who looks at what on other nodes.
    elsewhere: Looking,
}

/// Notes what happened.
pub struct Notifier {
    queued: QueueOut<Change>,
    needs: Needs,
    standing: Standing,
}

impl Notifier {
    pub(super) fn new(queued: QueueOut<Change>, standing: Standing, needs: Needs) -> Self {
        Self { queued, needs, standing }
    }

    /// Notes until the writer has ended and everything is noted.
    pub async fn run(mut self) {
        while self.step().await {}
    }

    /// Notes what waits, after waiting for it; false when there is and will be nothing.
    pub(super) async fn step(&mut self) -> bool {
        let mut changes = Vec::new();
        self.queued.take(&mut changes, BATCH).await;
        if changes.is_empty() {
            return false;
        }
        let changes = coalesced(changes.into_iter());
        let clear = self.clear(&changes).await;
        let elsewhere = self.looking_elsewhere(&changes).await;
        let mut outlook = Outlook { clear, elsewhere };
        for change in changes {
            self.note(change, &mut outlook).await;
        }
        true
    }

    /// Where people have read and nothing stands that they have read with it. Hardly anybody who writes has an unread
    /// notification of where they write, so that one question for all takes the place of one for each send. It is asked
    /// after they have read: what another node notes later is of messages that they have not.
    async fn clear(&self, changes: &[Change]) -> HashSet<(UserId, ConversationId)> {
        let places = changes.iter().filter_map(|change| match change {
            Change::Read { conversation_id, reader } => {
                let known = self.standing.of(*conversation_id, reader);
                (known != Some(false)).then(|| (reader.clone(), *conversation_id))
            }
            _ => None,
        });
        let mut clear: HashSet<_> = places.collect();
        if clear.len() < 2 {
            return HashSet::new();
        }
        let places: Vec<_> = clear.iter().cloned().collect();
        match self.needs.notifications.list_standing_notifications(&places).await {
            Ok(standing) => standing.iter().for_each(|place| _ = clear.remove(place)),
            // Each is asked for by itself, then.
            Err(_) => clear.clear(),
        }
        clear
    }

    /// Who looks at one of these messages on another node. It is asked after they were stored: whoever looks, sees them.
    async fn looking_elsewhere(&self, changes: &[Change]) -> Looking {
        let Needs { lookers, rosters, .. } = &self.needs;
        let mut people = HashMap::new();
        if !lookers.may_be_elsewhere() {
            return Looking::new();
        }
        for change in changes {
            let Change::Message { conversation_id, .. } = change else { continue };
            // Without it nobody is notified either.
            let Ok(roster) = rosters.load(*conversation_id).await else { continue };
            let here = lookers.here(*conversation_id);
            let known = |user: &UserId| self.standing.of(*conversation_id, user) == Some(true);
            let away = roster.users().iter().filter(|user| !here.contains(*user) && !known(user));
            people.insert(*conversation_id, away.cloned().collect());
        }
        lookers.elsewhere(&people).await
    }

    async fn note(&self, change: Change, Outlook { clear, elsewhere }: &mut Outlook) {
        let noted = match change {
            Change::Message { conversation_id, message_id, sender } => {
                let noted = self.message(conversation_id, message_id, &sender, elsewhere).await;
                if !matches!(noted, Ok(false)) {
                    clear.retain(|(_, conversation)| *conversation != conversation_id);
                }
                noted.map(|_| ())
            }
            Change::Read { conversation_id, reader } => {
                let clear = clear.contains(&(reader.clone(), conversation_id));
                self.conversation_read(conversation_id, reader, clear).await
            }
            Change::Insert(new, answer) => return reply(answer, self.insert(new).await),
            Change::MarkRead(user, id, answer) => return reply(answer, self.mark_read(&user, id).await),
            Change::MarkAllRead(user, answer) => return reply(answer, self.mark_all_read(user).await),
            Change::Remove(user, id, answer) => return reply(answer, self.remove(user, id).await),
        };
        if let Err(error) = noted {
            tracing::warn!(error = &error as &dyn std::error::Error, "a notification is not kept up");
        }
    }

    /// Notes a message. Whether anybody was away, so that something may stand now.
    async fn message(
        &self,
        conversation_id: ConversationId,
        message_id: MessageId,
        sender: &UserId,
        elsewhere: &Looking,
    ) -> Result<bool> {
        let Needs { notifications, ids, clock, rosters, lookers, reaching, .. } = &self.needs;
        let roster = rosters.load(conversation_id).await?;
        let mut looking = lookers.here(conversation_id);
        looking.extend(elsewhere.get(&conversation_id).into_iter().flatten().cloned());
        let known = |user: &UserId| self.standing.of(conversation_id, user) == Some(true);
        let away = roster.others(sender).filter(|user| !looking.contains(*user) && !known(user));
        let away: Vec<UserId> = away.cloned().collect();
        let mut stands: Vec<UserId> = Vec::new();
        if reaching.is_on() {
            stands.extend(roster.others(sender).filter(|user| !looking.contains(*user) && known(user)).cloned());
        }
        for users in away.chunks(CHUNK) {
            // Of whom it is known that they have none: whether this makes one is not known before it is stored.
            for user in users.iter().filter(|user| self.standing.of(conversation_id, user).is_some()) {
                self.standing.forget(&(conversation_id, user.clone()));
            }
            let seen = self.standing.seen();
            let users = users.iter().map(|user| (user.clone(), ids.next_id().into())).collect();
            let note = ChatNote { conversation_id, message_id, users, created_at: clock.now() };
            let noted = notifications.note_message(note).await?;
            let made = noted.made.iter().map(|made| made.value.user_id.clone());
            for user in made.chain(noted.standing) {
                self.standing.keep(seen, (conversation_id, user.clone()), true);
                if reaching.is_on() {
                    stands.push(user);
                }
            }
            self.announce(noted.made).await;
        }
        reaching.tell(stands.into_iter().map(|user| (user, Subject::Conversation(conversation_id))).collect()).await;
        Ok(!away.is_empty())
    }

    /// `clear` where it has been found out that nothing stands there.
    async fn conversation_read(&self, conversation_id: ConversationId, reader: UserId, clear: bool) -> Result<()> {
        let place = (conversation_id, reader);
        if self.standing.get(&place) == Some(false) {
            return Ok(());
        }
        self.standing.forget(&place);
        let seen = self.standing.seen();
        if !clear {
            let (_, reader) = &place;
            let read = self.needs.notifications.mark_conversation_notification_read(reader, conversation_id).await?;
            if let Some(Counted { value: id, unread }) = read {
                self.tell(Event::NotificationRead { user_id: reader.clone(), id, unread }).await;
            }
        }
        if !self.needs.lookers.may_be_elsewhere() {
            self.standing.keep(seen, place, false);
        }
        Ok(())
    }

    async fn insert(&self, new: Vec<NewNotification>) -> Result<u64> {
        let stored = self.needs.notifications.insert_notifications(new).await?;
        let made = stored.len() as u64;
        let told = stored.iter().map(|one| (one.value.user_id.clone(), Subject::Notification(one.value.id))).collect();
        self.announce(stored).await;
        self.needs.reaching.tell(told).await;
        Ok(made)
    }

    async fn mark_read(&self, user: &UserId, id: NotificationId) -> Result<Notification> {
        let marked = self.needs.notifications.mark_notification_read(user, id).await?;
        let Counted { value: (notification, changed), unread } = marked.ok_or(NOT_FOUND)?;
        if changed {
            if let Some(conversation) = notification.conversation() {
                self.standing.forget(&(conversation, user.clone()));
            }
            self.tell(Event::NotificationRead { user_id: user.clone(), id, unread }).await;
        }
        Ok(notification)
    }

    async fn mark_all_read(&self, user_id: UserId) -> Result<u64> {
        let marked = self.needs.notifications.mark_all_notifications_read(&user_id).await?;
        self.standing.forget_all();
        if marked.value > 0 {
            self.tell(Event::NotificationsReadAll { user_id }).await;
        }
        Ok(marked.value)
    }

    async fn remove(&self, user_id: UserId, id: NotificationId) -> Result<()> {
        let removed = self.needs.notifications.remove_notification(&user_id, id).await?.ok_or(NOT_FOUND)?;
        self.standing.forget_all();
        if removed.value {
            self.tell(Event::NotificationRemoved { user_id, id, unread: removed.unread }).await;
        }
        Ok(())
    }

    async fn announce(&self, stored: Vec<Counted<Notification>>) {
        for Counted { value, unread } in stored {
            let user_id = value.user_id.clone();
            match self.needs.views.of(vec![value]).await.map(|mut views| views.pop()) {
                Ok(Some(view)) => {
                    self.tell(Event::NotificationNew { user_id, notification: Box::new(view), unread }).await;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(user = %user_id, %error, "a notification is stored and not announced"),
            }
        }
    }

    async fn tell(&self, event: Event) {
        self.needs.publisher.publish(event).await;
    }
}

/// Of several messages of a conversation with nothing else between them, only the newest needs to be noted: a sender
/// has read what came before.
fn coalesced(changes: impl Iterator<Item = Change>) -> Vec<Change> {
    let mut kept: Vec<Change> = Vec::new();
    let mut newest: HashMap<ConversationId, usize> = HashMap::new();
    for change in changes {
        match &change {
            Change::Message { conversation_id, .. } => {
                if let Some(at) = newest.get(conversation_id) {
                    kept[*at] = change;
                    continue;
                }
                newest.insert(*conversation_id, kept.len());
            }
            Change::Read { conversation_id, .. } => {
                newest.remove(conversation_id);
            }
            // Whoever reads or removes what is there must find what came before.
            Change::Insert(..) | Change::MarkRead(..) | Change::MarkAllRead(..) | Change::Remove(..) => newest.clear(),
        }
        kept.push(change);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_messages_without_reading_between_only_the_newest_is_noted() {
        const ROOM: ConversationId = ConversationId::from_bytes([9; 12]);
        let message = |n| MessageId::from_bytes([n; 12]);
        let user = |n: usize| format!("u{n}").parse::<UserId>().expect("a valid id");
        let said = |n| Change::Message { conversation_id: ROOM, message_id: message(n), sender: user(0) };
        let read = || Change::Read { conversation_id: ROOM, reader: user(1) };
        let kept = coalesced([said(1), said(2), read(), said(3), said(4), said(5)].into_iter());
        let kept = kept.iter().map(|change| match change {
            Change::Message { message_id, .. } => Some(*message_id),
            _ => None,
        });
        assert_eq!(kept.collect::<Vec<_>>(), [Some(message(2)), None, Some(message(5))]);
    }
}
