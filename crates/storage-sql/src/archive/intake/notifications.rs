//! Notifications.

use std::collections::BTreeSet;

use parlance_domain::model::{Notification, NotificationBody};
use sea_orm::DatabaseTransaction;
use serde::Serialize;

use crate::error::Failed;
use crate::statement::Sql;

/// Notifications as they were stored, and the counts of their users' inboxes.
pub(super) async fn insert(transaction: &DatabaseTransaction, records: &[&Notification]) -> Result<(), Failed> {
    if records.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = records.iter().map(|notification| row(notification)).collect();
    Sql::new(
        "INSERT INTO notifications (id, user_id, kind, conversation_id, message_id, title, message, link, data, read, \
             created_at) \
         SELECT unhex(value ->> 0), value ->> 1, value ->> 2, unhex(value -> 3 ->> 0), unhex(value -> 3 ->> 1), \
             value -> 4 ->> 0, value -> 4 ->> 1, value -> 4 ->> 2, value -> 4 ->> 3, CAST(value ->> 5 AS BIGINT), \
             CAST(value ->> 6 AS BIGINT) \
         FROM json_each(?) WHERE true ON CONFLICT (id) DO NOTHING",
    )
    .bind_json(&rows)?
    .run(transaction)
    .await?;
    let users: BTreeSet<&str> = records.iter().map(|notification| notification.user_id.as_str()).collect();
    Sql::new(
        "INSERT INTO inboxes (user_id, total, unread) \
         SELECT n.user_id, count(*), count(*) FILTER (WHERE n.read = 0) FROM notifications n \
         WHERE n.user_id IN (SELECT atom FROM json_each(?)) GROUP BY n.user_id \
         ON CONFLICT (user_id) DO UPDATE SET total = excluded.total, unread = excluded.unread",
    )
    .bind_json(&users)?
    .run(transaction)
    .await?;
    Ok(())
}

fn row(notification: &Notification) -> impl Serialize {
    let Notification { id, user_id, kind, body, read, created_at } = notification;
    let (chat, words) = match body {
        NotificationBody::Chat { conversation_id, message_id } => {
            (Some((conversation_id.to_string(), message_id.to_string())), None)
        }
        NotificationBody::Text { title, message, link, data } => (None, Some((title, message, link, data))),
    };
    (id.to_string(), user_id.as_str(), kind.as_str(), chat, words, u8::from(*read), created_at.millis())
}
