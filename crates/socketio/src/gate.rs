//! Where the Socket.IO library meets us: a socket is let in or refused before its CONNECT packet goes out, its
//! handlers are registered at the same place (later would lose the first events), and each event is queued from the
//! synchronous part of the handler (the library runs the rest as tasks, in no order). The handler traits are
//! implemented by hand for that reason: their closures are always spawned.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use socketioxide::adapter::LocalAdapter;
use socketioxide::handler::{ConnectHandler, DisconnectHandler, MessageHandler, Value};
use socketioxide::socket::DisconnectReason;

use crate::handshake::{Handshake, Refusal};
use crate::inbox::Job;
use crate::net::{ClientAddress, place};
use crate::node::Node;
use crate::session::Session;
use crate::sink::{Direct, LibrarySocket, sink};

type Admission<'a> = Pin<Box<dyn Future<Output = Result<(), Box<dyn Display + Send>>> + Send + 'a>>;

/// How long it takes at most until a connection that was cut is gone.
const CUT: Duration = Duration::from_secs(1);

/// Lets sockets in.
#[derive(Clone)]
pub(crate) struct Gate(pub(crate) Arc<Node>);

impl ConnectHandler<LocalAdapter, ()> for Gate {
    fn call_middleware<'a>(&'a self, socket: Arc<LibrarySocket>, auth: &'a Option<Value>) -> Admission<'a> {
        Box::pin(async move {
            match self.admit(&socket, auth.as_ref()).await {
                Ok(session) => {
                    socket.on_fallback(Intake { node: Arc::clone(&self.0), session: Arc::clone(&session) });
                    socket.on_disconnect(Farewell { node: Arc::clone(&self.0), session: Arc::clone(&session) });
                    self.0.enter(&session);
                    socket
                        .extensions
                        .insert(Entered(Arc::new(Pass { node: Arc::clone(&self.0), session: Arc::clone(&session) })));
                    // Who went meanwhile has said farewell already.
                    if session.is_closed() {
                        self.0.closed(&session);
                    }
                    Ok(())
                }
                Err(refusal) => {
                    tracing::debug!(%refusal, "handshake refused");
                    if refusal == Refusal::Unavailable {
                        self.turn_away(&socket).await;
                    }
                    Err(Box::new(refusal) as Box<dyn Display + Send>)
                }
            }
        })
    }

    /// Called when the CONNECT packet is on its way.
    fn call(&self, socket: Arc<LibrarySocket>, _auth: Option<Value>) {
        if let Some(entered) = socket.extensions.get::<Entered>() {
            self.0.connected(&entered.0.session);
        }
    }
}

impl Gate {
    async fn admit(&self, socket: &Arc<LibrarySocket>, auth: Option<&Value>) -> Result<Arc<Session>, Refusal> {
        let first = socket.req_parts();
        let address = ClientAddress::of(&first.extensions);
        if !self.0.failures.allow(address) {
            return Err(Refusal::TooManyRequests);
        }
        let admitted = self.admit_bearer(socket, auth).await;
        if admitted.as_ref().is_err_and(Refusal::is_a_failure) {
            self.0.failures.note(address);
        }
        if let (Ok(_), Some(place)) = (&admitted, place(&first.extensions)) {
            place.leave();
        }
        admitted
    }

    /// Ends the connection of somebody who would be let in at another time or by another node. A refusal in words makes
    /// clients stay away for good; whose connection ends comes back by itself, with growing pauses.
    async fn turn_away(&self, socket: &LibrarySocket) {
        self.0.lines.line(socket.id.to_string(), socket.req_parts()).cut();
        // The refusal that follows finds nobody.
        tokio::time::sleep(CUT).await;
    }

    async fn admit_bearer(&self, socket: &Arc<LibrarySocket>, auth: Option<&Value>) -> Result<Arc<Session>, Refusal> {
        let first = socket.req_parts();
        let auth = auth.and_then(Value::as_str).map(std::ops::Deref::deref);
        let config = &self.0.config;
        let handshake = Handshake::read(auth, first, &config.dialects, config.default_dialect)?;
        let claims = self.0.verify(&handshake.token).await?;
        let line = self.0.lines.line(socket.id.to_string(), first);
        let direct = Direct::on(line.direct());
        let session = self.0.admit(claims, handshake.dialect, line, sink(socket, direct.clone()))?;
        if let Some(direct) = direct {
            direct.expect_connect();
        }
        session.keep(self.0.services.following.hold(&session.user_id).await);
        Ok(session)
    }
}

/// Takes a socket out that is gone before its CONNECT packet was: of that the library tells nobody.
#[derive(Clone)]
struct Entered(Arc<Pass>);

struct Pass {
    node: Arc<Node>,
    session: Arc<Session>,
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.node.closed(&self.session);
    }
}

/// Queues a client's events.
struct Intake {
    node: Arc<Node>,
    session: Arc<Session>,
}

impl MessageHandler<LocalAdapter, ()> for Intake {
    fn call(&self, _: Arc<LibrarySocket>, event: Value, ack: Option<i64>) {
        self.node.take_in(&self.session, Job { event, ack });
    }
}

/// Hears that a socket is gone.
struct Farewell {
    node: Arc<Node>,
    session: Arc<Session>,
}

impl DisconnectHandler<LocalAdapter, ()> for Farewell {
    fn call_with_defer(&self, socket: Arc<LibrarySocket>, reason: DisconnectReason, defer: fn(Arc<LibrarySocket>)) {
        tracing::debug!(session = self.session.id.0, %reason, "socket closed");
        self.node.closed(&self.session);
        if reason == DisconnectReason::ClientNSDisconnect {
            self.expect_return(&socket);
        }
        defer(socket);
    }
}

impl Farewell {
    /// Who leaves the namespace keeps the connection, and may come back on it. Without a user it is a stranger's again:
    /// it has a stranger's time.
    fn expect_return(&self, socket: &LibrarySocket) {
        let Some(place) = place(&socket.req_parts().extensions).cloned() else { return };
        place.come_back();
        let (node, session) = (Arc::clone(&self.node), Arc::clone(&self.session));
        // The place is the connection's own, and ends with it.
        let place = Arc::downgrade(&place);
        tokio::spawn(async move {
            tokio::time::sleep(node.config.connect_timeout).await;
            if place.upgrade().is_some_and(|place| place.waits()) {
                session.cut();
            }
        });
    }
}
