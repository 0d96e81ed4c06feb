//! The `Conversations` port: starting and finding them, their rosters and contacts. Lists are in `list`,
//! changes to groups in `groups`.

use async_trait::async_trait;
use parlance_domain::error::Result as Verdict;
use parlance_domain::model::{
    Conversation, ConversationCursor, ConversationId, ConversationKind, Page, Role, Roster, Timestamp, UserId,
};
use parlance_domain::ports::{
    ConversationEntry, ConversationQuery, Conversations, GroupChange, Head, NewConversation, Started, StorageResult,
};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::error::{BadRow, Failed};
use crate::rows::{
    self, ConversationRow, conversation_columns, conversation_kind, conversation_kind_number, role_number, user_id,
};
use crate::statement::Sql;
use crate::{SqlStorage, commit, groups, list, outbox};

#[async_trait]
impl Conversations for SqlStorage {
    async fn start_conversation(&self, new: &NewConversation, now: Timestamp) -> StorageResult<Started> {
        self.again(|| self.start(new, now)).await
    }

    async fn find_conversation(&self, id: ConversationId) -> StorageResult<Option<Conversation>> {
        self.again(|| find(self.pools.reader(), id)).await
    }

    async fn list_conversations(&self, ids: &[ConversationId]) -> StorageResult<Vec<Conversation>> {
        self.again(|| list(self.pools.reader(), ids)).await
    }

    async fn find_roster(&self, id: ConversationId) -> StorageResult<Option<Roster>> {
        self.again(|| find_roster(self.pools.reader(), id)).await
    }

    async fn find_entry(&self, id: ConversationId, viewer: &UserId) -> StorageResult<Option<ConversationEntry>> {
        self.again(|| list::find_entry(self, id, viewer)).await
    }

    async fn list_entries(
        &self,
        viewer: &UserId,
        query: &ConversationQuery,
    ) -> StorageResult<Page<ConversationEntry, ConversationCursor>> {
        self.again(|| list::list_entries(self, viewer, query)).await
    }

    async fn update_group(
        &self,
        id: ConversationId,
        actor: &UserId,
        change: &GroupChange,
        now: Timestamp,
    ) -> StorageResult<Verdict<Conversation>> {
        self.again(|| groups::update(self, id, actor, change, now)).await
    }

    async fn list_contacts(&self, user: &UserId) -> StorageResult<Vec<UserId>> {
        self.again(|| self.contacts(user)).await
    }

    async fn list_heads(&self, users: &[UserId]) -> StorageResult<Vec<Head>> {
        self.again(|| self.heads(users)).await
    }
}

/// How far a conversation has come that somebody is in.
#[derive(Debug, FromQueryResult)]
struct HeadRow {
    user_id: String,
    id: Vec<u8>,
    last_seq: i64,
    rev: i64,
}

impl SqlStorage {
    async fn start(&self, new: &NewConversation, now: Timestamp) -> Result<Started, Failed> {
        let (id, kind, title, key, people) = match new {
            NewConversation::Direct { id, starter, other } => {
                let key = direct_key(starter, other);
                // Starting an existing conversation is the way clients open it: most starts write nothing.
                if let Some(conversation) = find_direct(self.pools.reader(), &key).await? {
                    return Ok(Started { conversation, created: false });
                }
                (*id, ConversationKind::Direct, None, Some(key), vec![(starter, Role::Member), (other, Role::Member)])
            }
            NewConversation::Group { id, title, owner, members } => {
                let members = members.iter().map(|member| (member, Role::Member));
                let people = std::iter::once((owner, Role::Owner)).chain(members).collect();
                (*id, ConversationKind::Group, Some(title.clone()), None, people)
            }
        };
        let transaction = self.pools.begin().await?;
        let inserted = Sql::new(
            "INSERT INTO conversations (id, kind, direct_key, title, created_at, updated_at, active_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?5) ON CONFLICT (direct_key) DO NOTHING",
        )
        .bind(id.bytes().to_vec())
        .bind(conversation_kind_number(kind))
        .bind(key.clone())
        .bind(title.as_ref().map(|title| title.as_str().to_owned()))
        .bind(now.millis())
        .run(&transaction)
        .await?;
        if inserted == 0 {
            // Somebody else has started it meanwhile, and has committed: the insertion waited for that.
            let key = key.ok_or(BadRow("conversation"))?;
            let conversation = find_direct(&transaction, &key).await?.ok_or(BadRow("conversation"))?;
            return Ok(Started { conversation, created: false });
        }
        let people: Vec<(&str, i64)> =
            people.into_iter().map(|(user, role)| (user.as_str(), role_number(role))).collect();
        insert_participants(&transaction, id, &people, 0, now).await?;
        let conversation = Conversation {
            id,
            kind,
            title,
            image: None,
            last_seq: 0,
            rev: 0,
            created_at: now,
            updated_at: now,
            active_at: now,
        };
        outbox::insert(&transaction, &self.wanted.started(&conversation)).await?;
        commit(transaction).await?;
        Ok(Started { conversation, created: true })
    }

    async fn contacts(&self, user: &UserId) -> Result<Vec<UserId>, Failed> {
        let ids: Vec<String> = Sql::new(
            "SELECT DISTINCT other.user_id FROM participants own \
             JOIN participants other ON other.conversation_id = own.conversation_id \
             WHERE own.user_id = ?1 AND other.user_id <> ?1 \
               AND NOT EXISTS (SELECT 1 FROM blocks WHERE blocker = ?1 AND blocked = other.user_id) \
               AND NOT EXISTS (SELECT 1 FROM blocks WHERE blocker = other.user_id AND blocked = ?1)",
        )
        .bind(user.as_str())
        .scalars(self.pools.reader())
        .await?;
        Ok(ids.iter().map(|id| user_id(id)).collect::<Result<_, _>>()?)
    }

    async fn heads(&self, users: &[UserId]) -> Result<Vec<Head>, Failed> {
        let users: Vec<&str> = users.iter().map(UserId::as_str).collect();
        let rows: Vec<HeadRow> = Sql::new(
            "SELECT p.user_id, c.id, c.last_seq, c.rev \
             FROM participants p JOIN conversations c ON c.id = p.conversation_id \
             WHERE p.user_id IN (SELECT atom FROM json_each(?))",
        )
        .bind_json(&users)?
        .rows(self.pools.reader())
        .await?;
        let head = |HeadRow { user_id: user, id, last_seq, rev }| {
            Ok(Head {
                user_id: user_id(&user)?,
                conversation_id: rows::object_id(&id)?.into(),
                last_seq: rows::count(last_seq)?,
                rev: rows::count(rev)?,
            })
        };
        rows.into_iter().map(head).collect()
    }
}

/// One key for two people, whoever of them is named first. User ids have no control characters.
pub(crate) fn direct_key(one: &UserId, other: &UserId) -> String {
    let (first, second) = if one <= other { (one, other) } else { (other, one) };
    format!("{first}\n{second}")
}

/// The two people of a key.
pub(crate) fn people_of(key: &str) -> Result<(UserId, UserId), BadRow> {
    let (one, other) = key.split_once('\n').ok_or(BadRow("pair of a conversation"))?;
    Ok((user_id(one)?, user_id(other)?))
}

/// The conversation with this id.
pub(crate) async fn find<C: ConnectionTrait>(on: &C, id: ConversationId) -> Result<Option<Conversation>, Failed> {
    let sql = Sql::new(concat!("SELECT ", conversation_columns!(), " FROM conversations c WHERE c.id = ?"));
    let row: Option<ConversationRow> = sql.bind(id.bytes().to_vec()).row(on).await?;
    Ok(row.map(Conversation::try_from).transpose()?)
}

async fn list<C: ConnectionTrait>(on: &C, ids: &[ConversationId]) -> Result<Vec<Conversation>, Failed> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let sql = Sql::new(concat!(
        "SELECT ",
        conversation_columns!(),
        " FROM conversations c WHERE c.id IN (SELECT unhex(atom) FROM json_each(?))"
    ));
    Ok(rows::all::<ConversationRow, _>(sql.bind_json(&ids)?.rows(on).await?)?)
}

async fn find_direct<C: ConnectionTrait>(on: &C, key: &str) -> Result<Option<Conversation>, Failed> {
    let sql = Sql::new(concat!("SELECT ", conversation_columns!(), " FROM conversations c WHERE c.direct_key = ?"));
    let row: Option<ConversationRow> = sql.bind(key).row(on).await?;
    Ok(row.map(Conversation::try_from).transpose()?)
}

/// Who is in the conversation.
pub(crate) async fn find_roster<C: ConnectionTrait>(on: &C, id: ConversationId) -> Result<Option<Roster>, Failed> {
    #[derive(Debug, sea_orm::FromQueryResult)]
    struct RosterRow {
        kind: i64,
        user_id: Option<String>,
    }
    // The outer join tells an empty group from no conversation.
    let rows: Vec<RosterRow> = Sql::new(
        "SELECT c.kind, p.user_id FROM conversations c LEFT JOIN participants p ON p.conversation_id = c.id WHERE c.id = ?",
    )
    .bind(id.bytes().to_vec())
    .rows(on)
    .await?;
    let Some(RosterRow { kind, .. }) = rows.first() else { return Ok(None) };
    let kind = conversation_kind(*kind)?;
    let users = rows.iter().filter_map(|row| row.user_id.as_deref()).map(user_id).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(Roster::new(kind, users)))
}

/// Adds people, given as (user, role), for whom nothing up to `seq` is unread. What those who come again had read
/// and received is theirs again.
pub(crate) async fn insert_participants<C: ConnectionTrait>(
    on: &C,
    id: ConversationId,
    people: &[(&str, i64)],
    seq: i64,
    now: Timestamp,
) -> Result<(), Failed> {
    Sql::new(
        "INSERT INTO participants \
             (conversation_id, user_id, role, joined_at, floor_seq, read_position, delivered_position, ahead) \
         SELECT ?1, d.value ->> 0, CAST(d.value ->> 1 AS BIGINT), ?2, ?3, \
             coalesce(f.read_position, 0), coalesce(f.delivered_position, 0), f.ahead \
         FROM json_each(?4) d \
         LEFT JOIN former_participants f ON f.conversation_id = ?1 AND f.user_id = d.value ->> 0",
    )
    .bind(id.bytes().to_vec())
    .bind(now.millis())
    .bind(seq)
    .bind_json(&people)?
    .run(on)
    .await?;
    Ok(())
}
