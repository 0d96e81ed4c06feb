//! Changes to groups: their looks, and who is in them. The rules decide on the participants as they are
//! inside the transaction; the system message is appended in the same one.

use parlance_domain::error::{Attempt, Error, Result as Verdict};
use parlance_domain::model::{
    Conversation, ConversationId, ConversationKind, Message, NewMessage, Participant, Timestamp, UserId,
};
use parlance_domain::ports::{ChangeMembership, GroupChange, MembershipChanged};
use parlance_domain::rules::Limits;
use parlance_domain::rules::media::{self, Named};
use parlance_domain::rules::membership::{self, Outcome};
use sea_orm::{ConnectionTrait, DatabaseTransaction};

use crate::conversations::{find, find_roster, insert_participants};
use crate::error::{BadRow, Failed};
use crate::media_items::{Use, list_missing, update_uses};
use crate::rows::{self, ParticipantRow, role_number, sql_number};
use crate::statement::Sql;
use crate::{SqlStorage, append, commit, locks, outbox};

/// Changes a group's title or photo.
pub(crate) async fn update(
    storage: &SqlStorage,
    id: ConversationId,
    actor: &UserId,
    change: &GroupChange,
    now: Timestamp,
) -> Result<Verdict<Conversation>, Failed> {
    let transaction = storage.pools.begin().await?;
    locks::conversations(&transaction, [id]).await?;
    let Some(mut conversation) = find(&transaction, id).await? else { return Ok(Err(Error::ConversationNotFound)) };
    let role = Sql::new("SELECT role FROM participants WHERE conversation_id = ? AND user_id = ?");
    let role = role.bind(id.bytes().to_vec()).bind(actor.as_str()).scalar::<i64, _>(&transaction).await?;
    let Some(role) = role else { return Ok(Err(Error::NotParticipant(Attempt::Access))) };
    if conversation.kind == ConversationKind::Direct {
        return Ok(Err(Error::Conflict("A direct conversation has no title and no photo")));
    }
    if let Err(refusal) = membership::may_manage(rows::role(role)?) {
        return Ok(Err(refusal));
    }
    match change.clone() {
        GroupChange::Title(title) => conversation.title = Some(title),
        GroupChange::Image(image) => {
            let (named, names) = (Named::by_urls(conversation.image.as_deref()), Named::by_urls(image.as_deref()));
            locks::media(&transaction, named.all.union(&names.all).copied()).await?;
            if !list_missing(&transaction, &names.required).await?.is_empty() {
                return Ok(Err(media::missing("url")));
            }
            update_uses(&transaction, Use::Group(id), named, names).await?;
            conversation.image = image;
        }
    }
    conversation.updated_at = now;
    Sql::new("UPDATE conversations SET title = ?, image = ?, updated_at = ? WHERE id = ?")
        .bind(conversation.title.as_ref().map(|title| title.as_str().to_owned()))
        .bind(conversation.image.clone())
        .bind(now.millis())
        .bind(id.bytes().to_vec())
        .run(&transaction)
        .await?;
    outbox::insert(&transaction, &storage.wanted.updated(id, now)).await?;
    commit(transaction).await?;
    Ok(Ok(conversation))
}

/// Changes who is in a group, or in which role.
pub(crate) async fn change_membership(
    storage: &SqlStorage,
    change: &ChangeMembership,
    limits: &Limits,
) -> Result<Verdict<MembershipChanged>, Failed> {
    let ChangeMembership { conversation_id: id, actor, change: wanted, now, .. } = change;
    let transaction = storage.pools.begin().await?;
    locks::conversations(&transaction, [*id]).await?;
    let Some(before) = find(&transaction, *id).await? else { return Ok(Err(Error::ConversationNotFound)) };
    let participants = list_participants(&transaction, *id).await?;
    let outcome = match membership::plan(before.kind, &participants, actor, wanted, limits) {
        Ok(outcome) => outcome,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut message = None;
    if !outcome.is_empty() {
        let last_seq = sql_number(before.last_seq);
        insert_participants(&transaction, *id, &added(&outcome), last_seq, *now).await?;
        forget_former(&transaction, *id, &outcome.added).await?;
        update_roles(&transaction, *id, &outcome).await?;
        if let Some(new) = change.system_message(&outcome) {
            message = Some(append_system(storage, &transaction, new).await?);
        }
        // Last, so that one who leaves is still there to send the message that says so.
        remove_participants(&transaction, *id, &outcome.removed).await?;
        Sql::new("UPDATE conversations SET updated_at = ? WHERE id = ?")
            .bind(now.millis())
            .bind(id.bytes().to_vec())
            .run(&transaction)
            .await?;
        outbox::insert(&transaction, &storage.wanted.updated(*id, *now)).await?;
    }
    let gone = || Failed::from(BadRow("conversation"));
    let conversation = find(&transaction, *id).await?.ok_or_else(gone)?;
    let roster = find_roster(&transaction, *id).await?.ok_or_else(gone)?;
    commit(transaction).await?;
    Ok(Ok(MembershipChanged { outcome, conversation, roster, message }))
}

fn added(outcome: &Outcome) -> Vec<(&str, i64)> {
    let member = role_number(parlance_domain::model::Role::Member);
    outcome.added.iter().map(|user| (user.as_str(), member)).collect()
}

async fn append_system(
    storage: &SqlStorage,
    transaction: &DatabaseTransaction,
    new: NewMessage,
) -> Result<Message, Failed> {
    match append::append_in(transaction, &[new], &storage.wanted).await?.pop() {
        Some(Ok(appended)) => Ok(appended.message),
        Some(Err(_)) | None => Err(BadRow("system message").into()),
    }
}

/// Everybody, longest-serving first.
async fn list_participants<C: ConnectionTrait>(on: &C, id: ConversationId) -> Result<Vec<Participant>, Failed> {
    let sql = Sql::new(
        "SELECT user_id, role, joined_at FROM participants WHERE conversation_id = ? ORDER BY joined_at, user_id",
    );
    Ok(rows::all::<ParticipantRow, _>(sql.bind(id.bytes().to_vec()).rows(on).await?)?)
}

async fn update_roles(transaction: &DatabaseTransaction, id: ConversationId, outcome: &Outcome) -> Result<(), Failed> {
    if outcome.roles.is_empty() {
        return Ok(());
    }
    let roles: Vec<(&str, i64)> =
        outcome.roles.iter().map(|(user, role)| (user.as_str(), role_number(*role))).collect();
    Sql::new(
        "UPDATE participants SET role = d.role \
         FROM (SELECT value ->> 0 AS user_id, CAST(value ->> 1 AS BIGINT) AS role FROM json_each(?)) AS d \
         WHERE participants.conversation_id = ? AND participants.user_id = d.user_id",
    )
    .bind_json(&roles)?
    .bind(id.bytes().to_vec())
    .run(transaction)
    .await?;
    Ok(())
}

/// Those who have come again are participants, and nobody is remembered twice.
async fn forget_former(transaction: &DatabaseTransaction, id: ConversationId, users: &[UserId]) -> Result<(), Failed> {
    if users.is_empty() {
        return Ok(());
    }
    let users: Vec<&str> = users.iter().map(UserId::as_str).collect();
    Sql::new(
        "DELETE FROM former_participants WHERE conversation_id = ? AND user_id IN (SELECT atom FROM json_each(?))",
    )
    .bind(id.bytes().to_vec())
    .bind_json(&users)?
    .run(transaction)
    .await?;
    Ok(())
}

/// Removes people, and remembers how far they had read and received.
async fn remove_participants(
    transaction: &DatabaseTransaction,
    id: ConversationId,
    users: &[UserId],
) -> Result<(), Failed> {
    if users.is_empty() {
        return Ok(());
    }
    // They must not move between the two statements.
    locks::participants(transaction, id, users).await?;
    let users: Vec<&str> = users.iter().map(UserId::as_str).collect();
    Sql::new(
        "INSERT INTO former_participants (conversation_id, user_id, read_position, delivered_position, ahead) \
         SELECT conversation_id, user_id, read_position, delivered_position, ahead \
         FROM participants WHERE conversation_id = ? AND user_id IN (SELECT atom FROM json_each(?))",
    )
    .bind(id.bytes().to_vec())
    .bind_json(&users)?
    .run(transaction)
    .await?;
    Sql::new("DELETE FROM participants WHERE conversation_id = ? AND user_id IN (SELECT atom FROM json_each(?))")
        .bind(id.bytes().to_vec())
        .bind_json(&users)?
        .run(transaction)
        .await?;
    Ok(())
}
