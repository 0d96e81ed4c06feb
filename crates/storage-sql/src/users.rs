//! The `Users` port. Contacts with a token that says nothing new are answered by a reading connection.

use async_trait::async_trait;
use parlance_domain::model::{ClaimedProfile, ProfileChange, Timestamp, User, UserId};
use parlance_domain::ports::{StorageResult, Users};
use parlance_domain::rules::media::Named;
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};

use crate::error::Failed;
use crate::media_items::{Use, update_uses};
use crate::rows::{self, UserRow, sql_number};
use crate::statement::Sql;
use crate::{SqlStorage, commit, locks};

/// A user together with what their last token claimed.
#[derive(Debug, FromQueryResult)]
struct KnownRow {
    id: String,
    name: String,
    picture: Option<String>,
    claimed_name: Option<String>,
    claimed_picture: Option<String>,
}

/// From when on a user's tokens are good.
#[derive(Debug, FromQueryResult)]
struct RevocationRow {
    revoked_before: Option<i64>,
}

#[async_trait]
impl Users for SqlStorage {
    async fn find_user(&self, id: &UserId) -> StorageResult<Option<User>> {
        self.again(|| find(self.pools.reader(), id)).await
    }

    async fn list_users(&self, ids: &[UserId]) -> StorageResult<Vec<User>> {
        let ids: Vec<&str> = ids.iter().map(UserId::as_str).collect();
        self.again(|| list(self.pools.reader(), &ids)).await
    }

    async fn search_users(&self, text: &str, limit: usize) -> StorageResult<Vec<User>> {
        self.again(|| search(self.pools.reader(), text, limit)).await
    }

    async fn record_claims(
        &self,
        id: &UserId,
        claims: &ClaimedProfile,
        create: bool,
        now: Timestamp,
    ) -> StorageResult<Option<User>> {
        self.again(|| self.record(id, claims, create, now)).await
    }

    async fn update_profile(&self, id: &UserId, change: &ProfileChange) -> StorageResult<Option<User>> {
        self.again(|| self.update(id, change)).await
    }

    async fn find_revocation(&self, id: &UserId) -> StorageResult<Option<Timestamp>> {
        self.again(|| async { Ok(revocation(self.pools.reader(), id).await?.flatten()) }).await
    }

    async fn revoke_tokens(&self, id: &UserId, before: Timestamp) -> StorageResult<Option<Timestamp>> {
        self.again(|| self.revoke(id, before)).await
    }
}

impl SqlStorage {
    async fn record(
        &self,
        id: &UserId,
        claims: &ClaimedProfile,
        create: bool,
        now: Timestamp,
    ) -> Result<Option<User>, Failed> {
        if let Some((user, None)) = known(self.pools.reader(), id).await?.map(|row| applied(row, claims)).transpose()? {
            return Ok(Some(user));
        }
        if create && let Some(user) = self.insert_gathered(id, claims, now).await {
            return Ok(Some(user));
        }
        let transaction = self.pools.begin().await?;
        if create && let Some(user) = insert(&transaction, id, claims, now).await? {
            commit(transaction).await?;
            return Ok(Some(user));
        }
        locks::user(&transaction, id).await?;
        let Some(row) = known(&transaction, id).await? else { return Ok(None) };
        let before = row.picture.clone();
        let (user, claimed) = applied(row, claims)?;
        if let Some(ClaimedProfile { name, picture }) = claimed {
            Sql::new("UPDATE users SET name = ?, picture = ?, claimed_name = ?, claimed_picture = ? WHERE id = ?")
                .bind(user.name.clone())
                .bind(user.picture.clone())
                .bind(name)
                .bind(picture)
                .bind(user.id.as_str())
                .run(&transaction)
                .await?;
            use_picture(&transaction, &user, before.as_deref()).await?;
            commit(transaction).await?;
        }
        Ok(Some(user))
    }

    /// Makes a user together with others who come now, where that goes; `None` where it does not, or if they are there.
    async fn insert_gathered(&self, id: &UserId, claims: &ClaimedProfile, now: Timestamp) -> Option<User> {
        let prepared = self.pools.prepared()?;
        let user = new_user(id, claims);
        let goes = Named::by_urls(user.picture.as_deref()).is_empty();
        (goes && prepared.make(user.clone(), claims.clone(), now).await).then_some(user)
    }

    async fn update(&self, id: &UserId, change: &ProfileChange) -> Result<Option<User>, Failed> {
        let transaction = self.pools.begin().await?;
        locks::user(&transaction, id).await?;
        let Some(mut user) = find(&transaction, id).await? else { return Ok(None) };
        let ProfileChange { name, picture } = change.clone();
        user.name = name.unwrap_or(user.name);
        let before = user.picture.clone();
        user.picture = picture.unwrap_or(user.picture);
        Sql::new("UPDATE users SET name = ?, picture = ? WHERE id = ?")
            .bind(user.name.clone())
            .bind(user.picture.clone())
            .bind(id.as_str())
            .run(&transaction)
            .await?;
        use_picture(&transaction, &user, before.as_deref()).await?;
        commit(transaction).await?;
        Ok(Some(user))
    }

    async fn revoke(&self, id: &UserId, before: Timestamp) -> Result<Option<Timestamp>, Failed> {
        let transaction = self.pools.begin().await?;
        locks::user(&transaction, id).await?;
        let Some(revoked) = revocation(&transaction, id).await? else { return Ok(None) };
        let now = revoked.max(Some(before));
        if now != revoked {
            Sql::new("UPDATE users SET revoked_before = ? WHERE id = ?")
                .bind(before.millis())
                .bind(id.as_str())
                .run(&transaction)
                .await?;
            commit(transaction).await?;
        }
        Ok(now)
    }
}

/// Makes a user who is not there yet.
pub(crate) const INSERT: &str = "INSERT INTO users (id, name, picture, claimed_name, claimed_picture, created_at) \
                                 VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING";

/// A user as `claims` say.
fn new_user(id: &UserId, claims: &ClaimedProfile) -> User {
    let mut user = User::nameless(id.clone());
    user.name = claims.name.clone().unwrap_or(user.name);
    user.picture.clone_from(&claims.picture);
    user
}

/// A new user after `claims`; `None` if somebody has made them already.
async fn insert(
    transaction: &DatabaseTransaction,
    id: &UserId,
    claims: &ClaimedProfile,
    now: Timestamp,
) -> Result<Option<User>, Failed> {
    let user = new_user(id, claims);
    let inserted = Sql::new(INSERT)
        .bind(user.id.as_str())
        .bind(user.name.clone())
        .bind(user.picture.clone())
        .bind(claims.name.clone())
        .bind(claims.picture.clone())
        .bind(now.millis())
        .run(transaction)
        .await?;
    if inserted == 0 {
        return Ok(None);
    }
    use_picture(transaction, &user, None).await?;
    Ok(Some(user))
}

/// The user's picture is in use, and the one before is not.
async fn use_picture(transaction: &DatabaseTransaction, user: &User, before: Option<&str>) -> Result<(), Failed> {
    let names = Named::by_urls(user.picture.as_deref());
    update_uses(transaction, Use::Picture(&user.id), Named::by_urls(before), names).await
}

/// The user after `claims`, and what is claimed now if that or the user differs from what is stored.
fn applied(row: KnownRow, claims: &ClaimedProfile) -> Result<(User, Option<ClaimedProfile>), Failed> {
    let KnownRow { id, name, picture, claimed_name, claimed_picture } = row;
    let mut user = User { id: rows::user_id(&id)?, name, picture };
    let mut claimed = ClaimedProfile { name: claimed_name, picture: claimed_picture };
    let mut changed = false;
    if claims.name.is_some() && claims.name != claimed.name {
        user.name = claims.name.clone().unwrap_or(user.name);
        claimed.name.clone_from(&claims.name);
        changed = true;
    }
    if claims.picture.is_some() && claims.picture != claimed.picture {
        user.picture.clone_from(&claims.picture);
        claimed.picture.clone_from(&claims.picture);
        changed = true;
    }
    Ok((user, changed.then_some(claimed)))
}

async fn known<C: ConnectionTrait>(on: &C, id: &UserId) -> Result<Option<KnownRow>, Failed> {
    let sql = Sql::new("SELECT id, name, picture, claimed_name, claimed_picture FROM users WHERE id = ?");
    Ok(sql.bind(id.as_str()).row(on).await?)
}

async fn find<C: ConnectionTrait>(on: &C, id: &UserId) -> Result<Option<User>, Failed> {
    let sql = Sql::new("SELECT id, name, picture FROM users WHERE id = ?").bind(id.as_str());
    Ok(sql.row::<UserRow, _>(on).await?.map(User::try_from).transpose()?)
}

/// The moment before which the tokens of a user are revoked, if there is such a user.
async fn revocation<C: ConnectionTrait>(on: &C, id: &UserId) -> Result<Option<Option<Timestamp>>, Failed> {
    let sql = Sql::new("SELECT revoked_before FROM users WHERE id = ?").bind(id.as_str());
    let row = sql.row::<RevocationRow, _>(on).await?;
    Ok(row.map(|RevocationRow { revoked_before }| revoked_before.map(Timestamp::from_millis)))
}

async fn list<C: ConnectionTrait>(on: &C, ids: &[&str]) -> Result<Vec<User>, Failed> {
    let sql = Sql::new("SELECT id, name, picture FROM users WHERE id IN (SELECT atom FROM json_each(?))");
    Ok(rows::all::<UserRow, _>(sql.bind_json(&ids)?.rows(on).await?)?)
}

async fn search<C: ConnectionTrait>(on: &C, text: &str, limit: usize) -> Result<Vec<User>, Failed> {
    if cannot_occur(text) {
        return Ok(Vec::new());
    }
    let sql = Sql::new(
        r"SELECT id, name, picture FROM users WHERE lower(name) LIKE lower(?) ESCAPE '\' OR id = ? ORDER BY id LIMIT ?",
    );
    let sql = sql.bind(containing(text)).bind(text).bind(sql_number(limit));
    Ok(rows::all::<UserRow, _>(sql.rows(on).await?)?)
}

/// Whether no stored text can contain this one. The domain lets no NUL in, and PostgreSQL takes none, not even to
/// look for.
pub(crate) fn cannot_occur(text: &str) -> bool {
    text.contains('\0')
}

/// The `LIKE` pattern (with `\` as its escape) of what contains `text`.
pub(crate) fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
