//! Storing a batch of sends as one change: look everything up, let the domain decide, write everything down. Four
//! commands at most that write and eight that read, whatever the size of the batch.

mod lookup;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use mongodb::bson::doc;
use parlance_domain::error::Result as Verdict;
use parlance_domain::model::{MediaLink, MediumId, Message, MessageId, NewMessage, WebhookKind, WebhookSubject};
use parlance_domain::ports::{Appended, ReadMessage};
use parlance_domain::rules::appending::{self, Answer, Moved, Place, Plan};
use parlance_domain::rules::media::Named;
use parlance_domain::rules::ranges::keep_newest;
use parlance_domain::rules::webhooks::Wanted;

use crate::change::{Change, Unit};
use crate::command::{Command, Update};
use crate::documents::{MessageDocument, PositionDocument, count, date, number, object_id};
use crate::error::{BadDocument, Failed};
use crate::media_items::{self, CountedMedia};
use crate::reader::Reader;
use crate::schema::{CONVERSATIONS, MESSAGES, POSITIONS};
use crate::{messages, outbox};
use lookup::{Looked, look_up};

/// The most bytes of texts and links that one change takes where it must fit into a document of the server, which
/// may have 16 MiB.
pub(crate) const JOURNAL_BYTES: usize = 4 * 1024 * 1024;

/// A batch of sends.
pub(crate) struct Append<'a> {
    pub(crate) batch: &'a [NewMessage],
    pub(crate) wanted: &'a Wanted,
}

#[async_trait]
impl Change for Append<'_> {
    type Done = Vec<Verdict<Appended>>;

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        let conversations = self.batch.iter().map(|new| messages::lock(new.conversation_id));
        let media = self.batch.iter().flat_map(|new| Named::by_links(&new.media).all).map(media_items::lock);
        let mut locks: Vec<String> = conversations.chain(media).collect();
        if self.wanted.contains(WebhookKind::MessageCreated) {
            let lanes = self.batch.iter().map(|new| WebhookSubject::Conversation(new.conversation_id).lane());
            locks.extend(lanes.map(|lane| outbox::lock(&lane)));
        }
        Ok(locks)
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Self::Done, Failed> {
        let answers = append_in(unit, self.batch.to_vec()).await?;
        let stored = answers.iter().flatten().filter(|appended| !appended.duplicate);
        outbox::write(unit, &self.wanted.appended(stored.map(|appended| &appended.message))).await?;
        Ok(answers)
    }
}

/// Cuts a batch into parts that each fit into a journal.
pub(crate) fn parts(batch: &[NewMessage]) -> Vec<&[NewMessage]> {
    let (mut parts, mut rest) = (Vec::new(), batch);
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |new: &&NewMessage| {
            bytes += bytes_of(new);
            bytes <= JOURNAL_BYTES
        };
        let (part, others) = rest.split_at(rest.iter().take_while(fits).count().max(1));
        parts.push(part);
        rest = others;
    }
    parts
}

/// A message and the words that it is found by, which are about as long as its text.
fn bytes_of(new: &NewMessage) -> usize {
    bytes_of_message(new.text.as_deref(), &new.media)
}

/// The same of a text and its media.
pub(crate) fn bytes_of_message(text: Option<&str>, media: &[MediaLink]) -> usize {
    let links: usize = media.iter().map(|link| link.url.len() + 512).sum();
    1024 + 4 * text.map_or(0, str::len) + 2 * links
}

/// Stores a batch as part of somebody else's change.
pub(crate) async fn append_in(unit: &mut Unit<'_>, batch: Vec<NewMessage>) -> Result<Vec<Verdict<Appended>>, Failed> {
    let Looked { found, mut known, positions, media } = look_up(unit, &batch).await?;
    let plan = appending::decide(batch, found);
    let mut reader = unit.reader();
    let newly_read = list_newly_read(&mut reader, &plan).await?;
    load_answered(&mut reader, &plan, &mut known).await?;
    write(unit, &plan, &positions, media)?;
    answer(plan, &known, newly_read)
}

/// What the first sends of repetitions answer.
async fn load_answered(
    reader: &mut Reader<'_>,
    plan: &Plan,
    known: &mut HashMap<MessageId, Message>,
) -> Result<(), Failed> {
    let answered = |id: &MessageId| known.get(id).and_then(|first| first.reply_to);
    let missing: Vec<MessageId> = plan.named.iter().filter_map(answered).filter(|id| !known.contains_key(id)).collect();
    if !missing.is_empty() {
        known.extend(messages::list(reader, &missing).await?.into_iter().map(|message| (message.id, message)));
    }
    Ok(())
}

/// Messages, positions, media; the conversations last, so that who reads a conversation finds what it counts.
fn write(
    unit: &mut Unit<'_>,
    plan: &Plan,
    positions: &HashMap<String, PositionDocument>,
    mut media: CountedMedia,
) -> Result<(), Failed> {
    if plan.stored.is_empty() {
        return Ok(());
    }
    let stored = |message: &Message| MessageDocument::new(message, media.begin(&Named::by_links(&message.media)));
    let documents: Vec<MessageDocument> = plan.stored.iter().map(stored).collect();
    unit.write(Command::insert(MESSAGES, &documents)?);
    unit.write(Command::update(POSITIONS, moves(&plan.positions, positions)?));
    media.write(unit)?;
    let newest: HashMap<_, MessageId> =
        plan.stored.iter().map(|message| (message.conversation_id, message.id)).collect();
    let heads = plan.heads.iter().filter_map(|(id, head)| {
        let last_message = object_id(newest.get(id)?.bytes());
        let set = doc! {
            "last_seq": number(head.last_seq),
            "rev": number(head.rev),
            "active_at": date(head.active_at),
            "last_message": last_message,
        };
        Some(Update::one(doc! { "_id": object_id(id.bytes()) }, doc! { "$set": set }))
    });
    unit.write(Command::update(CONVERSATIONS, heads.collect()));
    Ok(())
}

/// The positions of those who are in the conversations.
fn moves(
    moved: &BTreeMap<Place, Moved>,
    positions: &HashMap<String, PositionDocument>,
) -> Result<Vec<Update>, BadDocument> {
    let mut updates = Vec::with_capacity(moved.len());
    for ((conversation, user), Moved { read, delivered }) in moved {
        let id = crate::documents::position_id(*conversation, user);
        let Some(position) = positions.get(&id).filter(|position| position.present) else { continue };
        let mut set = doc! {};
        if let Some(read) = read {
            // The newest `seq`: nothing can be read, or deleted, beyond it.
            set.extend(doc! { "read": number(*read), "ahead_count": 0_i64, "dead": 0_i64, "ahead": [] });
        }
        if let Some(delivered) = delivered {
            set.insert("delivered", number(count(position.delivered)?.max(*delivered)));
        }
        updates.push(Update::one(doc! { "_id": id }, doc! { "$set": set }));
    }
    Ok(updates)
}

async fn list_newly_read(reader: &mut Reader<'_>, plan: &Plan) -> Result<HashMap<usize, Vec<ReadMessage>>, Failed> {
    if plan.reads.is_empty() {
        return Ok(HashMap::new());
    }
    let ranges = plan.reads.iter().map(|reading| (reading.conversation_id, reading.range));
    let before = messages::list_places(reader, ranges).await?;
    let mut said = BTreeMap::new();
    for place in &before {
        // A tombstone is not newly read.
        if !place.is_tombstone() {
            said.insert((place.conversation_id(), count(place.seq)?), (place.id(), place.sender_id()?));
        }
    }
    // What was sent before in the same batch is not stored yet.
    for message in &plan.stored {
        said.insert((message.conversation_id, message.seq), (message.id, message.sender_id.clone()));
    }
    let mut newly_read: HashMap<usize, Vec<ReadMessage>> = HashMap::new();
    for reading in &plan.reads {
        let from = (reading.conversation_id, reading.range.first);
        let to = (reading.conversation_id, reading.range.last);
        let others = said.range(from..=to).map(|(_, read)| read).filter(|(_, sender)| *sender != reading.reader);
        let read = others.map(|(id, sender)| ReadMessage { id: *id, sender_id: sender.clone() });
        newly_read.entry(reading.ordinal).or_default().extend(read);
    }
    newly_read.values_mut().for_each(keep_newest);
    Ok(newly_read)
}

fn answer(
    plan: Plan,
    before: &HashMap<MessageId, Message>,
    mut newly_read: HashMap<usize, Vec<ReadMessage>>,
) -> Result<Vec<Verdict<Appended>>, Failed> {
    let stored: HashMap<MessageId, &Message> = plan.stored.iter().map(|message| (message.id, message)).collect();
    let find = |id: MessageId| stored.get(&id).copied().or_else(|| before.get(&id)).cloned();
    let mut complete = |(ordinal, answer): (usize, Answer)| {
        let (id, duplicate) = match answer {
            Answer::Refused(error) => return Ok(Err(error)),
            Answer::Stored(id) => (id, false),
            Answer::Repeated(id) => (id, true),
        };
        let message = find(id).ok_or(BadDocument("message"))?;
        let reply_to = message.reply_to.and_then(find);
        let newly_read = newly_read.remove(&ordinal).unwrap_or_default();
        Ok(Ok(Appended { message, duplicate, reply_to, newly_read }))
    };
    plan.answers.into_iter().enumerate().map(&mut complete).collect()
}

/// Media that must be there for all of the batch to be stored.
fn required(batch: &[NewMessage]) -> BTreeSet<MediumId> {
    batch.iter().flat_map(|new| Named::by_links(&new.media).required).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlance_domain::model::{MessageKind, Timestamp};

    #[test]
    fn a_batch_is_cut_where_a_journal_is_full() {
        let new = |bytes: usize| NewMessage {
            id: MessageId::from_bytes([1; 12]),
            conversation_id: parlance_domain::model::ConversationId::from_bytes([2; 12]),
            sender_id: "ann".parse().expect("a valid id"),
            kind: MessageKind::Text,
            text: Some("x".repeat(bytes)),
            media: Vec::new(),
            reply_to: None,
            client_message_id: None,
            created_at: Timestamp::from_millis(1),
            delivered_to: None,
        };
        let sizes = |batch: &[NewMessage]| parts(batch).iter().map(|part| part.len()).collect::<Vec<_>>();
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&[new(10), new(10)]), [2]);
        let half = JOURNAL_BYTES / 8;
        assert_eq!(sizes(&[new(half), new(half), new(half), new(2 * JOURNAL_BYTES), new(1)]), [1, 1, 1, 1, 1]);
        assert_eq!(sizes(&vec![new(40_000); 60]), [26, 26, 8]);
    }
}
