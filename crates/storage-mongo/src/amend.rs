//! Editing, deleting and reacting: the domain's rule, applied to the message as it is inside the change.

use async_trait::async_trait;
use mongodb::bson::doc;
use mongodb::bson::oid::ObjectId;
use parlance_domain::error::{Error, Result as Verdict};
use parlance_domain::model::{Conversation, MediumId, Message, NewWebhook};
use parlance_domain::ports::{AmendMessage, Amended};
use parlance_domain::rules::Limits;
use parlance_domain::rules::amending::{self, Actor};
use parlance_domain::rules::webhooks::Wanted;
use serde::Deserialize;

use crate::change::{Change, Unit};
use crate::command::{Command, Update};
use crate::documents::{MessageDocument, number, object_id};
use crate::error::Failed;
use crate::media_items::{self, CountedMedia};
use crate::messages::{self, find, find_document};
use crate::reader::{Query, Reader};
use crate::schema::{CONVERSATIONS, MESSAGES, POSITIONS};
use crate::{conversations, outbox};

/// An amendment.
pub(crate) struct Amend<'a> {
    pub(crate) change: &'a AmendMessage,
    pub(crate) limits: &'a Limits,
    pub(crate) wanted: &'a Wanted,
}

#[async_trait]
impl Change for Amend<'_> {
    type Done = Verdict<Amended>;

    async fn locks(&self, reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        let Some(document) = find_document(reader, self.change.message_id).await? else { return Ok(Vec::new()) };
        let media = document.media_ids.iter().map(|id| media_items::lock(MediumId::from_bytes(id.bytes())));
        let mut locks: Vec<String> = media.collect();
        let message = Message::try_from(document)?;
        locks.push(messages::lock(message.conversation_id));
        locks.extend(outbox::locks(&self.events(&message)));
        Ok(locks)
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Self::Done, Failed> {
        let Self { change: AmendMessage { message_id, actor, amendment, now }, limits, wanted: _ } = self;
        let mut reader = unit.reader();
        let Some(document) = find_document(&mut reader, *message_id).await? else {
            return Ok(Err(Error::MessageNotFound));
        };
        let media_ids = document.media_ids.clone();
        let mut message = Message::try_from(document)?;
        let capacity = conversations::find_capacity(&mut reader, message.conversation_id, actor).await?;
        let Some((conversation, role)) = capacity.and_then(|(conversation, role)| Some((conversation, role?))) else {
            return Ok(Err(Error::MessageNotFound));
        };
        let reply_to = match message.reply_to {
            Some(id) => find(&mut reader, id).await?,
            None => None,
        };
        let was_tombstone = message.is_tombstone();
        let Conversation { kind, rev, .. } = Conversation::try_from(conversation)?;
        let changed = match amending::amend(&mut message, amendment, Actor { user_id: actor, role, kind }, limits, *now)
        {
            Ok(changed) => changed,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if changed {
            unit.require(&messages::lock(message.conversation_id))?;
            message.rev = rev + 1;
            let mut still_used = media_ids.clone();
            if message.is_tombstone() && !was_tombstone {
                stop_counting(unit, &message).await?;
                still_used.clear();
                end_uses(unit, &media_ids).await?;
            }
            write(unit, &message, still_used)?;
            outbox::write(unit, &self.events(&message)).await?;
        }
        Ok(Ok(Amended { message, reply_to, changed }))
    }
}

impl Amend<'_> {
    /// The events of the amendment.
    fn events(&self, message: &Message) -> Vec<NewWebhook> {
        self.wanted.amended(message, &self.change.amendment, self.change.now)
    }
}

/// The message, then the conversation: who reads the conversation's `rev` finds the message that has it.
fn write(unit: &mut Unit<'_>, message: &Message, media_ids: Vec<ObjectId>) -> Result<(), Failed> {
    let conversation = object_id(message.conversation_id.bytes());
    let document = MessageDocument::new(message, media_ids);
    let document = mongodb::bson::serialize_to_document(&document).map_err(|_| crate::error::BadDocument("message"))?;
    let which = doc! { "_id": object_id(message.id.bytes()), "conversation": conversation };
    unit.write(Command::update(MESSAGES, vec![Update::one(which, document)]));
    let rev = doc! { "$set": { "rev": number(message.rev) } };
    unit.write(Command::update(CONVERSATIONS, vec![Update::one(doc! { "_id": conversation }, rev)]));
    Ok(())
}

/// Takes a new tombstone out of the unread counts of those who have not read it.
async fn stop_counting(unit: &mut Unit<'_>, message: &Message) -> Result<(), Failed> {
    #[derive(Deserialize)]
    struct UnreadDocument {
        #[serde(rename = "_id")]
        id: String,
        #[serde(default)]
        ahead: Vec<(i64, i64)>,
        dead: i64,
    }
    let seq = number(message.seq);
    let filter = doc! {
        "conversation": object_id(message.conversation_id.bytes()),
        "present": true,
        "read": { "$lt": seq },
        "floor": { "$lt": seq },
    };
    let fields = doc! { "ahead": 1, "dead": 1 };
    let positions: Vec<UnreadDocument> = unit.reader().all(Query::new(POSITIONS, filter).fields(fields)).await?;
    let covered = |ahead: &[(i64, i64)]| ahead.iter().any(|(first, last)| (*first..=*last).contains(&seq));
    let counts = positions
        .into_iter()
        .filter(|position| !covered(&position.ahead))
        .map(|position| Update::one(doc! { "_id": position.id }, doc! { "$set": { "dead": position.dead + 1 } }));
    unit.write(Command::update(POSITIONS, counts.collect()));
    Ok(())
}

/// The media of a message that is deleted.
async fn end_uses(unit: &mut Unit<'_>, media_ids: &[ObjectId]) -> Result<(), Failed> {
    if media_ids.is_empty() {
        return Ok(());
    }
    let mut media = CountedMedia::of(unit, media_ids.to_vec()).await?;
    media.end(media_ids);
    media.write(unit)
}
