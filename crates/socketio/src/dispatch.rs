//! One command, one use case: the exhaustive match from what a client asks to the domain's services. Plain sends are
//! not carried out here but submitted by `worker`, so that they can overlap.

use std::sync::Arc;

use parlance_dialects::{Command, Reply};
use parlance_domain::error::Attempt;
use parlance_domain::model::{ConversationId, User, UserId};
use parlance_domain::rules::messages::Draft;
use parlance_domain::services::PendingSend;
use parlance_domain::{Error, Result};

use crate::hub::Joined;
use crate::node::Node;
use crate::revocation;
use crate::session::Session;

/// What a command leads to.
pub(crate) enum Step {
    /// It is carried out; this is the reply.
    Done(Reply),
    /// It is a send that is queued for storing.
    Sending(PendingSend),
}

impl From<Reply> for Step {
    fn from(reply: Reply) -> Self {
        Self::Done(reply)
    }
}

/// Whether a command is a send: those may overlap, everything else waits for what came before.
pub(crate) fn overlaps(command: &Command) -> bool {
    matches!(command, Command::Send(_) | Command::SendAs(..))
}

/// Carries a command out, or queues it where it is a send.
pub(crate) async fn dispatch(node: &Arc<Node>, session: &Arc<Session>, command: Command) -> Result<Step> {
    let services = &node.services;
    let me = &session.user_id;
    let reply = match command {
        Command::Send(draft) => return send(node, session, draft).await,
        Command::SendAs(sender, draft) => {
            own(me, &sender, "senderId must be your own")?;
            return send(node, session, draft).await;
        }
        Command::Join(id) => join(node, session, id).await?,
        Command::Leave(id) => {
            node.hub.leave(session.id, id);
            services.typing.leave(me, id);
            Reply::Room(id)
        }
        Command::OnlineUsers(id) => Reply::OnlineUsers(services.conversing.online(me, id).await?),
        Command::TypingStart(id, typist) => {
            if let Some(typist) = typist {
                own(me, &typist, "userId must be your own")?;
            }
            // The contract: above the rate it is dropped, and acked as if it were not.
            if services.limiting.typing(me).is_err() {
                return Ok(Reply::Done.into());
            }
            services.typing.start(&myself(node, me).await?, id, session.id).await?;
            Reply::Done
        }
        Command::TypingStop(id) => {
            services.typing.stop(&myself(node, me).await?, id).await?;
            Reply::Done
        }
        Command::MarkRead(id, target) => Reply::Read { unread: services.reading.mark(me, id, target).await? },
        Command::Edit(id, text) => {
            Reply::Message(Box::new(services.messaging.edit(&myself(node, me).await?, id, &text).await?))
        }
        Command::Delete(id) => Reply::Message(Box::new(services.messaging.delete(&myself(node, me).await?, id).await?)),
        Command::React(id, emoji) => {
            Reply::Message(Box::new(services.messaging.react(&myself(node, me).await?, id, emoji).await?))
        }
        Command::Unreact(id, emoji) => {
            Reply::Message(Box::new(services.messaging.unreact(&myself(node, me).await?, id, emoji).await?))
        }
        Command::UserStatus(user) => Reply::Statuses(services.presence.statuses(me, &[user]).await?),
        Command::UsersStatus(users) => Reply::Statuses(services.presence.statuses(me, &users).await?),
        Command::Sync(asked) => {
            let synced = services.syncing.sync(me, asked).await?;
            let conversations = synced.conversations.into_iter();
            Reply::Synced {
                conversations: conversations.map(|(id, now)| (id, now.rev, now.has_more, now.messages)).collect(),
                unknown: synced.unknown,
            }
        }
        Command::NotificationRead(id) => services.notifying.mark_read(me, id).await.map(done)?,
        Command::NotificationsReadAll => services.notifying.mark_all_read(me).await.map(done)?,
        Command::CallInvite(invitation) => services.calling.invite(me, session.id, invitation).await.map(done)?,
        Command::CallAccept(call) => services.calling.accept(me, session.id, &call).await.map(done)?,
        Command::CallReject(call, reason) => services.calling.reject(me, &call, reason).await.map(done)?,
        Command::CallHangUp(call, reason) => services.calling.hang_up(me, &call, reason).await.map(done)?,
        Command::CallSignal { call_id, to, data } => {
            services.calling.signal(me, session.id, &call_id, &to, data).await.map(done)?
        }
        Command::AuthRefresh(token) => refresh(node, session, &token).await?,
    };
    Ok(reply.into())
}

/// For what has nothing to tell.
fn done<T>(_: T) -> Reply {
    Reply::Done
}

async fn send(node: &Arc<Node>, session: &Arc<Session>, draft: Draft) -> Result<Step> {
    node.may_send(session)?;
    let sender = myself(node, &session.user_id).await?;
    node.services.messaging.submit(&sender, draft, Some(session.id)).await.map(Step::Sending)
}

async fn join(node: &Node, session: &Session, id: ConversationId) -> Result<Reply> {
    loop {
        let ticket = node.hub.ticket();
        node.services.conversing.authorize(&session.user_id, id, Attempt::Join).await?;
        match node.hub.join(session.id, id, ticket) {
            Joined::Yes | Joined::Gone => return Ok(Reply::Room(id)),
            Joined::TooMany => return Err(Error::Conflict("This socket has joined too many conversations")),
            Joined::Stale => {}
        }
    }
}

async fn refresh(node: &Arc<Node>, session: &Arc<Session>, token: &str) -> Result<Reply> {
    let claims = node.verify(token).await?;
    if claims.user_id != session.user_id {
        return Err(Error::InvalidToken);
    }
    session.shows_token_of(claims.issued_at);
    node.expire_at(session, claims.expires_at);
    tokio::spawn(revocation::check_again(Arc::clone(node), Arc::clone(session)));
    Ok(Reply::Done)
}

/// The caller, as they present themselves now.
async fn myself(node: &Node, me: &UserId) -> Result<User> {
    node.services.directory.find(me).await
}

fn own(me: &UserId, claimed: &UserId, refusal: &'static str) -> Result<()> {
    if me == claimed { Ok(()) } else { Err(Error::Forbidden(refusal)) }
}
