//! A server on the storage: what it acknowledged is there for the next server that opens the file.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::path::Path;
use std::sync::Arc;

use parlance_domain::model::{ClaimedProfile, ConversationId};
use parlance_domain::ports::{Claims, Messages};
use parlance_domain::rules::messages::Draft;
use parlance_example_custom_storage::EmbeddedStorage;
use parlance_server::Server;
use parlance_server::config::{Config, Flags};

fn claims(id: &str) -> Claims {
    Claims {
        user_id: id.parse().unwrap(),
        profile: ClaimedProfile::default(),
        email: None,
        issued_at: None,
        expires_at: None,
    }
}

/// A server that lives as long as it takes to send this.
async fn send(file: &Path, text: &str) -> ConversationId {
    let settings = |name: &str| match name {
        "LISTEN" => Some("127.0.0.1:0".to_owned()),
        "MEDIA_DIR" => Some("memory:".to_owned()),
        "ACCESS_TOKEN_SECRET" => Some("a secret of this test, long enough".to_owned()),
        _ => None,
    };
    let config = Config::from_env(&Flags::default(), settings).unwrap();
    let storage = EmbeddedStorage::open(file).unwrap();
    let server = Server::builder(config).storage(Arc::new(storage.clone())).build().await.unwrap();
    let services = server.services().clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));

    let ann = services.directory.admit(&claims("ann")).await.unwrap();
    services.directory.admit(&claims("ben")).await.unwrap();
    let (chat, _) = services.conversing.start_direct(&ann, &claims("ben").user_id).await.unwrap();
    services.messaging.send(&ann, Draft::text(chat.conversation.id, text), None).await.unwrap();

    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
    storage.close().await;
    chat.conversation.id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_is_refused_where_nothing_is_kept_for_it() {
    let settings = |name: &str| match name {
        "ACCESS_TOKEN_SECRET" => Some("a secret of this test, long enough".to_owned()),
        "SMTP_URL" => Some("smtp://mail.example".to_owned()),
        "MAIL_FROM" => Some("chat@example.com".to_owned()),
        "PUBLIC_URL" => Some("https://chat.example".to_owned()),
        _ => None,
    };
    let folder = tempfile::tempdir().unwrap();
    let storage = EmbeddedStorage::open(&folder.path().join("chat.redb")).unwrap();
    let config = Config::from_env(&Flags::default(), settings).unwrap();
    let refused = Server::builder(config).storage(Arc::new(storage)).build().await.err().unwrap().to_string();
    assert!(refused.starts_with("SMTP_URL") && refused.contains("keeps nothing for channels"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_server_goes_on_where_the_last_one_ended() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chat.redb");
    let first = send(&file, "before the restart").await;
    assert_eq!(send(&file, "after the restart").await, first, "two people have one conversation");

    let page = EmbeddedStorage::open(&file).unwrap().list_history(first, None, 10).await.unwrap().unwrap();
    let texts: Vec<_> = page.items.iter().filter_map(|message| message.text.as_deref()).collect();
    assert_eq!(texts, ["before the restart", "after the restart"]);
}
