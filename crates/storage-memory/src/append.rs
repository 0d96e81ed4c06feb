//! One send: who may, whether it is a repetition, and what moves with it. A batch is one after the other
//! under the same lock; membership changes append their system message here too.

use parlance_domain::error::{Attempt, Error, Result};
use parlance_domain::model::{Message, NewMessage};
use parlance_domain::ports::{Appended, ReadMessage};
use parlance_domain::rules::media::{self, Named};

use crate::media_items::Use;
use crate::room::newest;
use crate::state::State;

impl State {
    pub(crate) fn append(&mut self, new: NewMessage) -> Result<Appended> {
        let room = self.rooms.get(&new.conversation_id).ok_or(Error::ConversationNotFound)?;
        room.role(&new.sender_id).ok_or(Error::NotParticipant(Attempt::Send))?;
        // A repetition comes before the block: its message stands already.
        let mark = new.client_message_id.as_ref().map(|mark| (new.sender_id.clone(), mark.clone()));
        if let Some(first) = mark.and_then(|mark| room.message(*room.sent.get(&mark)?)) {
            let reply_to = first.reply_to.and_then(|id| self.message(id)).cloned();
            return Ok(Appended { message: first.clone(), duplicate: true, reply_to, newly_read: Vec::new() });
        }
        if let Some(peer) = room.roster().peer(&new.sender_id) {
            self.blocking(&new.sender_id, peer).may_contact()?;
        }
        let reply_to = match new.reply_to.map(|id| self.message(id)) {
            None => None,
            Some(Some(original)) if original.conversation_id == new.conversation_id => Some(original.clone()),
            Some(_) => return Err(Error::MessageNotFound),
        };
        let named = Named::by_links(&new.media);
        if !self.has_media(&named) {
            return Err(media::missing("media"));
        }
        self.use_media(&Use::Message(new.id), &Named::default(), &named);
        let (message, newly_read) = self.store(new).ok_or(Error::ConversationNotFound)?;
        Ok(Appended { message, duplicate: false, reply_to, newly_read })
    }

    /// Stores a message that may be stored. `None` if there is no such conversation.
    pub(crate) fn store(&mut self, new: NewMessage) -> Option<(Message, Vec<ReadMessage>)> {
        let room = self.rooms.get_mut(&new.conversation_id)?;
        let rev = room.next_rev();
        room.conversation.last_seq += 1;
        room.conversation.active_at = room.conversation.active_at.max(new.created_at);
        let seq = room.conversation.last_seq;
        let delivered_to = new.delivered_to.clone();
        let message = new.placed(seq, rev);
        if let Some(mark) = &message.client_message_id {
            room.sent.insert((message.sender_id.clone(), mark.clone()), seq);
        }
        room.messages.push(message.clone());
        room.count_unread(&message.sender_id);
        let newly_read = newest(room.read_up_to(&message.sender_id, seq));
        if let Some(recipient) = delivered_to {
            room.deliver(&recipient, seq);
        }
        self.places.insert(message.id, (message.conversation_id, seq));
        self.post.add(self.post.wanted.appended([&message]));
        Some((message, newly_read))
    }
}
