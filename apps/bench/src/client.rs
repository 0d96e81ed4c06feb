//! One client of a run: a task that owns its socket, sends as the run's phase says, and notes what comes. In a closed
//! loop an ack sends the next message; in an open loop tickets say when to do what, and latency counts from the ticket.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::Poll;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_tungstenite::tungstenite::http::Method;

use crate::failure::Failure;
use crate::letter;
use crate::packet::Packet;
use crate::people::Person;
use crate::run::{Phase, Run};
use crate::sequence::{Noted, Sequence};
use crate::socket::Socket;
use crate::tally::record;

/// The most calls of one client that wait for an answer; tickets beyond wait their turn, and their time counts.
const MAX_UNDER_WAY: usize = 128;

/// What to do when a ticket comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Send a message.
    Send,
    /// Say that we type.
    Type,
    /// Mark everything as read.
    Read,
    /// Fetch the newest page over REST.
    Page,
}

/// When to do what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    /// In nanoseconds since the run began.
    pub(crate) at: u64,
    pub(crate) deed: Deed,
}

/// How a client sends.
#[derive(Debug)]
pub(crate) enum Loop {
    /// This many messages under way; none: it only listens.
    Closed(usize),
    /// As tickets come.
    Open(mpsc::Receiver<Ticket>),
}

/// What a client is to do.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) person: Person,
    /// The conversations it joins, as numbers of the run.
    pub(crate) joins: Vec<usize>,
    /// Where it sends, in turn.
    pub(crate) sends_to: Vec<usize>,
    pub(crate) sending: Loop,
}

/// What a client got, by conversation.
pub(crate) type Ledger = HashMap<usize, Sequence>;

/// A client whose socket is connected and in its rooms.
#[derive(Debug)]
pub(crate) struct Client {
    number: usize,
    run: Arc<Run>,
    socket: Socket,
    part: Part,
    under_way: VecDeque<Call>,
    posted: (mpsc::Sender<Posted>, mpsc::Receiver<Posted>),
    turn: usize,
    ledger: Ledger,
}

#[derive(Debug)]
struct Call {
    id: u64,
    at: u64,
    /// The conversation, for a send.
    send: Option<usize>,
}

/// The answer to a message that was sent over REST.
#[derive(Debug)]
struct Posted {
    conversation: usize,
    at: u64,
    answer: Result<String, Failure>,
}

impl Client {
    /// Connects and joins.
    ///
    /// # Errors
    /// When the server refuses either.
    pub(crate) async fn connect(number: usize, run: Arc<Run>, part: Part) -> Result<Self, Failure> {
        let mut socket = Socket::connect(&run.target, run.dialect, &part.person.token).await?;
        for conversation in &part.joins {
            let id = Value::from(run.conversations[*conversation].id.as_str());
            let answer = socket.ask(run.words.join, &id).await?;
            if !letter::succeeded(&answer) {
                return Err(Failure::new("the server refuses a join", answer));
            }
        }
        let ledger = part.joins.iter().map(|conversation| (*conversation, Sequence::default())).collect();
        let posted = mpsc::channel(MAX_UNDER_WAY);
        Ok(Self { number, run, socket, part, under_way: VecDeque::new(), posted, turn: 0, ledger })
    }

    /// Plays its part until the run is done. What it got.
    pub(crate) async fn play(mut self) -> Ledger {
        if self.converse().await.is_err() && self.run.phase() != Phase::Done {
            self.run.tally(self.number).lock().closed += 1;
        }
        // Nobody will answer these any more.
        for call in &self.under_way {
            self.run.tally(self.number).lock().failed += 1;
            if call.send.is_some() {
                self.run.unsent();
            }
        }
        self.ledger
    }

    async fn converse(&mut self) -> Result<(), Failure> {
        let mut phases = self.run.watch();
        // The phase may have begun before this task did.
        phases.mark_changed();
        loop {
            let room = self.under_way.len() < MAX_UNDER_WAY;
            tokio::select! {
                packet = self.socket.read() => self.take(packet).await?,
                Some(ticket) = next_ticket(&mut self.part.sending), if room => self.carry_out(ticket).await?,
                Some(posted) = self.posted.1.recv() => self.settle_posted(posted).await?,
                changed = phases.changed() => {
                    let phase = *phases.borrow_and_update();
                    if changed.is_err() || phase == Phase::Done {
                        return Ok(());
                    }
                    if let (Phase::Sending, Loop::Closed(in_flight)) = (phase, &self.part.sending) {
                        for _ in 0..*in_flight {
                            self.send(self.run.now()).await?;
                        }
                    }
                }
            }
            self.socket.flush().await?;
        }
    }

    /// Takes a packet and all others that are here already, so that one write answers them together.
    async fn take(&mut self, first: Option<Utf8Bytes>) -> Result<(), Failure> {
        let mut next = first;
        loop {
            let Some(text) = next else { return Err(Failure::plain("the server closed the connection")) };
            match Packet::read(&text) {
                Packet::Event(name, rest) if name == self.run.words.message_new => self.receive(rest),
                Packet::Ack(id, answer) => self.answered(id, answer).await?,
                Packet::Closed => return Err(Failure::plain("the server ended the session")),
                _ => {}
            }
            match self.socket.read_now() {
                Poll::Ready(more) => next = more,
                Poll::Pending => return Ok(()),
            }
        }
    }

    fn receive(&mut self, message: &str) {
        let Some(received) = letter::read(message) else { return };
        let now = self.run.now();
        let noted = self.ledger.entry(received.conversation).or_default().note(received.seq);
        let mut tally = self.run.tally(self.number).lock();
        match noted {
            Noted::InOrder => {}
            Noted::OutOfOrder => tally.out_of_order += 1,
            Noted::Duplicate => {
                tally.duplicated += 1;
                return;
            }
        }
        self.run.received();
        if self.run.counts(now) {
            tally.delivered += 1;
        }
        if self.run.counts(received.sent_at) {
            record(&mut tally.delivery, now.saturating_sub(received.sent_at));
        }
    }

    async fn answered(&mut self, id: u64, answer: &str) -> Result<(), Failure> {
        let Some(index) = self.under_way.iter().position(|call| call.id == id) else { return Ok(()) };
        let Some(call) = self.under_way.remove(index) else { return Ok(()) };
        if let Some(conversation) = call.send {
            return self.settle(conversation, call.at, answer).await;
        }
        self.note_other(call.at, letter::succeeded(answer));
        Ok(())
    }

    fn note_other(&self, at: u64, succeeded: bool) {
        let took = self.run.now().saturating_sub(at);
        let mut tally = self.run.tally(self.number).lock();
        if !succeeded {
            tally.failed += 1;
        } else if self.run.counts(at) {
            record(&mut tally.other, took);
        }
    }

    async fn settle_posted(&mut self, posted: Posted) -> Result<(), Failure> {
        let Posted { conversation, at, answer } = posted;
        self.settle(conversation, at, answer.as_deref().unwrap_or_default()).await
    }

    /// A send has its answer; in a closed loop the next one follows.
    async fn settle(&mut self, conversation: usize, at: u64, answer: &str) -> Result<(), Failure> {
        let now = self.run.now();
        let seq = letter::seq(answer).filter(|_| letter::succeeded(answer));
        {
            let mut tally = self.run.tally(self.number).lock();
            if let Some(seq) = seq {
                self.run.acked(conversation, seq);
                if self.run.counts(now) {
                    tally.acked += 1;
                }
                if self.run.counts(at) {
                    record(&mut tally.ack, now.saturating_sub(at));
                }
            } else {
                self.run.unsent();
                tally.failed += 1;
            }
        }
        if matches!(self.part.sending, Loop::Closed(1..)) && self.run.phase() == Phase::Sending {
            self.send(now).await?;
        }
        Ok(())
    }

    async fn carry_out(&mut self, ticket: Ticket) -> Result<(), Failure> {
        let Ticket { at, deed } = ticket;
        match deed {
            Deed::Send => self.send(at).await,
            Deed::Type => match self.run.words.typing {
                Some(typing) => self.call(typing, at).await,
                None => Ok(()),
            },
            Deed::Read => self.call("messages:mark_read", at).await,
            Deed::Page => {
                self.fetch(at);
                Ok(())
            }
        }
    }

    /// The next of the conversations it sends to.
    fn next_conversation(&mut self) -> usize {
        let conversation = self.part.sends_to[self.turn % self.part.sends_to.len()];
        self.turn += 1;
        conversation
    }

    async fn send(&mut self, at: u64) -> Result<(), Failure> {
        let conversation = self.next_conversation();
        let number = self.run.sent();
        let text = letter::text(conversation, at, number);
        let id = &self.run.conversations[conversation].id;
        let draft = self.run.words.draft(id, &self.part.person.id, &text, &self.run.mark(number));
        match self.run.words.send {
            Some(event) => {
                let id = self.socket.emit(event, &draft).await?;
                self.under_way.push_back(Call { id, at, send: Some(conversation) });
            }
            None => self.post(conversation, at, draft),
        }
        Ok(())
    }

    /// Sends over REST, in a task of its own: the socket is read meanwhile.
    fn post(&self, conversation: usize, at: u64, draft: Value) {
        let (run, person, answers) = (Arc::clone(&self.run), self.part.person.clone(), self.posted.0.clone());
        tokio::spawn(async move {
            let answer = run.rest.call(&person, Method::POST, "/api/v1/chat/messages", Some(&draft)).await;
            let answer = answer.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            // Nobody listens any more when the client has ended.
            let _ = answers.send(Posted { conversation, at, answer }).await;
        });
    }

    async fn call(&mut self, event: &str, at: u64) -> Result<(), Failure> {
        let conversation = self.next_conversation();
        let payload = json!({ "conversationId": self.run.conversations[conversation].id });
        let id = self.socket.emit(event, &payload).await?;
        self.under_way.push_back(Call { id, at, send: None });
        Ok(())
    }

    fn fetch(&mut self, at: u64) {
        let conversation = self.next_conversation();
        let path = format!("/api/v1/chat/messages/all/{}", self.run.conversations[conversation].id);
        let (run, person, number) = (Arc::clone(&self.run), self.part.person.clone(), self.number);
        tokio::spawn(async move {
            let succeeded = run.rest.call(&person, Method::GET, &path, None).await.is_ok();
            let took = run.now().saturating_sub(at);
            let mut tally = run.tally(number).lock();
            if !succeeded {
                tally.failed += 1;
            } else if run.counts(at) {
                record(&mut tally.other, took);
            }
        });
    }
}

/// The next ticket; never, in a closed loop.
async fn next_ticket(sending: &mut Loop) -> Option<Ticket> {
    match sending {
        Loop::Open(tickets) => match tickets.recv().await {
            Some(ticket) => Some(ticket),
            None => std::future::pending().await,
        },
        Loop::Closed(_) => std::future::pending().await,
    }
}
