//! What remains of a call that somebody missed: a system message in the conversation if nobody took it, and
//! a notification for each who missed it.

use std::sync::Arc;

use tracing::Span;

use super::directory::Directory;
use super::notifying::{Notice, Notifying};
use super::rosters::Rosters;
use super::write_queue::{Outgoing, WriteQueue};
use crate::error::Result;
use crate::model::{CallMedia, ConversationId, NewMessage, NotificationKind, User, UserId};
use crate::ports::{Clock, IdSource};

/// A call that was missed.
#[derive(Debug)]
pub(super) struct MissedCall {
    pub(super) conversation_id: ConversationId,
    pub(super) caller: UserId,
    pub(super) media: CallMedia,
    /// Who missed it.
    pub(super) users: Vec<UserId>,
    /// Somebody else took it: then the conversation is not told.
    pub(super) answered: bool,
}

/// Notes missed calls.
pub(super) struct MissedCalls {
    pub(super) queue: WriteQueue,
    pub(super) rosters: Rosters,
    pub(super) notifying: Notifying,
    pub(super) directory: Directory,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
}

impl MissedCalls {
    pub(super) async fn note(&self, call: MissedCall) {
        let conversation_id = call.conversation_id;
        if let Err(error) = self.try_note(call).await {
            tracing::warn!(%conversation_id, %error, "a missed call is not noted");
        }
    }

    async fn try_note(&self, call: MissedCall) -> Result<()> {
        let MissedCall { conversation_id, caller, media, users, answered } = call;
        let caller = self.directory.find(&caller).await.unwrap_or_else(|_| User::nameless(caller));
        let what = match media {
            CallMedia::Audio => "Missed audio call",
            CallMedia::Video => "Missed video call",
            CallMedia::Screen => "Missed screen share",
        };
        if !answered {
            let roster = self.rosters.load(conversation_id).await?;
            let message = NewMessage::system(
                self.ids.next_id().into(),
                conversation_id,
                caller.id.clone(),
                what.to_owned(),
                self.clock.now(),
            );
            // Its outcome is told to the room like any other message's; nobody waits for it here.
            drop(
                self.queue
                    .append(Outgoing { message, sender: caller.clone(), roster, origin: None, span: Span::none() })
                    .await?,
            );
        }
        let notice = Notice {
            kind: NotificationKind::new("missed_call")?,
            title: what.to_owned(),
            message: format!("{} called you", caller.name),
            link: None,
            data: Some(format!(r#"{{"conversationId":"{conversation_id}"}}"#)),
        };
        self.notifying.notify(users, &notice).await?;
        Ok(())
    }
}
