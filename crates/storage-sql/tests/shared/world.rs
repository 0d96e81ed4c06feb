//! What the tests of both engines say in one line: people, conversations, messages, and the statements that ran.

use std::sync::{Arc, Mutex, PoisonError};

use parlance_domain::model::{
    ClaimedProfile, ClientMessageId, ConversationId, MessageKind, NewMessage, ObjectId, Timestamp, UserId,
};
use parlance_domain::ports::{Conversations, NewConversation, Users};
use parlance_storage_sql::{SqlStorage, StatementObserver};

use crate::support::Bench;

/// The texts of the statements that ran.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    /// What a storage is given to be heard.
    pub(crate) fn observer(&self) -> StatementObserver {
        let heard = self.clone();
        Arc::new(move |text: &str, _| heard.0.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned()))
    }

    /// Those since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Bench {
    /// The statements that ran since the last call.
    pub(crate) fn statements(&self) -> Vec<String> {
        self.heard.take()
    }

    pub(crate) async fn user(&self, name: &str) -> UserId {
        user(&self.storage, name).await
    }

    pub(crate) async fn direct(&self, number: u64, one: &UserId, other: &UserId) -> ConversationId {
        let new = NewConversation::Direct { id: id(number), starter: one.clone(), other: other.clone() };
        let started = self.storage.start_conversation(&new, Timestamp::from_millis(1)).await;
        started.expect("the storage answers").conversation.id
    }
}

/// Somebody of this id.
pub(crate) async fn user(storage: &SqlStorage, name: &str) -> UserId {
    let id: UserId = name.parse().expect("a valid id");
    let made = storage.record_claims(&id, &ClaimedProfile::default(), true, Timestamp::from_millis(1)).await;
    made.expect("the storage answers");
    id
}

/// An id made of a number.
pub(crate) fn id<T: From<ObjectId>>(number: u64) -> T {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    ObjectId::from_bytes(bytes).into()
}

/// A text on its way into storage.
pub(crate) fn draft(number: u64, conversation_id: ConversationId, sender: &UserId, text: &str) -> NewMessage {
    NewMessage {
        id: id(number),
        conversation_id,
        sender_id: sender.clone(),
        kind: MessageKind::Text,
        text: Some(text.to_owned()),
        media: Vec::new(),
        reply_to: None,
        client_message_id: Some(ClientMessageId::new(&format!("mark-{number}")).expect("a valid mark")),
        created_at: Timestamp::from_millis(1_700_000_000_000 + i64::try_from(number).expect("a small number")),
        delivered_to: None,
    }
}
