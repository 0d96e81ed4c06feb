//! The server inside another program, with that program's own storage, verifier and policy.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parlance_domain::Error;
use parlance_domain::model::{ClaimedProfile, ConversationId, Roster, User};
use parlance_domain::ports::{Claims, MessagePolicy, TokenError, TokenVerifier, Verdict};
use parlance_domain::rules::messages::Draft;
use parlance_server::Server;
use parlance_server::config::{Config, Listen};
use parlance_storage_memory::MemoryStorage;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// Takes a token for a user id.
struct Trusting;

#[async_trait]
impl TokenVerifier for Trusting {
    async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let user_id = token.parse().map_err(|_| TokenError::Invalid("no user id".to_owned()))?;
        Ok(Claims { user_id, profile: ClaimedProfile::default(), email: None, issued_at: None, expires_at: None })
    }
}

struct NoShouting;

#[async_trait]
impl MessagePolicy for NoShouting {
    async fn review(&self, _: &User, _: &Roster, draft: Draft) -> Verdict {
        let shouted = draft.text.as_deref().is_some_and(|text| text.ends_with('!'));
        if shouted { Verdict::Refuse("no shouting") } else { Verdict::Accept(draft) }
    }
}

fn draft(conversation_id: ConversationId, text: &str) -> Draft {
    Draft::text(conversation_id, text)
}

fn config() -> Config {
    let loopback = Listen { address: "127.0.0.1:0".parse().unwrap(), dialect: None };
    let mut config = Config::defaults().unwrap();
    config.media.at = parlance_media::BlobsAt::Memory;
    config.listen = vec![loopback];
    config
}

#[tokio::test]
async fn it_runs_on_what_it_is_handed() {
    let storage = Arc::new(MemoryStorage::new());
    let server = Server::builder(config())
        .storage(storage)
        .verifier(Arc::new(Trusting))
        .policy(Arc::new(NoShouting))
        .build()
        .await
        .unwrap();
    let (address, dialect) = server.addresses()[0];
    assert_eq!(dialect.name(), "talentbridge");
    let services = server.services().clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));

    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        "GET /api/v1/users/me HTTP/1.1\r\nHost: here\r\nConnection: close\r\nAuthorization: Bearer alice\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let alice = services.directory.find(&"alice".parse().unwrap()).await.unwrap();
    let bob = Trusting.verify("bob").await.unwrap();
    services.directory.admit(&bob).await.unwrap();
    let (conversation, _) = services.conversing.start_direct(&alice, &bob.user_id).await.unwrap();
    let send = |text: &str| services.messaging.send(&alice, draft(conversation.conversation.id, text), None);
    assert_eq!(send("hello").await.unwrap().message.message.text.as_deref(), Some("hello"));
    assert_eq!(send("HELLO!").await.err(), Some(Error::Forbidden("no shouting")));

    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
    assert!(matches!(send("too late").await.err(), Some(Error::Unavailable(_))));
}

#[tokio::test]
async fn five_hundred_who_come_at_once_find_room() {
    let server = Server::builder(config())
        .storage(Arc::new(MemoryStorage::new()))
        .verifier(Arc::new(Trusting))
        .build()
        .await
        .unwrap();
    let (address, _) = server.addresses()[0];
    // Nobody accepts yet: all of them wait in the kernel, which turns away whom it has no room for.
    let mut waiting = Vec::new();
    for _ in 0..500 {
        let connected = tokio::time::timeout(Duration::from_secs(30), TcpStream::connect(address)).await;
        waiting.push(connected.expect("there is room").unwrap());
    }
}
