//! What clients send, as JSON Schemas for documents: each row of a table of inbound names says which of these its
//! reader takes. None of them holds a value; a test feeds the readers what these describe, with and without each field.

#![expect(dead_code, reason = "stands for schemas")]

use std::collections::BTreeMap;

use parlance_domain::model::{ClientMessageId, Emoji, UserId};
use parlance_domain::rules::Limits;
use schemars::JsonSchema;
use serde_json::Value;

use crate::schemas::{DraftMedium, ObjectIdSchema};

/// Declares what may come bare or in the one field of an object.
macro_rules! bare_or_field {
    ($($(#[$doc:meta])* $name:ident, $fields:ident { $(#[$attribute:meta])* $field:ident: $value:ty };)+) => {
        $(
            $(#[$doc])*
            #[derive(JsonSchema)]
            #[schemars(inline, untagged)]
            pub(crate) enum $name {
                Bare($(#[$attribute])* $value),
                Fields($fields),
            }

            #[derive(JsonSchema)]
            #[schemars(inline, rename_all = "camelCase")]
            pub(crate) struct $fields {
                $(#[$attribute])*
                $field: $value,
            }
        )+
    };
}

bare_or_field! {
    /// A conversation's id, bare or in an object.
    OfConversation, ConversationFields { conversation_id: ObjectIdSchema };
    /// A message's id, bare or in an object.
    OfMessage, MessageFields { message_id: ObjectIdSchema };
    /// A user's id, bare or in an object.
    OfUser, UserFields { #[schemars(length(min = 1, max = UserId::MAX_BYTES))] user_id: String };
    /// Users' ids, bare or in an object.
    OfUsers, UsersFields { #[schemars(length(max = Limits::MAX_SYNC))] user_ids: Vec<String> };
    /// A notification's id, bare or in an object.
    OfNotification, NotificationFields { notification_id: ObjectIdSchema };
    /// A call's id, bare or in an object.
    OfCall, CallFields { #[schemars(length(min = 1, max = 64))] call_id: String };
    /// A token, bare or in an object.
    Token, TokenFields { token: String };
}

/// `message:send` of `talentbridge`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "camelCase")]
pub(crate) struct SendText {
    conversation_id: ObjectIdSchema,
    text: String,
    reply_to: Option<ObjectIdSchema>,
    #[schemars(length(min = 1, max = ClientMessageId::MAX_BYTES))]
    client_message_id: Option<String>,
}

/// `send:message` of `ulearn`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "camelCase")]
pub(crate) struct SendRich {
    conversation_id: ObjectIdSchema,
    text: Option<String>,
    media: Option<Vec<DraftMedium>>,
    /// The type of the first medium, or `text` without media. Audio is refused.
    #[schemars(extend("enum" = ["text", "image", "video", "file"]))]
    message_type: String,
    reply_to: Option<ObjectIdSchema>,
    #[schemars(length(min = 1, max = ClientMessageId::MAX_BYTES))]
    client_message_id: Option<String>,
}

/// `sendMessage` of `gateway`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "camelCase")]
pub(crate) struct SendContent {
    conversation_id: ObjectIdSchema,
    content: String,
    #[schemars(length(min = 1, max = ClientMessageId::MAX_BYTES))]
    client_message_id: Option<String>,
}

/// `sendMessage` of `nextchat`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "camelCase")]
pub(crate) struct SendAs {
    conversation_id: ObjectIdSchema,
    /// The sender's own id: any other is refused.
    #[schemars(length(min = 1, max = UserId::MAX_BYTES))]
    sender_id: String,
    message: String,
    #[schemars(length(min = 1, max = ClientMessageId::MAX_BYTES))]
    client_message_id: Option<String>,
}

/// `typing` of `nextchat`: a conversation's id, or with one's own id beside it.
#[derive(JsonSchema)]
#[schemars(inline, untagged)]
pub(crate) enum Typist {
    Bare(ObjectIdSchema),
    Fields(TypistFields),
}

#[derive(JsonSchema)]
#[schemars(inline, rename_all = "camelCase")]
pub(crate) struct TypistFields {
    conversation_id: ObjectIdSchema,
    #[schemars(length(min = 1, max = UserId::MAX_BYTES))]
    user_id: String,
}

/// `message:read` of `ulearn`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "camelCase")]
pub(crate) struct MarkThese {
    conversation_id: ObjectIdSchema,
    /// None at all means all.
    #[schemars(length(max = Limits::MAX_IDS))]
    message_ids: Vec<ObjectIdSchema>,
}

/// `messages:mark_read`: a conversation's id, or with the newest message that was read.
#[derive(JsonSchema)]
#[schemars(inline, untagged)]
pub(crate) enum MarkUpTo {
    Bare(ObjectIdSchema),
    Fields(MarkUpToFields),
}

#[derive(JsonSchema)]
#[schemars(inline, rename_all = "camelCase")]
pub(crate) struct MarkUpToFields {
    conversation_id: ObjectIdSchema,
    up_to_message_id: Option<ObjectIdSchema>,
}

/// `message:edit`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "camelCase")]
pub(crate) struct Edit {
    message_id: ObjectIdSchema,
    text: String,
}

/// `message:react`, `message:unreact`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "camelCase")]
pub(crate) struct React {
    message_id: ObjectIdSchema,
    #[schemars(length(min = 1, max = Emoji::MAX_BYTES))]
    emoji: String,
}

/// `sync`.
#[derive(JsonSchema)]
#[schemars(inline)]
pub(crate) struct Sync {
    /// By the id of a conversation, the `rev` that the client has; at most 200.
    #[schemars(extend("maxProperties" = Limits::MAX_SYNC))]
    conversations: BTreeMap<String, u64>,
}

/// `call:invite`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "camelCase")]
pub(crate) struct Invite {
    conversation_id: ObjectIdSchema,
    /// The caller's own name for the call.
    #[schemars(length(min = 1, max = 64))]
    call_id: String,
    #[schemars(extend("enum" = ["audio", "video", "screen"]))]
    media: String,
    /// Any JSON, for the others' clients.
    data: Option<Value>,
}

/// `call:reject`, `call:hangup`: a call's id, or with a reason.
#[derive(JsonSchema)]
#[schemars(inline, untagged)]
pub(crate) enum Leave {
    Bare(#[schemars(length(min = 1, max = 64))] String),
    Fields(LeaveFields),
}

#[derive(JsonSchema)]
#[schemars(inline, rename_all = "camelCase")]
pub(crate) struct LeaveFields {
    #[schemars(length(min = 1, max = 64))]
    call_id: String,
    reason: Option<String>,
}

/// `call:signal`.
#[derive(JsonSchema)]
#[schemars(inline, rename_all = "camelCase")]
pub(crate) struct Signal {
    #[schemars(length(min = 1, max = 64))]
    call_id: String,
    #[schemars(length(min = 1, max = UserId::MAX_BYTES))]
    to: String,
    /// Any JSON, for their client: SDP, ICE; at most 64 KiB.
    data: Value,
}
