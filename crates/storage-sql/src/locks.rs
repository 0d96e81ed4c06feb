//! What a transaction must hold in PostgreSQL so that what it has looked up still holds when it writes. SQLite's
//! writing transactions hold the whole file, so nothing runs there.
//!
//! The order is always: conversations, in id order; people in them; profiles; media, in id order; inboxes, in id
//! order; lanes of webhooks, in the order of their names (`outbox`). A row is looked at again after it was locked. Whoever changes several participants holds their
//! conversations, so that only a reader who moves their own position locks a participant alone.

use std::collections::BTreeSet;

use parlance_domain::model::{ConversationId, MediumId, MessageId, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr};

use crate::statement::Sql;

/// These conversations, as far as they are there.
pub(crate) async fn conversations(
    transaction: &DatabaseTransaction,
    ids: impl IntoIterator<Item = ConversationId>,
) -> Result<(), DbErr> {
    if !needed(transaction) {
        return Ok(());
    }
    let ids: BTreeSet<String> = ids.into_iter().map(|id| id.to_string()).collect();
    let sql = Sql::new(
        "SELECT 1 FROM conversations WHERE id IN (SELECT unhex(atom) FROM json_each(?)) ORDER BY id FOR NO KEY UPDATE",
    );
    hold(transaction, sql.bind_json(&ids)?).await
}

/// The conversation of a message.
pub(crate) async fn conversation_of(transaction: &DatabaseTransaction, id: MessageId) -> Result<(), DbErr> {
    let sql = Sql::new(
        "SELECT 1 FROM conversations WHERE id = (SELECT conversation_id FROM messages WHERE id = ?) \
         FOR NO KEY UPDATE",
    );
    hold(transaction, sql.bind(id.bytes().to_vec())).await
}

/// The conversation of two people, if they have one.
pub(crate) async fn direct(transaction: &DatabaseTransaction, key: &str) -> Result<(), DbErr> {
    let sql = Sql::new("SELECT 1 FROM conversations WHERE direct_key = ? FOR NO KEY UPDATE");
    hold(transaction, sql.bind(key)).await
}

/// Somebody's own positions in a conversation.
pub(crate) async fn participant(
    transaction: &DatabaseTransaction,
    conversation: ConversationId,
    user: &UserId,
) -> Result<(), DbErr> {
    let sql = Sql::new("SELECT 1 FROM participants WHERE conversation_id = ? AND user_id = ? FOR NO KEY UPDATE");
    hold(transaction, sql.bind(conversation.bytes().to_vec()).bind(user.as_str())).await
}

/// The positions of these people in a conversation that is held: none of them moves meanwhile.
pub(crate) async fn participants(
    transaction: &DatabaseTransaction,
    conversation: ConversationId,
    users: impl IntoIterator<Item = &UserId>,
) -> Result<(), DbErr> {
    if !needed(transaction) {
        return Ok(());
    }
    let users: BTreeSet<&str> = users.into_iter().map(UserId::as_str).collect();
    let sql = Sql::new(
        "SELECT 1 FROM participants WHERE conversation_id = ? AND user_id IN (SELECT atom FROM json_each(?)) \
         ORDER BY user_id FOR SHARE",
    );
    hold(transaction, sql.bind(conversation.bytes().to_vec()).bind_json(&users)?).await
}

/// These media, as far as they are there: none of them is removed meanwhile.
pub(crate) async fn media(
    transaction: &DatabaseTransaction,
    ids: impl IntoIterator<Item = MediumId>,
) -> Result<(), DbErr> {
    if !needed(transaction) {
        return Ok(());
    }
    let ids: BTreeSet<String> = ids.into_iter().map(|id| id.to_string()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let sql = Sql::new(
        "SELECT 1 FROM media WHERE id IN (SELECT unhex(atom) FROM json_each(?)) ORDER BY id FOR NO KEY UPDATE",
    );
    hold(transaction, sql.bind_json(&ids)?).await
}

/// Somebody's inbox, and with it what their notifications say.
pub(crate) async fn inbox(transaction: &DatabaseTransaction, user: &UserId) -> Result<(), DbErr> {
    let sql = Sql::new("SELECT 1 FROM inboxes WHERE user_id = ? FOR NO KEY UPDATE");
    hold(transaction, sql.bind(user.as_str())).await
}

/// These dead letters, by their places.
pub(crate) async fn dead_letters(
    transaction: &DatabaseTransaction,
    places: impl IntoIterator<Item = i64>,
) -> Result<(), DbErr> {
    if !needed(transaction) {
        return Ok(());
    }
    let places: BTreeSet<i64> = places.into_iter().collect();
    let sql = Sql::new(
        "SELECT 1 FROM dead_letters WHERE place IN (SELECT CAST(atom AS BIGINT) FROM json_each(?)) \
         ORDER BY place FOR UPDATE",
    );
    hold(transaction, sql.bind_json(&places)?).await
}

/// Somebody's profile.
pub(crate) async fn user(transaction: &DatabaseTransaction, id: &UserId) -> Result<(), DbErr> {
    let sql = Sql::new("SELECT 1 FROM users WHERE id = ? FOR NO KEY UPDATE");
    hold(transaction, sql.bind(id.as_str())).await
}

async fn hold(transaction: &DatabaseTransaction, sql: Sql) -> Result<(), DbErr> {
    if needed(transaction) {
        sql.run(transaction).await?;
    }
    Ok(())
}

fn needed(transaction: &DatabaseTransaction) -> bool {
    transaction.get_database_backend() == DbBackend::Postgres
}
