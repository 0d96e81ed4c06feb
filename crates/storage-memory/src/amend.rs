//! Edits, deletions and reactions: the rule decides, this allots `rev` and keeps the unread counts true.

use parlance_domain::error::{Error, Result};
use parlance_domain::ports::{AmendMessage, Amended};
use parlance_domain::rules::Limits;
use parlance_domain::rules::amending::{self, Actor};
use parlance_domain::rules::media::Named;

use crate::media_items::Use;
use crate::state::State;

impl State {
    pub(crate) fn amend(&mut self, amend: &AmendMessage, limits: &Limits) -> Result<Amended> {
        let AmendMessage { message_id, actor, amendment, now } = amend;
        let (conversation, seq) = *self.places.get(message_id).ok_or(Error::MessageNotFound)?;
        let room = self.rooms.get_mut(&conversation).ok_or(Error::MessageNotFound)?;
        let role = room.role(actor).ok_or(Error::MessageNotFound)?;
        let actor = Actor { user_id: actor, role, kind: room.conversation.kind };
        let mut message = room.message(seq).ok_or(Error::MessageNotFound)?.clone();
        let named = Named::by_links(&message.media);
        let changed = amending::amend(&mut message, amendment, actor, limits, *now)?;
        if changed {
            // The rule changes nothing about a tombstone, so this one has just become one.
            if message.is_tombstone() {
                room.discount_unread(seq);
            }
            message.rev = room.next_rev();
            if let Some(stored) = room.message_mut(seq) {
                stored.clone_from(&message);
            }
            self.use_media(&Use::Message(message.id), &named, &Named::by_links(&message.media));
            self.post.add(self.post.wanted.amended(&message, amendment, *now));
        }
        let reply_to = message.reply_to.and_then(|id| self.message(id)).cloned();
        Ok(Amended { message, reply_to, changed })
    }
}
