//! A whole transport on the reference storage, and a client that speaks Socket.IO over a bare WebSocket: nothing
//! between the tests and the wire.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a helper of a test fails like the test itself")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use parlance_dialects::Dialect;
use parlance_domain::model::{ClaimedProfile, ConversationId, ObjectId, Timestamp, UserId};
use parlance_domain::ports::{Claims, Clock, IdSource, TokenError, TokenVerifier};
use parlance_domain::rules::Rates;
use parlance_domain::services::{AcceptAll, LocalBus, Parts, Services, Settings};
use parlance_socketio::{Config, Peer, Sockets, Transport};
use parlance_storage_memory::MemoryStorage;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Long enough for anything on a busy machine; no test waits for it to pass.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Real time, counted from a fixed moment.
pub struct TestClock(tokio::time::Instant);

pub const EPOCH: i64 = 1_800_000_000_000;

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(EPOCH + i64::try_from(self.0.elapsed().as_millis()).unwrap())
    }
}

#[derive(Default)]
struct CountingIds(AtomicU64);

impl IdSource for CountingIds {
    fn next_id(&self) -> ObjectId {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        let mut bytes = [0; 12];
        bytes[4..].copy_from_slice(&count.to_be_bytes());
        ObjectId::from_bytes(bytes)
    }
}

/// Tokens are `user` or `user@milliseconds-from-now`; `bad` is not valid, and of `away` nobody can say.
struct PlainTokens(Arc<TestClock>);

#[async_trait::async_trait]
impl TokenVerifier for PlainTokens {
    async fn verify(&self, token: &str) -> Result<Claims, TokenError> {
        let (user, lifetime) = token.split_once('@').unwrap_or((token, ""));
        if user == "bad" {
            return Err(TokenError::Invalid("bad".to_owned()));
        }
        if user == "away" {
            return Err(TokenError::Unavailable(std::io::Error::other("nobody is there to be asked").into()));
        }
        let expires_at = lifetime.parse().ok().map(|millis| self.0.now().plus(Duration::from_millis(millis)));
        Ok(Claims {
            user_id: user.parse().unwrap(),
            profile: ClaimedProfile::default(),
            email: None,
            issued_at: None,
            expires_at,
        })
    }
}

/// Settings under which a client that does not read is noticed soon, and one that is merely late is not.
pub fn impatient() -> Config {
    Config { slow_consumer_timeout: Duration::from_secs(2), send_buffer_bytes: Some(32 << 10), ..Config::default() }
}

/// A transport that listens.
pub struct Server {
    pub addr: SocketAddr,
    /// A second port, which speaks `ulearn`.
    pub ulearn_addr: SocketAddr,
    pub transport: Transport,
    pub services: Services,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(Config::default(), Settings { presence_grace: Duration::ZERO, ..Settings::default() }).await
    }

    /// Without limits of rates: most tests are about something else.
    pub async fn with(config: Config, settings: Settings) -> Self {
        Self::on(config, Settings { rates: None, ..settings }).await
    }

    /// With these limits.
    pub async fn limited(config: Config, rates: Rates) -> Self {
        Self::on(config, Settings { rates: Some(rates), ..Settings::default() }).await
    }

    async fn on(config: Config, settings: Settings) -> Self {
        let clock = Arc::new(TestClock(tokio::time::Instant::now()));
        let (bus, events) = LocalBus::new(1024);
        let sockets = Sockets::new(&config);
        let (services, workers) = Services::new(Parts {
            storage: Arc::new(MemoryStorage::new()),
            outbox: None,
            webhooks: None,
            bus,
            link: None,
            clock: clock.clone(),
            ids: Arc::new(CountingIds::default()),
            policy: Arc::new(AcceptAll),
            rooms: Arc::new(sockets.clone()),
            reach: None,
            settings,
        });
        tokio::spawn(workers.writer.run());
        tokio::spawn(workers.presence.run());
        tokio::spawn(workers.typing.run());
        tokio::spawn(workers.notifier.run());
        tokio::spawn(workers.calling.run());
        let transport = Transport::new(config, &sockets, services.clone(), Arc::new(PlainTokens(clock.clone())), clock);
        tokio::spawn({
            let transport = transport.clone();
            async move { transport.deliver(events).await }
        });
        let addr = serve(&transport, None).await;
        let ulearn_addr = serve(&transport, Some(Dialect::Ulearn)).await;
        Self { addr, ulearn_addr, transport, services }
    }

    /// Makes a group of these people, the first of whom owns it.
    pub async fn group(&self, users: &[&str]) -> ConversationId {
        let mut known = Vec::new();
        for user in users {
            known.push(self.user(user).await);
        }
        let others = known[1..].iter().map(|user| user.id.clone()).collect();
        self.services.conversing.create_group(&known[0], "Group", others).await.unwrap().conversation.id
    }

    pub async fn user(&self, id: &str) -> parlance_domain::model::User {
        let user_id: UserId = id.parse().unwrap();
        let claims =
            Claims { user_id, profile: ClaimedProfile::default(), email: None, issued_at: None, expires_at: None };
        self.services.directory.admit(&claims).await.unwrap()
    }

    /// A connected client that speaks `dialect`.
    pub async fn client(&self, token: &str, dialect: &str) -> Client {
        Client::connect(self.addr, &json!({ "token": token, "dialect": dialect })).await.unwrap()
    }
}

async fn serve(transport: &Transport, dialect: Option<Dialect>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let routes = transport.routes().into_make_service_with_connect_info::<Peer>();
    let listener = transport.listener(listener, dialect.map(Into::into));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    addr
}

/// A WebSocket to the server whose kernel keeps little of what is not read, so that a test of a client that does not
/// read need not fill megabytes.
pub async fn deaf_websocket(addr: SocketAddr, query: &str) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    let stream = MaybeTlsStream::Plain(socket.connect(addr).await.unwrap());
    let url = format!("ws://{addr}/socket.io/?EIO=4&transport=websocket{query}");
    tokio_tungstenite::client_async(url, stream).await.unwrap().0
}

/// How a connection ended, as a client sees it.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// The server told the socket to go: clients stay away.
    Disconnected,
    /// The transport closed: clients come back.
    TransportClosed,
}

/// A Socket.IO client.
pub struct Client {
    ws: WebSocketStream<MaybeTlsStream<TcpStream>>,
    ids: AtomicI64,
    events: VecDeque<(String, Vec<Value>)>,
    acks: VecDeque<(i64, Value)>,
    ended: Option<Ended>,
}

impl Client {
    /// Connects; the error is the connect error's message.
    pub async fn connect(addr: SocketAddr, auth: &Value) -> Result<Self, String> {
        Self::connect_with(addr, "", &auth.to_string()).await
    }

    /// Connects with a longer query and any text as `auth`.
    pub async fn connect_with(addr: SocketAddr, query: &str, auth: &str) -> Result<Self, String> {
        let url = format!("ws://{addr}/socket.io/?EIO=4&transport=websocket{query}");
        let (ws, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        Self::handshake(ws, auth).await
    }

    /// Connects on a WebSocket that is there.
    pub async fn handshake(ws: WebSocketStream<MaybeTlsStream<TcpStream>>, auth: &str) -> Result<Self, String> {
        let mut client =
            Self { ws, ids: AtomicI64::new(0), events: VecDeque::new(), acks: VecDeque::new(), ended: None };
        assert!(client.text().await.unwrap().starts_with('0'));
        client.say(&format!("40{auth}")).await;
        loop {
            let text = client.text().await.ok_or("closed")?;
            if text.starts_with("40") {
                return Ok(client);
            }
            if let Some(error) = text.strip_prefix("44") {
                let error: Value = serde_json::from_str(error).unwrap();
                return Err(error["message"].as_str().unwrap().to_owned());
            }
            client.take(&text);
        }
    }

    /// Sends a raw Engine.IO text packet.
    pub async fn say(&mut self, packet: &str) {
        self.ws.send(Message::text(packet)).await.unwrap();
    }

    /// Sends a raw binary packet.
    pub async fn say_binary(&mut self, packet: Vec<u8>) {
        self.ws.send(Message::binary(packet)).await.unwrap();
    }

    /// Emits an event without an ack.
    pub async fn emit(&mut self, event: &str, arg: &Value) {
        self.say(&format!("42{}", json!([event, arg]))).await;
    }

    /// Emits an event with an ack, without waiting for it; says the ack's id.
    pub async fn ask(&mut self, event: &str, arg: &Value) -> i64 {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        self.say(&format!("42{id}{}", json!([event, arg]))).await;
        id
    }

    /// Waits for the ack with this id.
    pub async fn ack(&mut self, id: i64) -> Value {
        loop {
            if let Some(at) = self.acks.iter().position(|(acked, _)| *acked == id) {
                return self.acks.remove(at).unwrap().1;
            }
            let text = self.text().await.expect("an ack, not the end");
            self.take(&text);
        }
    }

    /// Emits an event and waits for its ack.
    pub async fn call(&mut self, event: &str, arg: &Value) -> Value {
        let id = self.ask(event, arg).await;
        self.ack(id).await
    }

    /// The next event, whatever it is.
    pub async fn event(&mut self) -> (String, Vec<Value>) {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let text = self.text().await.expect("an event, not the end");
            self.take(&text);
        }
    }

    /// The argument of the next event of this name; others before it are dropped.
    pub async fn event_named(&mut self, name: &str) -> Value {
        loop {
            let (event, mut args) = self.event().await;
            if event == name {
                return if args.is_empty() { Value::Null } else { args.remove(0) };
            }
        }
    }

    /// Waits until the connection ends, and says how. Everything before it is kept.
    pub async fn end(&mut self) -> Ended {
        while let Some(text) = self.text().await {
            self.take(&text);
        }
        self.ended.take().unwrap_or(Ended::TransportClosed)
    }

    /// Events that have been read and not been asked for.
    pub fn seen(&self) -> Vec<String> {
        self.events.iter().map(|(name, _)| name.clone()).collect()
    }

    /// Acks that have been read and not been asked for.
    pub fn acked(&self) -> Vec<i64> {
        self.acks.iter().map(|(id, _)| *id).collect()
    }

    fn take(&mut self, text: &str) {
        if let Some(event) = text.strip_prefix("42") {
            let mut args: Vec<Value> = serde_json::from_str(event).unwrap();
            let name = args.remove(0).as_str().unwrap().to_owned();
            self.events.push_back((name, args));
        } else if let Some(ack) = text.strip_prefix("43") {
            let at = ack.find('[').unwrap();
            let mut args: Vec<Value> = serde_json::from_str(&ack[at..]).unwrap();
            self.acks.push_back((ack[..at].parse().unwrap(), args.remove(0)));
        } else if text.starts_with("41") {
            self.ended = Some(Ended::Disconnected);
        } else {
            // The CONNECT of a socket that comes back on the same connection.
            assert!(text == "1" || text.starts_with("40"), "unexpected packet {text}");
        }
    }

    /// The next packet that is no ping; `None` at the end.
    async fn text(&mut self) -> Option<String> {
        loop {
            if self.ended.is_some() {
                return None;
            }
            match timeout(PATIENCE, self.ws.next()).await.expect("the server is silent") {
                Some(Ok(Message::Text(text))) if text == "2" => _ = self.ws.send(Message::text("3")).await,
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }
}
