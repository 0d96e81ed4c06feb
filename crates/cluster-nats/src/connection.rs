//! One connection to one server, from the greeting to the first error. The server carries out in order what it is told, so
//! the answer to a `PING` says that everything before it is done: subscriptions are made, and words are on their way.
//! Words of all subscriptions come in the order in which the server sends them.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use parlance_cluster_link::BrokerError;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::servers::Server;
use crate::tls;
use crate::wire::{Commands, Greeting, Info, Said, take};

/// The most words that wait while it is subscribed.
const WAITING: usize = 16_384;

/// Bytes to a server and back, with TLS or without.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// A connection.
pub(crate) struct Connection {
    socket: Box<dyn Socket>,
    arrived: BytesMut,
    commands: Commands,
    /// Something was written that may not be on its way.
    unflushed: bool,
    max_payload: usize,
    /// Words that came while something else was waited for.
    waiting: VecDeque<Bytes>,
}

impl Connection {
    /// Connects, and proves who this is.
    pub(crate) async fn open(server: &Server) -> Result<Self, BrokerError> {
        let tcp = TcpStream::connect((server.host.as_str(), server.port)).await.map_err(BrokerError::new)?;
        tcp.set_nodelay(true).map_err(BrokerError::new)?;
        let mut connection = Self::over(Box::new(tcp));
        let Said::Info(Info { max_payload, tls_required }) = connection.read().await? else {
            return Err(BrokerError::new("the server does not greet"));
        };
        let encrypted = server.encrypted || tls_required;
        if encrypted {
            connection = Self::over(Box::new(tls::over(connection.socket, &server.host).await?));
        }
        connection.max_payload = max_payload;
        connection.commands.connect(&greeting(server, encrypted))?;
        connection.settle().await?;
        Ok(connection)
    }

    fn over(socket: Box<dyn Socket>) -> Self {
        let (arrived, commands) = (BytesMut::new(), Commands::default());
        Self { socket, arrived, commands, unflushed: false, max_payload: 0, waiting: VecDeque::new() }
    }

    /// The most bytes of a word.
    pub(crate) fn max_payload(&self) -> usize {
        self.max_payload
    }

    /// What the server is to be told, with the next [`settle`](Self::settle).
    pub(crate) fn commands(&mut self) -> &mut Commands {
        &mut self.commands
    }

    /// Waits until the server has carried out everything that it was told.
    pub(crate) async fn settle(&mut self) -> Result<(), BrokerError> {
        self.commands.ping();
        loop {
            match self.read().await? {
                Said::Pong => return Ok(()),
                Said::Message(word) if self.waiting.len() < WAITING => self.waiting.push_back(word),
                Said::Message(_) => return Err(BrokerError::new("more is said than is taken")),
                _ => {}
            }
        }
    }

    /// The next word. It may be dropped before it returns.
    pub(crate) async fn next(&mut self) -> Result<Bytes, BrokerError> {
        if let Some(word) = self.waiting.pop_front() {
            return Ok(word);
        }
        loop {
            if let Said::Message(word) = self.read().await? {
                return Ok(word);
            }
        }
    }

    /// What the server says next, once it was told everything; whether this is still there is answered here.
    async fn read(&mut self) -> Result<Said, BrokerError> {
        loop {
            self.write().await?;
            match take(&mut self.arrived)? {
                Some(Said::Error(problem)) => return Err(BrokerError::new(problem)),
                Some(Said::Ping) => self.commands.pong(),
                Some(said) => return Ok(said),
                None => {
                    let read = self.socket.read_buf(&mut self.arrived).await.map_err(BrokerError::new)?;
                    if read == 0 {
                        return Err(BrokerError::new("the connection is gone"));
                    }
                }
            }
        }
    }

    async fn write(&mut self) -> Result<(), BrokerError> {
        while !self.commands.0.is_empty() {
            self.unflushed = true;
            self.socket.write_buf(&mut self.commands.0).await.map_err(BrokerError::new)?;
        }
        if self.unflushed {
            self.socket.flush().await.map_err(BrokerError::new)?;
            self.unflushed = false;
        }
        Ok(())
    }
}

fn greeting(server: &Server, encrypted: bool) -> Greeting<'static> {
    let (user, password) = (server.user.clone(), server.password.clone());
    // What has no name is a token.
    let (auth_token, pass) = if user.is_some() { (None, password) } else { (password, None) };
    let (lang, version) = ("rust", env!("CARGO_PKG_VERSION"));
    Greeting { name: "parlance", lang, version, tls_required: encrypted, user, pass, auth_token, ..Greeting::default() }
}
