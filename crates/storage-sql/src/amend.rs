//! Editing, deleting and reacting: the domain's rule, applied to the message as it is inside the transaction.
//! The full-text index is kept in step.

use parlance_domain::error::{Error, Result as Verdict};
use parlance_domain::model::{ConversationId, Message, Timestamp};
use parlance_domain::ports::{AmendMessage, Amended};
use parlance_domain::rules::Limits;
use parlance_domain::rules::amending::{self, Actor};
use parlance_domain::rules::media::Named;
use sea_orm::{DatabaseTransaction, FromQueryResult};

use crate::error::{BadRow, Failed};
use crate::media_items::{Use, update_uses};
use crate::rows::{self, conversation_kind, media_to_json, reactions_to_json, role, sql_number};
use crate::statement::Sql;
use crate::{SqlStorage, commit, locks, messages, outbox, search};

/// In which capacity somebody changes a message.
#[derive(Debug, FromQueryResult)]
struct CapacityRow {
    role: i64,
    kind: i64,
}

/// Applies the amendment.
pub(crate) async fn amend(
    storage: &SqlStorage,
    amend: &AmendMessage,
    limits: &Limits,
) -> Result<Verdict<Amended>, Failed> {
    let transaction = storage.pools.begin().await?;
    locks::conversation_of(&transaction, amend.message_id).await?;
    let Some(mut message) = messages::find(&transaction, amend.message_id).await? else {
        return Ok(Err(Error::MessageNotFound));
    };
    let capacity = Sql::new(
        "SELECT p.role, c.kind FROM participants p JOIN conversations c ON c.id = p.conversation_id \
         WHERE p.conversation_id = ? AND p.user_id = ?",
    )
    .bind(message.conversation_id.bytes().to_vec())
    .bind(amend.actor.as_str());
    let Some(CapacityRow { role: number, kind }) = capacity.row(&transaction).await? else {
        return Ok(Err(Error::MessageNotFound));
    };
    let actor = Actor { user_id: &amend.actor, role: role(number)?, kind: conversation_kind(kind)? };
    let before = message.clone();
    let changed = match amending::amend(&mut message, &amend.amendment, actor, limits, amend.now) {
        Ok(changed) => changed,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let reply_to = match message.reply_to {
        Some(id) => messages::find(&transaction, id).await?,
        None => None,
    };
    if changed {
        message.rev = next_rev(&transaction, message.conversation_id).await?;
        update_message(&transaction, &message).await?;
        if message.text != before.text {
            search::index_again(&transaction, &message).await?;
        }
        if message.is_tombstone() && !before.is_tombstone() {
            stop_counting(&transaction, &message).await?;
        }
        let (named, names) = (Named::by_links(&before.media), Named::by_links(&message.media));
        update_uses(&transaction, Use::Message(message.id), named, names).await?;
        outbox::insert(&transaction, &storage.wanted.amended(&message, &amend.amendment, amend.now)).await?;
        commit(transaction).await?;
    }
    Ok(Ok(Amended { message, reply_to, changed }))
}

async fn next_rev(transaction: &DatabaseTransaction, id: ConversationId) -> Result<u64, Failed> {
    let raise = Sql::new("UPDATE conversations SET rev = rev + 1 WHERE id = ? RETURNING rev");
    let rev: Option<i64> = raise.bind(id.bytes().to_vec()).scalar(transaction).await?;
    Ok(rows::count(rev.ok_or(BadRow("conversation of a message"))?)?)
}

async fn update_message(transaction: &DatabaseTransaction, message: &Message) -> Result<(), Failed> {
    // Everything that an amendment can touch; the rest of a message never changes.
    let Message { id, rev, text, media, reactions, edited_at, deleted_at, updated_at, .. } = message;
    let update = Sql::new(
        "UPDATE messages SET rev = ?, text = ?, media = ?, reactions = ?, edited_at = ?, deleted_at = ?, \
             updated_at = ? WHERE id = ?",
    )
    .bind(sql_number(*rev))
    .bind(text.clone())
    .bind(media_to_json(media)?)
    .bind(reactions_to_json(reactions)?)
    .bind(edited_at.map(Timestamp::millis))
    .bind(deleted_at.map(Timestamp::millis))
    .bind(updated_at.millis())
    .bind(id.bytes().to_vec());
    match update.run(transaction).await? {
        1 => Ok(()),
        _ => Err(BadRow("message").into()),
    }
}

/// Takes a new tombstone out of the unread counts of those who have not read it.
async fn stop_counting(transaction: &DatabaseTransaction, message: &Message) -> Result<(), Failed> {
    Sql::new(
        "UPDATE participants SET dead_count = dead_count + 1 \
         WHERE conversation_id = ?1 AND read_position < ?2 AND floor_seq < ?2 AND NOT EXISTS ( \
             SELECT 1 FROM json_each(ahead) \
             WHERE ?2 BETWEEN CAST(value ->> 0 AS BIGINT) AND CAST(value ->> 1 AS BIGINT))",
    )
    .bind(message.conversation_id.bytes().to_vec())
    .bind(sql_number(message.seq))
    .run(transaction)
    .await?;
    Ok(())
}
