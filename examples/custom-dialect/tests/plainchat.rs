//! The whole server with the sixth dialect, and sockets that speak it beside one that speaks another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use parlance_dialects::vocabulary::{Inbound, Notification, Outbound, Vocabulary, encode_extension};
use parlance_dialects::{Codec, Dialects, UnusableDialect, Wire};
use parlance_domain::event::Event;
use parlance_domain::model::{ClaimedProfile, ConversationId, UserId};
use parlance_domain::ports::Claims;
use parlance_example_custom_dialect::{Person, Plainchat, Spoken};
use parlance_server::config::{Config, Flags};
use parlance_server::{Metrics, Server, access_token};
use parlance_storage_memory::MemoryStorage;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A Socket.IO client; events that come while it waits for an ack are kept.
struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    heard: Vec<Value>,
}

impl Client {
    async fn connect(address: SocketAddr, auth: &Value) -> Self {
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (socket, _) = connect_async(url).await.expect("it lets clients in");
        let mut client = Self { socket, heard: Vec::new() };
        client.packet("0").await;
        client.say(format!("40{auth}")).await;
        client.packet("40").await;
        client
    }

    async fn say(&mut self, packet: String) {
        self.socket.send(Message::text(packet)).await.expect("it reads");
    }

    /// What follows these characters in the next packet that begins with them.
    async fn packet(&mut self, start: &str) -> String {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("a packet in time");
            let text = next.expect("not the end").expect("a packet").into_text().expect("text").to_string();
            if let Some(rest) = text.strip_prefix(start) {
                return rest.to_owned();
            }
            if let Some(event) = text.strip_prefix("42") {
                self.heard.push(serde_json::from_str(event).expect("JSON"));
            }
        }
    }

    /// Sends an event and waits for its ack.
    async fn call(&mut self, event: &str, argument: Value) -> Value {
        self.say(format!("427{}", json!([event, argument]))).await;
        let acked: Value = serde_json::from_str(&self.packet("437").await).expect("JSON");
        acked[0].clone()
    }

    /// The argument of the next event of this name.
    async fn hear(&mut self, event: &str) -> Value {
        loop {
            if let Some(at) = self.heard.iter().position(|heard| heard[0] == event) {
                return self.heard.remove(at)[1].clone();
            }
            let text = self.packet("42").await;
            self.heard.push(serde_json::from_str(&text).expect("JSON"));
        }
    }
}

/// The body of what is answered.
async fn get(address: SocketAddr, path: &str, token: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: here.test\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer.split_once("\r\n\r\n").expect("a body").1.to_owned()
}

/// A configuration that knows the dialect, one of whose ports speaks it.
fn config() -> Config {
    let settings = |name: &str| match name {
        "LISTEN" => Some("127.0.0.1:0,127.0.0.1:0=plainchat".to_owned()),
        "MEDIA_DIR" => Some("memory:".to_owned()),
        "ACCESS_TOKEN_SECRET" => Some("a secret of this test, long enough".to_owned()),
        _ => None,
    };
    let flags = Flags { dialects: Dialects::new(&[&Plainchat]).expect("a dialect"), ..Flags::default() };
    Config::from_env(&flags, settings).expect("a configuration")
}

fn token(config: &Config, user: &str) -> String {
    let secret = config.signing_secret().expect("a secret");
    let user = user.parse().expect("an id");
    access_token(config, &secret, user, ClaimedProfile::default(), Duration::from_mins(1)).expect("a token")
}

async fn conversation_of(server: &Server, one: &str, other: &str) -> ConversationId {
    let services = server.services();
    let claims = |id: &str| {
        let user_id: UserId = id.parse().expect("an id");
        Claims { user_id, profile: ClaimedProfile::default(), email: None, issued_at: None, expires_at: None }
    };
    let starter = services.directory.admit(&claims(one)).await.expect("it admits");
    services.directory.admit(&claims(other)).await.expect("it admits");
    let (chat, _) = services.conversing.start_direct(&starter, &claims(other).user_id).await.expect("it starts");
    chat.conversation.id
}

#[tokio::test]
async fn a_sixth_dialect_is_spoken_beside_the_five() {
    let config = config();
    let (ann, ben) = (token(&config, "ann"), token(&config, "ben"));
    let server = Server::builder(config)
        .storage(Arc::new(MemoryStorage::new()))
        .metrics(Metrics::install().expect("nothing else measures"))
        .build()
        .await
        .expect("it starts");
    let [(usual, _), (plain, spoken)] = server.addresses()[..] else { panic!("two listeners") };
    assert_eq!(spoken.name(), "plainchat");
    let room = conversation_of(&server, "ann", "ben").await.to_string();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));

    // By the handshake, and by the port.
    let mut ann_speaks = Client::connect(usual, &json!({ "token": ann, "dialect": "plainchat" })).await;
    let mut ben_speaks = Client::connect(plain, &json!({ "token": ben })).await;
    let mut ben_elsewhere = Client::connect(usual, &json!({ "token": ben })).await;
    assert_eq!(ann_speaks.call("enter", json!(room)).await, json!({ "success": true, "conversationId": room }));
    assert_eq!(ben_speaks.call("enter", json!(room)).await["success"], true);

    let said = ann_speaks.call("say", json!({ "room": room, "line": "hello", "mark": "m1" })).await;
    assert_eq!((&said["success"], &said["message"]["line"]), (&json!(true), &json!("hello")), "{said}");
    let heard = ben_speaks.hear("heard").await;
    assert_eq!((&heard["line"], &heard["who"]["id"], &heard["mark"]), (&json!("hello"), &json!("ann"), &json!("m1")));
    assert_eq!(ben_elsewhere.hear("message:new").await["message"]["text"], "hello");

    // What it has no words for is the extension vocabulary's, and so are refusals.
    let edited = ann_speaks.call("message:edit", json!({ "messageId": heard["id"], "text": "hullo" })).await;
    assert_eq!(edited["message"]["line"], "hullo", "{edited}");
    assert_eq!(ben_speaks.hear("message:edited").await["message"]["line"], "hullo");
    let refused = ann_speaks.call("say", json!({ "room": room })).await;
    assert_eq!((&refused["code"], &refused["error"]), (&json!("VALIDATION_FAILED"), &json!("line is required")));

    // The other transport shows it, and it is measured and described under its name.
    let history = get(usual, &format!("/api/messages/{room}?dialect=plainchat"), &ann).await;
    assert!(history.contains(r#""line":"hullo""#), "{history}");
    let measured = get(usual, "/metrics", "").await;
    assert!(measured.contains(r#"parlance_sockets{dialect="plainchat"} 2"#), "{measured}");
    let described: Value = serde_json::from_str(&get(usual, "/asyncapi.json", "").await).expect("JSON");
    assert_eq!(described["channels"]["plainchat"]["title"], "plainchat");
    assert!(described["operations"]["plainchat.in.say"].is_object());

    stop.send(()).expect("it still runs");
    running.await.expect("it ends").expect("in order");
}

/// A dialect without words of its own, save what it may not have.
struct Meddling;

impl Vocabulary for Meddling {
    type Message<'a> = Spoken<'a>;
    type User<'a> = Person<'a>;
    type Notification<'a> = Notification<'a>;

    const NAME: &'static str = "meddling";
    const INBOUND: &'static [Inbound] = &[];
    const OUTBOUND: &'static [Outbound] = &[Outbound::bare("disconnect")];

    fn encode(event: &Event, unread: u64) -> Vec<Wire> {
        encode_extension::<Self>(event, unread)
    }
}

/// A dialect that no handshake could name.
struct Loud;

impl Vocabulary for Loud {
    type Message<'a> = Spoken<'a>;
    type User<'a> = Person<'a>;
    type Notification<'a> = Notification<'a>;

    const NAME: &'static str = "LOUD!";
    const INBOUND: &'static [Inbound] = &[];
    const OUTBOUND: &'static [Outbound] = &[];

    fn encode(event: &Event, unread: u64) -> Vec<Wire> {
        encode_extension::<Self>(event, unread)
    }
}

#[test]
fn a_dialect_that_cannot_be_spoken_is_refused() {
    assert_eq!(Dialects::new(&[&Loud]), Err(UnusableDialect::Name("LOUD!")));
    assert_eq!(Dialects::new(&[&Plainchat, &Meddling]), Err(UnusableDialect::Reserved("disconnect")));
    let many: Vec<&'static dyn Codec> = (0..17).map(|_| &Plainchat as &'static dyn Codec).collect();
    assert_eq!(Dialects::new(&many), Err(UnusableDialect::TooMany));
}

#[test]
fn a_name_is_there_once_and_can_be_given() {
    let twice = Dialects::new(&[&Plainchat, &Plainchat]);
    assert_eq!(twice, Err(UnusableDialect::Twice("plainchat")));
    let dialects = Dialects::new(&[&Plainchat]).expect("a dialect");
    assert!(dialects.is_taken("say") && dialects.is_taken("heard") && !dialects.is_taken("order:update"));
    assert!(!Dialects::default().is_taken("say"), "only of a server that speaks it");
    assert_eq!(dialects.find("plainchat").map(parlance_dialects::AnyDialect::index), Ok(5));
}

#[test]
fn a_setting_that_names_no_dialect_is_told_all_of_them() {
    let flags = Flags { dialects: Dialects::new(&[&Plainchat]).expect("a dialect"), ..Flags::default() };
    let given = |name: &str| (name == "DEFAULT_DIALECT").then(|| "klingon".to_owned());
    let refused = Config::from_env(&flags, given).expect_err("no such dialect").to_string();
    assert!(refused.ends_with("is no dialect (talentbridge, ulearn, gateway, marketplace, nextchat, plainchat)"));
}
