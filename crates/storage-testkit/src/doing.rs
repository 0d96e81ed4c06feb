//! What people do in a world: say, change, read, come and go. Methods that are named like the deed insist on
//! its success; those that start with `try_` hand back the refusal.

use std::collections::HashMap;

use parlance_domain::Result;
use parlance_domain::model::{
    ClientMessageId, ConversationId, Emoji, Message, MessageId, MessageKind, MessageStatus, NewMessage, Role,
    Timestamp, UserId, Watermarks,
};
use parlance_domain::ports::{
    AmendMessage, Amended, Appended, ChangeMembership, DeliveredNow, MembershipChanged, ReadMarked, ReadMessage,
    ReadTarget,
};
use parlance_domain::rules::Limits;
use parlance_domain::rules::amending::Amendment;
use parlance_domain::rules::membership::MembershipChange;

use crate::World;

impl World {
    /// A text on its way into storage.
    pub fn draft(&self, conversation: ConversationId, sender: &UserId, text: &str) -> NewMessage {
        NewMessage {
            id: self.id(),
            conversation_id: conversation,
            sender_id: sender.clone(),
            kind: MessageKind::Text,
            text: Some(text.to_owned()),
            media: Vec::new(),
            reply_to: None,
            client_message_id: None,
            created_at: self.now(),
            delivered_to: None,
        }
    }

    /// The same with the sender's own mark.
    pub fn marked(&self, conversation: ConversationId, sender: &UserId, mark: &str) -> NewMessage {
        let client_message_id = Some(ClientMessageId::new(mark).expect("a valid mark"));
        NewMessage { client_message_id, ..self.draft(conversation, sender, mark) }
    }

    /// Appends a batch.
    pub async fn append(&self, batch: Vec<NewMessage>) -> Vec<Result<Appended>> {
        let size = batch.len();
        let answers = self.storage().append(batch).await.expect("the storage answers");
        assert_eq!(answers.len(), size, "`append` answers every send of the batch");
        answers
    }

    /// Appends one send.
    pub async fn try_send(&self, new: NewMessage) -> Result<Appended> {
        self.append(vec![new]).await.remove(0)
    }

    /// Appends one send that is accepted.
    pub async fn send_draft(&self, new: NewMessage) -> Appended {
        self.try_send(new).await.expect("a participant may send")
    }

    /// Says something.
    pub async fn send(&self, conversation: ConversationId, sender: &UserId, text: &str) -> Message {
        self.send_draft(self.draft(conversation, sender, text)).await.message
    }

    /// Says `count` things in one batch.
    pub async fn send_many(&self, conversation: ConversationId, sender: &UserId, count: usize) -> Vec<Message> {
        let batch = (1..=count).map(|n| self.draft(conversation, sender, &format!("message {n}"))).collect();
        let answers = self.append(batch).await;
        answers.into_iter().map(|answer| answer.expect("a participant may send").message).collect()
    }

    /// Changes a message, within these limits.
    pub async fn try_amend_within(
        &self,
        limits: &Limits,
        message_id: MessageId,
        actor: &UserId,
        amendment: Amendment,
    ) -> Result<Amended> {
        let amend = AmendMessage { message_id, actor: actor.clone(), amendment, now: self.now() };
        self.storage().amend(&amend, limits).await.expect("the storage answers")
    }

    /// Changes a message.
    pub async fn try_amend(&self, id: MessageId, actor: &UserId, amendment: Amendment) -> Result<Amended> {
        self.try_amend_within(&Limits::default(), id, actor, amendment).await
    }

    /// Gives a message another text.
    pub async fn edit(&self, id: MessageId, actor: &UserId, text: &str) -> Amended {
        self.try_amend(id, actor, Amendment::Edit(text.to_owned())).await.expect("a sender may edit")
    }

    /// Makes a message a tombstone.
    pub async fn delete(&self, id: MessageId, actor: &UserId) -> Amended {
        self.try_amend(id, actor, Amendment::Delete).await.expect("a sender or admin may delete")
    }

    /// Reacts to a message.
    pub async fn react(&self, id: MessageId, actor: &UserId, emoji: &str) -> Amended {
        self.try_amend(id, actor, Amendment::React(emoji_of(emoji))).await.expect("a participant may react")
    }

    /// Takes a reaction back.
    pub async fn unreact(&self, id: MessageId, actor: &UserId, emoji: &str) -> Amended {
        self.try_amend(id, actor, Amendment::Unreact(emoji_of(emoji))).await.expect("a participant may take it back")
    }

    /// Changes who is in a group, within these limits.
    pub async fn try_change_within(
        &self,
        limits: &Limits,
        conversation_id: ConversationId,
        actor: &UserId,
        change: MembershipChange,
    ) -> Result<MembershipChanged> {
        let change = ChangeMembership {
            conversation_id,
            actor: actor.clone(),
            change,
            names: HashMap::new(),
            message_id: self.id(),
            now: self.now(),
        };
        self.storage().change_membership(&change, limits).await.expect("the storage answers")
    }

    /// Changes who is in a group.
    pub async fn try_change(
        &self,
        group: ConversationId,
        actor: &UserId,
        change: MembershipChange,
    ) -> Result<MembershipChanged> {
        self.try_change_within(&Limits::default(), group, actor, change).await
    }

    /// Adds somebody to a group.
    pub async fn add(&self, group: ConversationId, actor: &UserId, user: &UserId) -> MembershipChanged {
        let change = MembershipChange::Add(vec![user.clone()]);
        self.try_change(group, actor, change).await.expect("the owner and admins may add people")
    }

    /// Removes somebody from a group.
    pub async fn remove(&self, group: ConversationId, actor: &UserId, user: &UserId) -> MembershipChanged {
        let change = MembershipChange::Remove(user.clone());
        self.try_change(group, actor, change).await.expect("the owner and admins may remove people")
    }

    /// Leaves a group.
    pub async fn leave(&self, group: ConversationId, user: &UserId) -> MembershipChanged {
        let change = MembershipChange::Remove(user.clone());
        self.try_change(group, user, change).await.expect("anybody may leave")
    }

    /// Gives a role.
    pub async fn promote(&self, group: ConversationId, owner: &UserId, user: &UserId, role: Role) -> MembershipChanged {
        let change = MembershipChange::SetRole(user.clone(), role);
        self.try_change(group, owner, change).await.expect("the owner may give roles")
    }

    /// Marks as read.
    pub async fn try_read(&self, id: ConversationId, reader: &UserId, target: &ReadTarget) -> Result<ReadMarked> {
        self.storage().mark_read(id, reader, target).await.expect("the storage answers")
    }

    /// Marks as read by a participant.
    pub async fn read(&self, id: ConversationId, reader: &UserId, target: ReadTarget) -> ReadMarked {
        self.try_read(id, reader, &target).await.expect("a participant may read")
    }

    /// Reads everything.
    pub async fn read_all(&self, id: ConversationId, reader: &UserId) -> ReadMarked {
        self.read(id, reader, ReadTarget::All).await
    }

    /// Reads everything up to a message.
    pub async fn read_up_to(&self, message: &Message, reader: &UserId) -> ReadMarked {
        self.read(message.conversation_id, reader, ReadTarget::UpTo(message.id)).await
    }

    /// Reads exactly these messages of one conversation.
    pub async fn read_each(&self, id: ConversationId, reader: &UserId, messages: &[&Message]) -> ReadMarked {
        self.read(id, reader, ReadTarget::Messages(messages.iter().map(|message| message.id).collect())).await
    }

    /// A live socket appears.
    pub async fn deliver(&self, user: &UserId) -> Vec<DeliveredNow> {
        self.storage().mark_delivered(user).await.expect("the storage answers")
    }

    /// What a live socket's appearance turns to delivered, in id order.
    pub async fn delivered_ids(&self, user: &UserId) -> Vec<MessageId> {
        let mut all: Vec<_> = self.deliver(user).await.into_iter().flat_map(|now| now.message_ids).collect();
        all.sort_unstable();
        all
    }

    /// How much of a conversation somebody in it has not read.
    pub async fn unread(&self, id: ConversationId, user: &UserId) -> u64 {
        let counts = self.storage().list_unread_of(id, std::slice::from_ref(user)).await.expect("the storage answers");
        let count = counts.iter().find(|(other, _)| other == user);
        count.expect("`list_unread_of` counts for everybody who is in the conversation").1
    }

    /// The watermarks of a conversation that is there.
    pub async fn watermarks(&self, id: ConversationId) -> Watermarks {
        let all = self.storage().list_watermarks(&[id]).await.expect("the storage answers");
        all.into_iter().find(|(other, _)| *other == id).expect("`list_watermarks` knows every conversation").1
    }

    /// How far a message has come.
    pub async fn status(&self, message: &Message) -> MessageStatus {
        self.watermarks(message.conversation_id).await.status(&message.sender_id, message.seq)
    }

    /// Somebody blocks somebody. Says whether that is new.
    pub async fn block(&self, blocker: &UserId, blocked: &UserId) -> bool {
        self.storage().insert_block(blocker, blocked, self.now()).await.expect("the storage answers")
    }

    /// Somebody takes a block back. Says whether there was one.
    pub async fn unblock(&self, blocker: &UserId, blocked: &UserId) -> bool {
        self.storage().remove_block(blocker, blocked).await.expect("the storage answers")
    }

    /// A user's tokens from before a moment are no longer good.
    pub async fn revoke(&self, user: &UserId, before: Timestamp) {
        let revoked = self.storage().revoke_tokens(user, before).await.expect("the storage answers");
        assert!(revoked.is_some(), "there is a user");
    }
}

/// An emoji from its text.
pub(crate) fn emoji_of(text: &str) -> Emoji {
    Emoji::new(text).expect("a valid emoji")
}

/// What newly read messages are, without whose.
pub(crate) fn ids_of(read: &[ReadMessage]) -> Vec<MessageId> {
    read.iter().map(|message| message.id).collect()
}

/// The ids of messages, in their order.
pub(crate) fn ids(messages: &[Message]) -> Vec<MessageId> {
    messages.iter().map(|message| message.id).collect()
}
