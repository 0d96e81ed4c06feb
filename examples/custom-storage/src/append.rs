//! One send: who may, whether it is a repetition, and what moves with it. A batch is one after the other in the same
//! transaction; membership changes append their system message here too.

use parlance_domain::error::{Attempt, Error};
use parlance_domain::model::{Message, NewMessage, Seq};
use parlance_domain::ports::{Appended, ReadMessage};
use parlance_domain::rules::media::{self, Named};

use crate::blocks;
use crate::failure::{Failed, Stop};
use crate::media_items::Use;
use crate::records::MessageRecord;
use crate::room::{self, Room};
use crate::store::{View, Writer};
use crate::tables::{self, CHANGES, MESSAGES, PLACES, SENT};

impl Writer {
    pub(crate) fn append(&mut self, new: NewMessage) -> Result<Appended, Stop> {
        let mut room = room::find(self, new.conversation_id)?.ok_or(Error::ConversationNotFound)?;
        room.role_for(&new.sender_id, Attempt::Send)?;
        // A repetition comes before the block: its message stands already.
        if let Some(first) = self.first_of(&new)? {
            let reply_to = self.original(&first)?;
            return Ok(Appended { message: first, duplicate: true, reply_to, newly_read: Vec::new() });
        }
        if let Some(peer) = room.roster().peer(&new.sender_id) {
            blocks::between(self, &new.sender_id, peer)?.may_contact()?;
        }
        let reply_to = match new.reply_to {
            None => None,
            Some(id) => {
                let original = room::message(self, id)?;
                let here = original.filter(|original| original.conversation_id == new.conversation_id);
                Some(here.ok_or(Error::MessageNotFound)?)
            }
        };
        let named = Named::by_links(&new.media);
        if !self.has_media(&named)? {
            return Err(media::missing("media").into());
        }
        self.use_media(&Use::Message(new.id), &Named::default(), &named)?;
        let (message, newly_read) = self.store(&mut room, new)?;
        Ok(Appended { message, duplicate: false, reply_to, newly_read })
    }

    /// The message that this one repeats.
    fn first_of(&self, new: &NewMessage) -> Result<Option<Message>, Failed> {
        let Some(mark) = &new.client_message_id else { return Ok(None) };
        let key = tables::mark(new.conversation_id, &new.sender_id, mark.as_str());
        let Some(place) = self.bytes(SENT, &key)? else { return Ok(None) };
        Ok(Some(self.load(&MESSAGES, &place)?.0))
    }

    /// The message that this one answers.
    pub(crate) fn original(&self, message: &Message) -> Result<Option<Message>, Failed> {
        message.reply_to.map_or(Ok(None), |id| room::message(self, id))
    }

    /// Stores a message that may be stored, and the room with it.
    pub(crate) fn store(&mut self, room: &mut Room, new: NewMessage) -> Result<(Message, Vec<ReadMessage>), Failed> {
        let rev = room.next_rev();
        room.conversation.last_seq += 1;
        room.conversation.active_at = room.conversation.active_at.max(new.created_at);
        let seq = room.conversation.last_seq;
        let delivered_to = new.delivered_to.clone();
        let message = new.placed(seq, rev);
        let place = tables::numbered(message.conversation_id, seq);
        if let Some(mark) = &message.client_message_id {
            let key = tables::mark(message.conversation_id, &message.sender_id, mark.as_str());
            self.put_bytes(SENT, &key, &place)?;
        }
        self.put_bytes(PLACES, &message.id.bytes(), &place)?;
        self.put_message(&message)?;
        room.count_unread(&message.sender_id);
        let newly_read = room::newest(room.read_up_to(self, &message.sender_id, seq)?);
        if let Some(recipient) = delivered_to {
            room.deliver(&recipient, seq);
        }
        self.put_room(room)?;
        Ok((message, newly_read))
    }

    /// Keeps a message as it is now, under its place and under its `rev`.
    pub(crate) fn put_message(&mut self, message: &Message) -> Result<(), Failed> {
        let place = |number: Seq| tables::numbered(message.conversation_id, number);
        self.put_bytes(CHANGES, &place(message.rev), &place(message.seq))?;
        self.put(&MESSAGES, &place(message.seq), &MessageRecord(message.clone()))
    }
}
