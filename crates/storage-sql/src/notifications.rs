//! The `Notifications` port: listing, marking and removing. Making them is in `notify`, what users want to be
//! told in `preferences`. Counts are columns of the user's inbox and move with the rows, in one transaction; what
//! changes nothing is found out by a reading connection.

use async_trait::async_trait;
use parlance_domain::model::{
    ConversationId, Notification, NotificationBody, NotificationId, NotificationKind, Preferences, PreferencesChange,
    Timestamp, UserId,
};
use parlance_domain::ports::{
    ChatNote, Counted, NewNotification, Noted, NotificationPage, Notifications, StorageResult,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};

use crate::error::{BadRow, Failed};
use crate::rows::{self, count, object_id, sql_number, user_id};
use crate::statement::Sql;
use crate::{SqlStorage, commit, locks, notify, preferences};

/// The message that a notification `n` stands for at this moment.
macro_rules! stands_for {
    () => {
        "CASE WHEN n.read <> 0 OR n.conversation_id IS NULL THEN n.message_id ELSE coalesce( \
             (SELECT m.id FROM participants p JOIN messages m ON m.conversation_id = p.conversation_id \
              WHERE p.conversation_id = n.conversation_id AND p.user_id = n.user_id AND m.sender_id <> n.user_id \
              ORDER BY m.seq DESC LIMIT 1), n.message_id) END"
    };
}

/// The columns of [`NotificationRow`], from a table or alias `n`.
macro_rules! notification_columns {
    () => {
        concat!(
            "n.id, n.user_id, n.kind, n.conversation_id, ",
            stands_for!(),
            " AS message_id, n.title, n.message, n.link, n.data, n.read <> 0 AS read, n.created_at"
        )
    };
}

/// A notification as it stands.
#[derive(Debug, FromQueryResult)]
pub(crate) struct NotificationRow {
    id: Vec<u8>,
    user_id: String,
    kind: String,
    conversation_id: Option<Vec<u8>>,
    message_id: Option<Vec<u8>>,
    title: Option<String>,
    message: Option<String>,
    link: Option<String>,
    data: Option<String>,
    read: bool,
    created_at: i64,
}

impl TryFrom<NotificationRow> for Notification {
    type Error = BadRow;

    fn try_from(row: NotificationRow) -> Result<Self, BadRow> {
        let NotificationRow {
            id,
            user_id: user,
            kind,
            conversation_id,
            message_id,
            title,
            message,
            link,
            data,
            read,
            created_at,
        } = row;
        let body = match (conversation_id, message_id, title, message) {
            (Some(conversation), Some(message), None, None) => NotificationBody::Chat {
                conversation_id: object_id(&conversation)?.into(),
                message_id: object_id(&message)?.into(),
            },
            (None, None, Some(title), Some(message)) => NotificationBody::Text { title, message, link, data },
            _ => return Err(BadRow("notification")),
        };
        Ok(Self {
            id: object_id(&id)?.into(),
            user_id: user_id(&user)?,
            kind: NotificationKind::from_stored(kind),
            body,
            read,
            created_at: Timestamp::from_millis(created_at),
        })
    }
}

#[async_trait]
impl Notifications for SqlStorage {
    async fn insert_notifications(&self, new: Vec<NewNotification>) -> StorageResult<Vec<Counted<Notification>>> {
        self.again(|| notify::insert(self, &new)).await
    }

    async fn note_message(&self, note: ChatNote) -> StorageResult<Noted> {
        self.again(|| notify::note(self, &note)).await
    }

    async fn list_notifications(
        &self,
        user: &UserId,
        unread_only: bool,
        offset: u64,
        limit: usize,
    ) -> StorageResult<NotificationPage> {
        self.again(|| self.page(user, unread_only, offset, limit)).await
    }

    async fn find_notification(&self, user: &UserId, id: NotificationId) -> StorageResult<Option<Notification>> {
        self.again(|| find(self.pools.reader(), user, id)).await
    }

    async fn count_unread_notifications(&self, user: &UserId) -> StorageResult<u64> {
        self.again(|| count_unread(self.pools.reader(), user)).await
    }

    async fn mark_notification_read(
        &self,
        user: &UserId,
        id: NotificationId,
    ) -> StorageResult<Option<Counted<(Notification, bool)>>> {
        self.again(|| self.mark_one(user, id)).await
    }

    async fn mark_all_notifications_read(&self, user: &UserId) -> StorageResult<Counted<u64>> {
        self.again(|| self.mark_all(user)).await
    }

    async fn mark_conversation_notification_read(
        &self,
        user: &UserId,
        conversation: ConversationId,
    ) -> StorageResult<Option<Counted<NotificationId>>> {
        self.again(|| self.mark_standing(user, conversation)).await
    }

    async fn list_standing_notifications(
        &self,
        places: &[(UserId, ConversationId)],
    ) -> StorageResult<Vec<(UserId, ConversationId)>> {
        self.again(|| list_standing(self.pools.reader(), places)).await
    }

    async fn remove_notification(&self, user: &UserId, id: NotificationId) -> StorageResult<Option<Counted<bool>>> {
        self.again(|| self.remove(user, id)).await
    }

    async fn find_preferences(&self, user: &UserId) -> StorageResult<Preferences> {
        self.again(|| preferences::find(self.pools.reader(), user)).await
    }

    async fn update_preferences(&self, user: &UserId, change: PreferencesChange) -> StorageResult<Preferences> {
        self.again(|| preferences::update(self, user, change)).await
    }
}

impl SqlStorage {
    async fn page(
        &self,
        user: &UserId,
        unread_only: bool,
        offset: u64,
        limit: usize,
    ) -> Result<NotificationPage, Failed> {
        let snapshot = self.pools.snapshot().await?;
        let counts: Option<CountsRow> = Sql::new(COUNTS).bind(user.as_str()).row(&snapshot).await?;
        let CountsRow { total, unread } = counts.unwrap_or_default();
        let unread = count(unread)?;
        let (total, page) = if unread_only { (unread, UNREAD_PAGE) } else { (count(total)?, PAGE) };
        if offset >= total {
            return Ok(NotificationPage { items: Vec::new(), total, unread });
        }
        let page = Sql::new(page).bind(user.as_str()).bind(sql_number(limit)).bind(sql_number(offset));
        let items = rows::all::<NotificationRow, _>(page.rows(&snapshot).await?)?;
        Ok(NotificationPage { items, total, unread })
    }

    async fn mark_one(
        &self,
        user: &UserId,
        id: NotificationId,
    ) -> Result<Option<Counted<(Notification, bool)>>, Failed> {
        let snapshot = self.pools.snapshot().await?;
        match find(&snapshot, user, id).await? {
            None => return Ok(None),
            Some(notification) if notification.read => {
                let unread = count_unread(&snapshot, user).await?;
                return Ok(Some(Counted { value: (notification, false), unread }));
            }
            Some(_) => drop(snapshot),
        }
        let transaction = self.pools.begin().await?;
        locks::inbox(&transaction, user).await?;
        let Some(mut notification) = find(&transaction, user, id).await? else { return Ok(None) };
        if notification.read {
            let unread = count_unread(&transaction, user).await?;
            return Ok(Some(Counted { value: (notification, false), unread }));
        }
        let unread = mark(&transaction, user, id).await?;
        commit(transaction).await?;
        notification.read = true;
        Ok(Some(Counted { value: (notification, true), unread }))
    }

    async fn mark_standing(
        &self,
        user: &UserId,
        conversation: ConversationId,
    ) -> Result<Option<Counted<NotificationId>>, Failed> {
        // Most of what is read has no notification, and must not queue behind the writers.
        if find_standing(self.pools.reader(), user, conversation).await?.is_none() {
            return Ok(None);
        }
        let transaction = self.pools.begin().await?;
        locks::inbox(&transaction, user).await?;
        let Some(id) = find_standing(&transaction, user, conversation).await? else { return Ok(None) };
        let unread = mark(&transaction, user, id).await?;
        commit(transaction).await?;
        Ok(Some(Counted { value: id, unread }))
    }

    async fn mark_all(&self, user: &UserId) -> Result<Counted<u64>, Failed> {
        if count_unread(self.pools.reader(), user).await? == 0 {
            return Ok(Counted { value: 0, unread: 0 });
        }
        let transaction = self.pools.begin().await?;
        locks::inbox(&transaction, user).await?;
        let marked = Sql::new(concat!(
            "UPDATE notifications AS n INDEXED BY notifications_unread SET read = 1, message_id = ",
            stands_for!(),
            " WHERE n.user_id = ? AND n.read = 0"
        ));
        let marked = marked.bind(user.as_str()).run(&transaction).await?;
        let unread = take(&transaction, user, 0, sql_number(marked)).await?;
        commit(transaction).await?;
        Ok(Counted { value: marked, unread })
    }

    async fn remove(&self, user: &UserId, id: NotificationId) -> Result<Option<Counted<bool>>, Failed> {
        let transaction = self.pools.begin().await?;
        locks::inbox(&transaction, user).await?;
        let removed = Sql::new("DELETE FROM notifications WHERE id = ? AND user_id = ? RETURNING read = 0");
        let removed = removed.bind(id.bytes().to_vec()).bind(user.as_str());
        let Some(was_unread) = removed.scalar::<bool, _>(&transaction).await? else { return Ok(None) };
        let unread = take(&transaction, user, 1, i64::from(was_unread)).await?;
        commit(transaction).await?;
        Ok(Some(Counted { value: was_unread, unread }))
    }
}

/// What an inbox holds.
#[derive(Default, FromQueryResult)]
struct CountsRow {
    total: i64,
    unread: i64,
}

const COUNTS: &str = "SELECT total, unread FROM inboxes WHERE user_id = ?";
const UNREAD: &str = "SELECT unread FROM inboxes WHERE user_id = ?";

/// Places that are passed over are passed over in the index; what a notification stands for is looked up for those
/// on the page alone.
const PAGE: &str = concat!(
    "SELECT ",
    notification_columns!(),
    " FROM notifications n INDEXED BY notifications_by_user WHERE n.user_id = ? \
     ORDER BY n.created_at DESC, n.id DESC LIMIT ? OFFSET ?"
);
const UNREAD_PAGE: &str = concat!(
    "SELECT ",
    notification_columns!(),
    " FROM notifications n INDEXED BY notifications_unread WHERE n.user_id = ? AND n.read = 0 \
     ORDER BY n.created_at DESC, n.id DESC LIMIT ? OFFSET ?"
);

async fn count_unread<C: ConnectionTrait>(on: &C, user: &UserId) -> Result<u64, Failed> {
    let unread: Option<i64> = Sql::new(UNREAD).bind(user.as_str()).scalar(on).await?;
    Ok(count(unread.unwrap_or(0))?)
}

async fn find<C: ConnectionTrait>(on: &C, user: &UserId, id: NotificationId) -> Result<Option<Notification>, Failed> {
    let sql =
        Sql::new(concat!("SELECT ", notification_columns!(), " FROM notifications n WHERE n.id = ? AND n.user_id = ?"));
    let row: Option<NotificationRow> = sql.bind(id.bytes().to_vec()).bind(user.as_str()).row(on).await?;
    Ok(row.map(Notification::try_from).transpose()?)
}

async fn find_standing<C: ConnectionTrait>(
    on: &C,
    user: &UserId,
    conversation: ConversationId,
) -> Result<Option<NotificationId>, Failed> {
    let sql = Sql::new("SELECT id FROM notifications WHERE user_id = ? AND conversation_id = ? AND read = 0");
    let id: Option<Vec<u8>> = sql.bind(user.as_str()).bind(conversation.bytes().to_vec()).scalar(on).await?;
    Ok(id.map(|id| object_id(&id)).transpose()?.map(Into::into))
}

async fn list_standing<C: ConnectionTrait>(
    on: &C,
    places: &[(UserId, ConversationId)],
) -> Result<Vec<(UserId, ConversationId)>, Failed> {
    let asked: Vec<_> = places.iter().map(|(user, conversation)| (user.as_str(), conversation.to_string())).collect();
    let standing: Vec<i64> = Sql::new(
        "SELECT CAST(d.key AS BIGINT) FROM json_each(?) d WHERE EXISTS ( \
             SELECT 1 FROM notifications n \
             WHERE n.user_id = d.value ->> 0 AND n.conversation_id = unhex(d.value ->> 1) AND n.read = 0)",
    )
    .bind_json(&asked)?
    .scalars(on)
    .await?;
    let place = |at: i64| usize::try_from(at).ok().and_then(|at| places.get(at)).cloned().ok_or(BadRow("key"));
    Ok(standing.into_iter().map(place).collect::<Result<_, _>>()?)
}

/// Marks one that is unread, and says how many are unread after it.
async fn mark(transaction: &DatabaseTransaction, user: &UserId, id: NotificationId) -> Result<u64, Failed> {
    Sql::new(concat!("UPDATE notifications AS n SET read = 1, message_id = ", stands_for!(), " WHERE n.id = ?"))
        .bind(id.bytes().to_vec())
        .run(transaction)
        .await?;
    take(transaction, user, 0, 1).await
}

/// Takes what is gone, and what is no longer unread, off the counts; says how many are unread after it.
async fn take(transaction: &DatabaseTransaction, user: &UserId, gone: i64, read: i64) -> Result<u64, Failed> {
    let sql = Sql::new("UPDATE inboxes SET total = total - ?, unread = unread - ? WHERE user_id = ? RETURNING unread");
    let unread: Option<i64> = sql.bind(gone).bind(read).bind(user.as_str()).scalar(transaction).await?;
    Ok(count(unread.unwrap_or(0))?)
}
