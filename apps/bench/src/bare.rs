//! The Socket.IO library alone, as far as a load needs a server: no storage, no checks, no tokens, and what it numbers is gone
//! with it. Measured beside Parlance it shows how much of a send is the library's, the system's and the network's.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::routing::{get, post};
use axum::{Json, Router};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use serde_json::json;
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef};
use tokio::net::TcpListener;

use crate::arguments::BareArguments;
use crate::failure::Failure;

/// Packets that wait for one socket; the load has fewer under way.
const QUEUE: usize = 4_096;

/// What is known of conversations: how many messages each has had.
#[derive(Debug, Clone, Default)]
struct Conversations(Arc<RwLock<HashMap<String, AtomicU64>>>);

impl Conversations {
    fn open(&self) -> String {
        let mut all = self.0.write();
        let id = format!("{:024x}", all.len() + 1);
        all.insert(id.clone(), AtomicU64::new(0));
        id
    }

    /// The place of the next message; `None` where there is no such conversation.
    fn next_seq(&self, id: &str) -> Option<u64> {
        self.0.read().get(id).map(|last| last.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// What a client sends; without more checks than its fields.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Draft {
    conversation_id: String,
    client_message_id: String,
    text: String,
}

/// What is told of a message: as many bytes as the other servers tell.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    #[serde(rename = "id")]
    same_id: &'a str,
    conversation_id: &'a str,
    seq: u64,
    rev: u64,
    sender: Sender<'a>,
    text: &'a str,
    #[serde(rename = "messageType")]
    kind: &'a str,
    media: [u8; 0],
    reply_to: Option<u8>,
    status: &'a str,
    client_message_id: &'a str,
    reactions: [u8; 0],
    created_at: &'a str,
    updated_at: &'a str,
    edited_at: Option<u8>,
    deleted_at: Option<u8>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sender<'a> {
    #[serde(rename = "_id")]
    id: &'a str,
    full_name: &'a str,
    profile_picture: Option<u8>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Announced<'a> {
    message: &'a Message<'a>,
    conversation_id: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Acked<'a> {
    success: bool,
    message_id: &'a str,
    conversation_id: &'a str,
    message: &'a Message<'a>,
}

/// Serves until the process is ended; says where it listens.
pub(crate) fn serve(wanted: &BareArguments) -> Result<(), Failure> {
    let failed = |error| Failure::new("the bare server", error);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(&wanted.listen).await.map_err(failed)?;
        println!("bare listening on http://{}", listener.local_addr().map_err(failed)?);
        axum::serve(listener, routes()).await.map_err(failed)
    })
}

fn routes() -> Router {
    let conversations = Conversations::default();
    let (layer, io) = SocketIo::builder().max_buffer_size(QUEUE).build_layer();
    let numbered = conversations.clone();
    io.ns("/", move |socket: SocketRef| {
        socket.on("conversation:join", async |socket: SocketRef, Data(id): Data<String>, ack: AckSender| {
            socket.join(id);
            answer(ack, &json!({ "success": true }));
        });
        socket.on("message:send", move |socket: SocketRef, io: SocketIo, Data(draft): Data<Draft>, ack: AckSender| {
            let conversations = numbered.clone();
            async move { send(&socket, &io, &draft, ack, &conversations).await }
        });
        async {}
    });
    let open = post(async move || {
        let conversation = json!({ "_id": conversations.open() });
        Json(json!({ "success": true, "data": { "conversation": conversation } }))
    });
    Router::new()
        .route("/api/v1/users/me", get(async || Json(json!({ "success": true }))))
        .route("/api/v1/chat/conversations/start", open.clone())
        .route("/api/v1/chat/conversations/group", open)
        .layer(layer)
}

async fn send(socket: &SocketRef, io: &SocketIo, draft: &Draft, ack: AckSender, conversations: &Conversations) {
    let Draft { conversation_id, client_message_id, text } = draft;
    let Some(seq) = conversations.next_seq(conversation_id) else {
        return answer(ack, &json!({ "success": false }));
    };
    let id = format!("{seq:024x}");
    let now = "2026-01-01T00:00:00.000Z";
    let message = Message {
        id: &id,
        same_id: &id,
        conversation_id,
        seq,
        rev: seq,
        sender: Sender { id: socket.id.as_str(), full_name: "Somebody", profile_picture: None },
        text,
        kind: "text",
        media: [],
        reply_to: None,
        status: "sent",
        client_message_id,
        reactions: [],
        created_at: now,
        updated_at: now,
        edited_at: None,
        deleted_at: None,
    };
    // Whoever could not be told is missed by the load.
    let _ = io.to(conversation_id.clone()).emit("message:new", &Announced { message: &message, conversation_id }).await;
    answer(ack, &Acked { success: true, message_id: &id, conversation_id, message: &message });
}

fn answer(ack: AckSender, answer: &impl Serialize) {
    // A client that is gone needs none.
    let _ = ack.send(answer);
}
