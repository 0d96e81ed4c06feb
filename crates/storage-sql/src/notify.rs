//! Making notifications: of a message, and what products send. A fixed number of statements for however many
//! users; the counts in their inboxes move with the rows.

use std::collections::{BTreeMap, HashMap, HashSet};

use parlance_domain::model::{
    ConversationId, MessageId, Notification, NotificationBody, NotificationId, NotificationKind, UserId,
};
use parlance_domain::ports::{ChatNote, Counted, NewNotification, Noted};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};

use crate::error::{BadRow, Failed};
use crate::preferences;
use crate::rows::{count, object_id, user_id};
use crate::statement::Sql;
use crate::{SqlStorage, commit, locks, outbox};

/// Stores what a product sends.
pub(crate) async fn insert(
    storage: &SqlStorage,
    new: &[NewNotification],
) -> Result<Vec<Counted<Notification>>, Failed> {
    let transaction = storage.pools.begin().await?;
    let users: HashSet<&UserId> = new.iter().map(|new| &new.user_id).collect();
    let preferences = preferences::list(&transaction, &users).await?;
    let wanted = |new: &NewNotification| preferences.get(&new.user_id).is_some_and(|wants| wants.want(&new.kind));
    let made: Vec<Notification> = new.iter().filter(|new| wanted(new)).cloned().map(notification).collect();
    if made.is_empty() {
        return Ok(Vec::new());
    }
    insert_texts(&transaction, &made).await?;
    let events = storage.wanted.notified(&made);
    let made = add(&transaction, made).await?;
    outbox::insert(&transaction, &events).await?;
    commit(transaction).await?;
    Ok(made)
}

async fn insert_texts(transaction: &DatabaseTransaction, made: &[Notification]) -> Result<(), Failed> {
    let rows: Vec<_> = made.iter().filter_map(text_row).collect();
    Sql::new(
        "INSERT INTO notifications (id, user_id, kind, title, message, link, data, created_at) \
         SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, \
             CAST(value ->> 7 AS BIGINT) FROM json_each(?)",
    )
    .bind_json(&rows)?
    .run(transaction)
    .await?;
    Ok(())
}

fn notification(new: NewNotification) -> Notification {
    let NewNotification { id, user_id, kind, title, message, link, data, created_at } = new;
    let body = NotificationBody::Text { title, message, link, data };
    Notification { id, user_id, kind, body, read: false, created_at }
}

fn text_row(made: &Notification) -> Option<impl serde::Serialize> {
    let Notification { id, user_id, kind, body, read: _, created_at } = made;
    let NotificationBody::Text { title, message, link, data } = body else { return None };
    Some((id.to_string(), user_id.as_str(), kind.as_str(), title, message, link, data, created_at.millis()))
}

/// Stores the chat notifications of a message.
pub(crate) async fn note(storage: &SqlStorage, note: &ChatNote) -> Result<Noted, Failed> {
    let ChatNote { conversation_id, message_id, ref users, created_at } = *note;
    let mut ids: BTreeMap<UserId, NotificationId> = BTreeMap::new();
    for (user, id) in users {
        ids.entry(user.clone()).or_insert(*id);
    }
    // While people are away, their notification stands already: that must not queue behind the writers.
    let found = look_up(storage.pools.reader(), conversation_id, message_id, &ids).await?;
    let mut standing = found.standing;
    if found.due.is_empty() {
        return Ok(Noted { made: Vec::new(), standing });
    }
    let transaction = storage.pools.begin().await?;
    // Of two notes one makes it, and who reads at this moment does so before or after it.
    locks::conversations(&transaction, [conversation_id]).await?;
    locks::participants(&transaction, conversation_id, found.due.keys()).await?;
    ids.retain(|user, _| found.due.contains_key(user));
    let Looked { due, standing: meanwhile } = look_up(&transaction, conversation_id, message_id, &ids).await?;
    standing.extend(meanwhile);
    if due.is_empty() {
        return Ok(Noted { made: Vec::new(), standing });
    }
    let made = due.into_iter().filter_map(|(user_id, message_id)| {
        let body = NotificationBody::Chat { conversation_id, message_id };
        let kind = NotificationKind::chat_message();
        Some(Notification { id: *ids.get(&user_id)?, user_id, kind, body, read: false, created_at })
    });
    let made: Vec<Notification> = made.collect();
    let rows: Vec<_> = made.iter().map(|made| (made.id.to_string(), made.user_id.as_str())).collect();
    Sql::new(
        "INSERT INTO notifications (id, user_id, kind, conversation_id, message_id, created_at) \
         SELECT unhex(value ->> 0), value ->> 1, ?2, ?3, ?4, ?5 FROM json_each(?1)",
    )
    .bind_json(&rows)?
    .bind(NotificationKind::chat_message().as_str())
    .bind(conversation_id.bytes().to_vec())
    .bind(message_id.bytes().to_vec())
    .bind(created_at.millis())
    .run(&transaction)
    .await?;
    let events = storage.wanted.notified(&made);
    let made = add(&transaction, made).await?;
    outbox::insert(&transaction, &events).await?;
    commit(transaction).await?;
    Ok(Noted { made, standing })
}

/// Who is to be told of a message.
struct Looked {
    /// With the newest message of the conversation that is not their own.
    due: BTreeMap<UserId, MessageId>,
    standing: Vec<UserId>,
}

async fn look_up<C: ConnectionTrait>(
    on: &C,
    conversation: ConversationId,
    message: MessageId,
    users: &BTreeMap<UserId, NotificationId>,
) -> Result<Looked, Failed> {
    #[derive(FromQueryResult)]
    struct Row {
        user_id: String,
        standing: bool,
        due: bool,
        newest: Option<Vec<u8>>,
    }
    let users: Vec<&str> = users.keys().map(UserId::as_str).collect();
    let rows: Vec<Row> = Sql::new(
        "SELECT d.atom AS user_id, \
             EXISTS (SELECT 1 FROM notifications n \
                 WHERE n.user_id = d.atom AND n.conversation_id = ?2 AND n.read = 0) AS standing, \
             coalesce(m.sender_id <> d.atom AND m.seq > p.read_position AND m.seq > p.floor_seq \
                 AND coalesce(b.chat, 1) <> 0 AND NOT EXISTS ( \
                     SELECT 1 FROM json_each(p.ahead) \
                     WHERE m.seq BETWEEN CAST(value ->> 0 AS BIGINT) AND CAST(value ->> 1 AS BIGINT)), false) AS due, \
             (SELECT newest.id FROM messages newest WHERE newest.conversation_id = ?2 AND newest.sender_id <> d.atom \
              ORDER BY newest.seq DESC LIMIT 1) AS newest \
         FROM json_each(?1) d \
         LEFT JOIN messages m ON m.id = ?3 AND m.conversation_id = ?2 \
         LEFT JOIN participants p ON p.conversation_id = ?2 AND p.user_id = d.atom \
         LEFT JOIN inboxes b ON b.user_id = d.atom",
    )
    .bind_json(&users)?
    .bind(conversation.bytes().to_vec())
    .bind(message.bytes().to_vec())
    .rows(on)
    .await?;
    let mut looked = Looked { due: BTreeMap::new(), standing: Vec::new() };
    for Row { user_id: user, standing, due, newest } in rows {
        if standing {
            looked.standing.push(user_id(&user)?);
        } else if due {
            let newest = newest.ok_or(BadRow("conversation without the message"))?;
            looked.due.insert(user_id(&user)?, object_id(&newest)?.into());
        }
    }
    Ok(looked)
}

/// Adds new unread notifications to the counts, and says with each how many its user has unread after all.
async fn add(transaction: &DatabaseTransaction, made: Vec<Notification>) -> Result<Vec<Counted<Notification>>, Failed> {
    #[derive(FromQueryResult)]
    struct Row {
        user_id: String,
        unread: i64,
    }
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for notification in &made {
        *counts.entry(notification.user_id.as_str()).or_default() += 1;
    }
    let counts: Vec<(&str, u64)> = counts.into_iter().collect();
    // `WHERE true` keeps the parser from taking `ON CONFLICT` for a condition of a join.
    let rows: Vec<Row> = Sql::new(
        "INSERT INTO inboxes (user_id, total, unread) \
         SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), CAST(value ->> 1 AS BIGINT) FROM json_each(?) WHERE true \
         ON CONFLICT (user_id) DO UPDATE SET total = inboxes.total + excluded.total, \
             unread = inboxes.unread + excluded.unread \
         RETURNING user_id, unread",
    )
    .bind_json(&counts)?
    .rows(transaction)
    .await?;
    let mut unread: HashMap<String, u64> = HashMap::with_capacity(rows.len());
    for Row { user_id, unread: number } in rows {
        unread.insert(user_id, count(number)?);
    }
    let counted = |value: Notification| {
        let unread = unread.get(value.user_id.as_str()).copied().ok_or(BadRow("inbox"))?;
        Ok(Counted { value, unread })
    };
    made.into_iter().map(counted).collect()
}
