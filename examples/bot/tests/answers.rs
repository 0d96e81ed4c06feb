//! The bot in a running server: it answers in its direct conversation, after the question, as an answer to it.

use std::sync::Arc;

use parlance_domain::event::Event;
use parlance_domain::model::{ClaimedProfile, MessageView};
use parlance_domain::ports::Claims;
use parlance_domain::rules::messages::Draft;
use parlance_example_bot::Bot;
use parlance_server::Server;
use parlance_server::config::{Config, Flags};
use parlance_storage_memory::MemoryStorage;
use tokio::sync::broadcast::Receiver;

async fn next_message(events: &mut Receiver<Arc<Event>>) -> MessageView {
    loop {
        if let Event::MessageNew { message, .. } = &*events.recv().await.expect("the server runs") {
            return (**message).clone();
        }
    }
}

#[tokio::test]
async fn it_answers_a_question_and_stays_silent_otherwise() {
    let settings = |name: &str| match name {
        "LISTEN" => Some("127.0.0.1:0".to_owned()),
        "ACCESS_TOKEN_SECRET" => Some("a secret of this test, long enough".to_owned()),
        _ => None,
    };
    let config = Config::from_env(&Flags::default(), settings).expect("a valid configuration");
    let server = Server::builder(config).storage(Arc::new(MemoryStorage::new())).build().await.expect("it starts");
    let services = server.services().clone();
    let mut events = server.watch();
    let bot = Bot::new(services.clone(), "bot".parse().expect("an id"), "Echo bot").await.expect("it is made known");
    let answering = tokio::spawn(bot.run(server.watch()));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));

    let profile = ClaimedProfile { name: Some("Ann".to_owned()), picture: None };
    let claims =
        Claims { user_id: "ann".parse().expect("an id"), profile, email: None, issued_at: None, expires_at: None };
    let ann = services.directory.admit(&claims).await.expect("admitted");
    let (chat, _) = services.conversing.start_direct(&ann, &"bot".parse().expect("an id")).await.expect("started");
    for text in ["just talking", "/hello"] {
        let draft = Draft::text(chat.conversation.id, text);
        services.messaging.send(&ann, draft, None).await.expect("sent");
        assert_eq!(next_message(&mut events).await.message.text.as_deref(), Some(text));
    }
    let answer = next_message(&mut events).await;
    assert_eq!((answer.message.text.as_deref(), answer.message.seq), (Some("Hello Ann!"), 3));
    assert_eq!(answer.reply_to.and_then(|question| question.text).as_deref(), Some("/hello"));

    stop.send(()).expect("it still runs");
    running.await.expect("it ends").expect("in order");
    answering.abort();
}
