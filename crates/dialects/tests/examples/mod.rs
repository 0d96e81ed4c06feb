//! What clients send: the guides' own examples, and the forms that the contract adds.

use parlance_dialects::Dialect;
use serde_json::{Value, json};

const CONVERSATION: &str = "64f456def789abc123456789";
const MESSAGE: &str = "507f1f77bcf86cd799439012";
const OTHER_MESSAGE: &str = "507f1f77bcf86cd799439013";

/// What the guides' snippets emit, and the forms that the contract adds.
pub(crate) fn inbound(dialect: Dialect) -> Vec<(&'static str, Vec<Value>)> {
    let id = || vec![json!(CONVERSATION)];
    let object = || vec![json!({ "conversationId": CONVERSATION })];
    let own = match dialect {
        Dialect::Talentbridge => vec![
            ("conversation:join", id()),
            ("conversation:join", object()),
            ("conversation:leave", id()),
            ("conversation:get_online_users", id()),
            ("message:send", vec![json!({ "conversationId": CONVERSATION, "text": "Hello, how are you?" })]),
            ("message:send", vec![json!({ "conversationId": CONVERSATION, "text": "Hi", "replyTo": null })]),
            (
                "message:send",
                vec![
                    json!({ "conversationId": CONVERSATION, "text": "Hi", "replyTo": MESSAGE, "clientMessageId": "c-1" }),
                ],
            ),
            ("message:send", vec![json!({ "conversationId": CONVERSATION })]),
            ("typing:start", id()),
            ("typing:stop", id()),
            ("messages:mark_read", vec![json!({ "conversationId": CONVERSATION, "upToMessageId": MESSAGE })]),
            ("messages:mark_read", vec![json!({ "conversationId": CONVERSATION, "upToMessageId": null })]),
        ],
        Dialect::Ulearn => ulearn(),
        Dialect::Gateway => vec![
            ("joinConversation", object()),
            ("joinConversation", id()),
            ("leaveConversation", object()),
            ("sendMessage", vec![json!({ "conversationId": CONVERSATION, "content": "Hello!" })]),
            (
                "sendMessage",
                vec![json!({ "conversationId": CONVERSATION, "content": "Hello!", "clientMessageId": "c-1" })],
            ),
            ("sendMessage", vec![json!({ "conversationId": CONVERSATION, "text": "Hello!" })]),
            ("typing", object()),
            ("stopTyping", object()),
        ],
        Dialect::Marketplace => vec![
            ("join:conversation", id()),
            ("join:conversation", object()),
            ("leave:conversation", id()),
            ("typing:start", object()),
            ("typing:stop", object()),
            ("conversation:get-online-users", id()),
        ],
        Dialect::Nextchat => vec![
            ("joinConversation", object()),
            ("leaveConversation", object()),
            ("sendMessage", vec![json!({ "conversationId": CONVERSATION, "senderId": "alice", "message": "Hello!" })]),
            (
                "sendMessage",
                vec![
                    json!({ "conversationId": CONVERSATION, "senderId": "alice", "message": "Hello!", "clientMessageId": "c-1" }),
                ],
            ),
            ("sendMessage", vec![json!({ "conversationId": CONVERSATION, "message": "Hello!" })]),
            ("typing", vec![json!({ "conversationId": CONVERSATION, "userId": "alice" })]),
            ("typing", id()),
            ("typing", object()),
        ],
    };
    own.into_iter().chain(extension()).collect()
}

fn ulearn() -> Vec<(&'static str, Vec<Value>)> {
    let id = || vec![json!(CONVERSATION)];
    let object = || vec![json!({ "conversationId": CONVERSATION })];
    vec![
        ("join:conversation", object()),
        ("join:conversation", id()),
        ("leave:conversation", object()),
        (
            "send:message",
            vec![json!({ "conversationId": CONVERSATION, "text": "Hello, how are you?", "messageType": "text" })],
        ),
        (
            "send:message",
            vec![json!({
                "conversationId": CONVERSATION, "text": "Check this out!", "messageType": "image",
                "media": [{ "url": "https://res.cloudinary.com/x/image.jpg", "type": "image", "filename": "photo.jpg", "size": 245_678 }],
            })],
        ),
        (
            "send:message",
            vec![
                json!({ "conversationId": CONVERSATION, "text": "That sounds great!", "messageType": "text", "replyTo": MESSAGE }),
            ],
        ),
        (
            "send:message",
            vec![json!({
                "conversationId": CONVERSATION, "text": null, "media": [{ "url": "/media/1/a.pdf", "type": "file" }],
                "messageType": "file", "clientMessageId": "c-1",
            })],
        ),
        ("send:message", vec![json!({ "conversationId": CONVERSATION, "messageType": "audio" })]),
        (
            "send:message",
            vec![json!({
                "conversationId": CONVERSATION, "messageType": "file", "media": [{ "url": "https://x/y.mp3", "type": "audio" }],
            })],
        ),
        ("send:message", vec![json!({ "conversationId": CONVERSATION, "text": "Hi", "messageType": "system" })]),
        ("send:message", vec![json!({ "conversationId": CONVERSATION, "text": "Hi" })]),
        ("typing:start", object()),
        ("typing:stop", object()),
        ("message:read", vec![json!({ "conversationId": CONVERSATION, "messageIds": [MESSAGE, OTHER_MESSAGE] })]),
        ("message:read", vec![json!({ "conversationId": CONVERSATION, "messageIds": [] })]),
        ("message:read", vec![json!({ "conversationId": CONVERSATION })]),
    ]
}

fn extension() -> Vec<(&'static str, Vec<Value>)> {
    vec![
        ("message:edit", vec![json!({ "messageId": MESSAGE, "text": "Hello again" })]),
        ("message:delete", vec![json!({ "messageId": MESSAGE })]),
        ("message:delete", vec![json!(MESSAGE)]),
        ("message:react", vec![json!({ "messageId": MESSAGE, "emoji": "👍🏽" })]),
        ("message:unreact", vec![json!({ "messageId": MESSAGE, "emoji": "👍🏽" })]),
        ("messages:mark_read", vec![json!({ "conversationId": CONVERSATION })]),
        ("messages:mark_read", vec![json!(CONVERSATION)]),
        ("user:get-status", vec![json!("bob")]),
        ("user:get-status", vec![json!({ "userId": "bob" })]),
        ("users:get-status", vec![json!(["bob", "64f123abc456def789012345"])]),
        ("users:get-status", vec![json!({ "userIds": [] })]),
        ("notification:read", vec![json!(MESSAGE)]),
        ("notification:read", vec![json!({ "notificationId": MESSAGE })]),
        ("notification:read", vec![json!("n1")]),
        ("notifications:read-all", vec![]),
        ("notifications:read-all", vec![Value::Null]),
        ("sync", vec![json!({ "conversations": { CONVERSATION: 4, "no-id": 1 } })]),
        ("auth:refresh", vec![json!({ "token": "eyJ" })]),
        (
            "call:invite",
            vec![
                json!({ "conversationId": CONVERSATION, "callId": "call-1", "media": "video", "data": { "hd": true } }),
            ],
        ),
        ("call:invite", vec![json!({ "conversationId": CONVERSATION, "callId": "call-1", "media": "smell" })]),
        ("call:accept", vec![json!({ "callId": "call-1" })]),
        ("call:accept", vec![json!("call-1")]),
        ("call:reject", vec![json!({ "callId": "call-1", "reason": "busy" })]),
        ("call:hangup", vec![json!({ "callId": "call-1" })]),
        ("call:hangup", vec![json!("call-1")]),
        (
            "call:signal",
            vec![
                json!({ "callId": "call-1", "to": "bob", "data": { "candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host" } }),
            ],
        ),
        ("call:signal", vec![json!({ "callId": "call-1", "to": "bob" })]),
        ("customEvent", vec![json!({ "message": "Hello!" })]),
    ]
}
