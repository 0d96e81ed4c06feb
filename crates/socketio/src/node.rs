//! What all sockets of this node share, and the life of a socket: admitted, connected, sent to, closed. Each step
//! happens once, whatever order the library's callbacks come in. Carrying out events is `worker`'s job, deciding who
//! hears of something `delivery`'s.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parlance_dialects::{AnyDialect, Wire};
use parlance_domain::model::{SessionId, Timestamp};
use parlance_domain::ports::{Claims, Clock, TokenError, TokenVerifier};
use parlance_domain::services::Services;
use parlance_domain::{Error, Result};
use serde_json::value::RawValue;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::badge;
use crate::config::Config;
use crate::failures::FailedHandshakes;
use crate::handshake::{Refusal, bare};
use crate::hub::Hub;
use crate::inbox::{Admitted, Job};
use crate::meters::Meters;
use crate::net::{Line, Lines, SlowConsumers};
use crate::outbox::{HandedOver, Pushed, Sink};
use crate::packet::Packet;
use crate::revocation;
use crate::session::Session;
use crate::tasks::Tasks;
use crate::worker;

/// What a client is told to wait when its queue is full.
const QUEUE_RETRY_AFTER: Duration = Duration::from_secs(1);

/// How long a client has to go by itself once it is told that its session ended.
const FAREWELL: Duration = Duration::from_secs(2);

/// What all sockets share.
pub(crate) struct Node {
    pub(crate) config: Config,
    pub(crate) hub: Arc<Hub>,
    pub(crate) lines: Arc<Lines>,
    pub(crate) services: Services,
    pub(crate) verifier: Arc<dyn TokenVerifier>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tasks: Tasks,
    pub(crate) failures: FailedHandshakes,
    pub(crate) slow_consumers: SlowConsumers,
    pub(crate) meters: Meters,
    /// Whether commands are still taken.
    pub(crate) open: AtomicBool,
    pub(crate) sessions: AtomicU64,
}

impl Node {
    /// The claims of a token (with or without `Bearer `), and its bearer made known.
    pub(crate) async fn verify(&self, token: &str) -> Result<Claims> {
        let claims = self.verifier.verify(bare(token)).await.map_err(|error| match error {
            TokenError::Invalid(reason) => {
                tracing::debug!(reason, "token refused");
                Error::InvalidToken
            }
            TokenError::Unavailable(source) => {
                tracing::error!(%source, "tokens cannot be verified");
                Error::Unavailable(source.into())
            }
        })?;
        self.services.directory.admit(&claims).await?;
        Ok(claims)
    }

    /// Makes a session for an admitted user, if they have a place left.
    pub(crate) fn admit(
        self: &Arc<Self>,
        claims: Claims,
        dialect: AnyDialect,
        line: Line,
        sink: Box<dyn Sink>,
    ) -> Result<Arc<Session>, Refusal> {
        if !self.open.load(Ordering::Acquire) {
            return Err(Refusal::Unavailable);
        }
        let slot = self.hub.reserve(&claims.user_id).ok_or(Refusal::TooManyConnections)?;
        let id = SessionId(self.sessions.fetch_add(1, Ordering::Relaxed));
        let session = Arc::new(Session::new(id, claims.user_id, dialect, sink).holding(slot, line));
        session.shows_token_of(claims.issued_at);
        self.expire_at(&session, claims.expires_at);
        Ok(session)
    }

    /// The socket is let in. It hears of everything from here on, and so before its client can ask anybody for
    /// anything: what a client loads when it is connected, and what it hears then, have no gap between them.
    pub(crate) fn enter(&self, session: &Arc<Session>) {
        self.services.presence.connected(&session.user_id);
        self.hub.add(Arc::clone(session));
        self.meters.of(session.dialect).sockets.increment(1);
    }

    /// The CONNECT packet is out: the socket takes part.
    pub(crate) fn connected(self: &Arc<Self>, session: &Arc<Session>) {
        self.see_to(session, session.outbox.let_go());
        if session.inbox.open() {
            self.spawn_worker(session);
        }
        if session.dialect.shows_unread_notifications() {
            tokio::spawn(badge::show(Arc::clone(self), Arc::clone(session)));
        }
        // Its token may have been revoked since it was looked at, before there was a socket to end.
        tokio::spawn(revocation::check_again(Arc::clone(self), Arc::clone(session)));
    }

    fn spawn_worker(self: &Arc<Self>, session: &Arc<Session>) {
        tokio::spawn(worker::work(Arc::clone(self), Arc::clone(session), self.tasks.begin()));
    }

    /// The socket is gone, or as good as gone.
    pub(crate) fn closed(&self, session: &Session) {
        session.close();
        self.take_out(session);
    }

    fn take_out(&self, session: &Session) {
        let Some(joined) = self.hub.remove(session.id) else { return };
        self.meters.of(session.dialect).sockets.decrement(1);
        self.services.typing.stop_session(session.id);
        self.services.calling.socket_gone(&session.user_id, session.id);
        self.services.presence.disconnected(&session.user_id);
        tracing::trace!(session = session.id.0, rooms = joined.len(), "session taken out");
    }

    /// Queues what a client asked; what cannot be queued is answered at once.
    pub(crate) fn take_in(self: &Arc<Self>, session: &Arc<Session>, job: Job) {
        self.meters.of(session.dialect).events_in.increment(1);
        if !self.open.load(Ordering::Acquire) {
            let closing = Arc::new(std::io::Error::other("the server is shutting down"));
            return worker::refuse(self, session, &job, Error::Unavailable(closing));
        }
        if !self.in_pace(session, &job) {
            return;
        }
        match session.inbox.admit(job) {
            Admitted::Queued => {}
            Admitted::QueuedAndIdle => self.spawn_worker(session),
            Admitted::Full(job) => {
                worker::refuse(self, session, &job, Error::RateLimited { retry_after: QUEUE_RETRY_AFTER });
            }
        }
    }

    /// Sends to one socket; one that cannot keep up is cut.
    pub(crate) fn send(self: &Arc<Self>, session: &Arc<Session>, packet: Packet) {
        self.see_to(session, session.outbox.push(packet));
    }

    fn see_to(self: &Arc<Self>, session: &Arc<Session>, pushed: Pushed) {
        match pushed {
            Pushed::Taken | Pushed::Gone => {}
            Pushed::Overflow => self.cut_slow(session),
            Pushed::TakenAndStalled => {
                let (node, session) = (Arc::clone(self), Arc::clone(session));
                tokio::spawn(async move {
                    let limit = node.config.stall_limit();
                    if session.outbox.hand_over(limit).await == HandedOver::Stalled {
                        node.cut_slow(&session);
                    }
                });
            }
        }
    }

    fn cut_slow(&self, session: &Session) {
        if session.close() {
            tracing::info!(session = session.id.0, user = %session.user_id, "slow consumer cut");
            self.take_out(session);
            // Its connection may have been cut, and counted, because a write waited.
            if session.cut() {
                self.slow_consumers.add();
            }
        }
    }

    /// Ends a session when its token does; a later call replaces an earlier one.
    pub(crate) fn expire_at(self: &Arc<Self>, session: &Arc<Session>, expires_at: Option<Timestamp>) {
        let task = expires_at.map(|at| self.spawn_expiry(session, at));
        session.expire_by(task);
    }

    fn spawn_expiry(self: &Arc<Self>, session: &Arc<Session>, at: Timestamp) -> AbortHandle {
        let (node, session) = (Arc::downgrade(self), Arc::downgrade(session));
        let task = tokio::spawn(async move {
            loop {
                let left = match node.upgrade() {
                    Some(node) => at.millis().saturating_sub(node.clock.now().millis()),
                    None => return,
                };
                let Ok(left @ 1..) = u64::try_from(left) else { break };
                // The wall clock may jump: look again at least once an hour.
                tokio::time::sleep(Duration::from_millis(left).min(Duration::from_hours(1))).await;
            }
            if let (Some(node), Some(session)) = (node.upgrade(), session.upgrade()) {
                // Apart, since closing the session ends this task.
                tokio::spawn(async move { node.expire(&session).await });
            }
        });
        task.abort_handle()
    }

    async fn expire(self: &Arc<Self>, session: &Arc<Session>) {
        let Ok(nothing) = RawValue::from_string("{}".to_owned()) else { return };
        self.send(session, Wire { event: "session:expired".into(), args: vec![nothing] }.into());
        self.dismiss(session).await;
    }

    /// Tells a socket to go, and ends its connection if it does not.
    pub(crate) async fn dismiss(&self, session: &Session) {
        let end = Instant::now() + FAREWELL;
        let hears = session.outbox.keeps_up();
        self.closed(session);
        if hears && timeout_at(end, session.outbox.drained()).await.is_ok() {
            session.outbox.disconnect();
        }
        sleep_until(end).await;
        session.cut();
    }
}
