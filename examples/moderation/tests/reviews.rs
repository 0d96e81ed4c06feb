//! The policy in a server: what it refuses is not stored, what it masks is stored masked.

use std::sync::Arc;

use parlance_domain::Error;
use parlance_domain::model::ClaimedProfile;
use parlance_domain::ports::Claims;
use parlance_domain::rules::messages::Draft;
use parlance_example_moderation::Moderation;
use parlance_server::Server;
use parlance_server::config::{Config, Flags};
use parlance_storage_memory::MemoryStorage;

#[tokio::test]
async fn links_are_refused_and_words_masked() {
    let settings = |name: &str| match name {
        "LISTEN" => Some("127.0.0.1:0".to_owned()),
        "ACCESS_TOKEN_SECRET" => Some("a secret of this test, long enough".to_owned()),
        _ => None,
    };
    let config = Config::from_env(&Flags::default(), settings).expect("a valid configuration");
    let policy = Arc::new(Moderation::masking(&["darn"]));
    let server = Server::builder(config).storage(Arc::new(MemoryStorage::new())).policy(policy);
    let server = server.build().await.expect("it starts");
    let services = server.services().clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));

    let mut people = Vec::new();
    for name in ["ann", "bob"] {
        let user_id = name.parse().expect("an id");
        let claims =
            Claims { user_id, profile: ClaimedProfile::default(), email: None, issued_at: None, expires_at: None };
        people.push(services.directory.admit(&claims).await.expect("admitted"));
    }
    let (chat, _) = services.conversing.start_direct(&people[0], &people[1].id).await.expect("started");
    let draft = |text: &str| Draft::text(chat.conversation.id, text);
    let refused = services.messaging.send(&people[0], draft("see https://x.example"), None).await;
    assert_eq!(refused.expect_err("refused"), Error::Forbidden("Links are not allowed here"));
    services.messaging.send(&people[0], draft("darn it"), None).await.expect("sent");
    let page = services.messaging.history(&people[1].id, chat.conversation.id, None, 10).await.expect("history");
    let texts: Vec<_> = page.items.iter().map(|view| view.message.text.as_deref()).collect();
    assert_eq!(texts, [Some("**** it")]);

    stop.send(()).expect("it still runs");
    running.await.expect("it ends").expect("in order");
}
