//! What users want to be told: columns of their inboxes. Who has no inbox yet wants everything.

use std::collections::{HashMap, HashSet};

use parlance_domain::model::{Preferences, PreferencesChange, UserId};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::error::{BadRow, Failed};
use crate::rows::user_id;
use crate::statement::Sql;
use crate::{SqlStorage, commit};

#[derive(Debug, FromQueryResult)]
#[expect(clippy::struct_excessive_bools, reason = "the columns, as the preferences name them")]
pub(crate) struct PreferencesRow {
    email: bool,
    push: bool,
    chat: bool,
    job_match: bool,
}

impl From<PreferencesRow> for Preferences {
    fn from(PreferencesRow { email, push, chat, job_match }: PreferencesRow) -> Self {
        Self { email, push, chat, job_match }
    }
}

/// The columns of [`PreferencesRow`], from an inbox `b` that may not be there.
macro_rules! wanted {
    () => {
        "coalesce(b.email, 1) <> 0 AS email, coalesce(b.push, 1) <> 0 AS push, coalesce(b.chat, 1) <> 0 AS chat, \
         coalesce(b.job_match, 1) <> 0 AS job_match"
    };
}
pub(crate) use wanted;

/// What `user` wants.
pub(crate) async fn find<C: ConnectionTrait>(on: &C, user: &UserId) -> Result<Preferences, Failed> {
    let sql = Sql::new(concat!("SELECT ", wanted!(), " FROM inboxes b WHERE b.user_id = ?"));
    let row: Option<PreferencesRow> = sql.bind(user.as_str()).row(on).await?;
    Ok(row.map_or_else(Preferences::default, Preferences::from))
}

/// What those of `users` who exist want.
pub(crate) async fn list<C: ConnectionTrait>(
    on: &C,
    users: &HashSet<&UserId>,
) -> Result<HashMap<UserId, Preferences>, Failed> {
    #[derive(FromQueryResult)]
    struct Row {
        id: String,
        #[sea_orm(nested)]
        preferences: PreferencesRow,
    }
    let users: Vec<&str> = users.iter().map(|user| user.as_str()).collect();
    let rows: Vec<Row> = Sql::new(concat!(
        "SELECT u.id, ",
        wanted!(),
        " FROM json_each(?) d JOIN users u ON u.id = d.atom LEFT JOIN inboxes b ON b.user_id = u.id",
    ))
    .bind_json(&users)?
    .rows(on)
    .await?;
    rows.into_iter().map(|Row { id, preferences }| Ok((user_id(&id)?, preferences.into()))).collect()
}

/// Changes what `user` wants.
pub(crate) async fn update(
    storage: &SqlStorage,
    user: &UserId,
    change: PreferencesChange,
) -> Result<Preferences, Failed> {
    let PreferencesChange { email, push, chat, job_match } = change;
    let transaction = storage.pools.begin().await?;
    let row: Option<PreferencesRow> = Sql::new(concat!(
        "INSERT INTO inboxes AS b (user_id, email, push, chat, job_match) \
         VALUES (?1, coalesce(?2, 1), coalesce(?3, 1), coalesce(?4, 1), coalesce(?5, 1)) \
         ON CONFLICT (user_id) DO UPDATE SET email = coalesce(?2, b.email), push = coalesce(?3, b.push), \
             chat = coalesce(?4, b.chat), job_match = coalesce(?5, b.job_match) RETURNING ",
        "email <> 0 AS email, push <> 0 AS push, chat <> 0 AS chat, job_match <> 0 AS job_match",
    ))
    .bind(user.as_str())
    .bind(email.map(i64::from))
    .bind(push.map(i64::from))
    .bind(chat.map(i64::from))
    .bind(job_match.map(i64::from))
    .row(&transaction)
    .await?;
    commit(transaction).await?;
    Ok(row.ok_or(BadRow("inbox"))?.into())
}
