//! The `Receipts` port: moving read positions, and counting what lies beyond them. A count is a subtraction
//! on the participant's row; messages are looked at only to name the newest that were read.
//! Delivery is in `delivery`.

use async_trait::async_trait;
use parlance_domain::error::{Attempt, Error, Result as Verdict};
use parlance_domain::model::{ConversationId, SeqRange, UserId, Watermarks};
use parlance_domain::ports::{DeliveredNow, ReadMarked, ReadMessage, ReadTarget, Receipts, StorageResult};
use parlance_domain::rules::ranges::{keep_newest, newest};
use parlance_domain::rules::reading::Mark;
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::error::Failed;
use crate::rows::{self, count, larger, ranges_to_json, read_state, sql_number, unread, user_id};
use crate::statement::Sql;
use crate::watermarks::list_watermarks;
use crate::{SqlStorage, commit, delivery, locks};

#[async_trait]
impl Receipts for SqlStorage {
    async fn mark_read(
        &self,
        conversation: ConversationId,
        reader: &UserId,
        target: &ReadTarget,
    ) -> StorageResult<Verdict<ReadMarked>> {
        self.again(|| self.mark(conversation, reader, target)).await
    }

    async fn mark_delivered(&self, user: &UserId) -> StorageResult<Vec<DeliveredNow>> {
        self.again(|| delivery::mark_delivered(self, user)).await
    }

    async fn list_unread(&self, user: &UserId) -> StorageResult<Vec<(ConversationId, u64)>> {
        self.again(|| self.unread_by_conversation(user)).await
    }

    async fn list_unread_of(
        &self,
        conversation: ConversationId,
        users: &[UserId],
    ) -> StorageResult<Vec<(UserId, u64)>> {
        self.again(|| self.unread_by_user(conversation, users)).await
    }

    async fn list_watermarks(
        &self,
        conversations: &[ConversationId],
    ) -> StorageResult<Vec<(ConversationId, Watermarks)>> {
        let marks = self.again(|| list_watermarks(self.pools.reader(), conversations)).await?;
        Ok(marks.into_iter().collect())
    }
}

/// Where a reader stands. The columns of a participant are empty if they are not in the conversation.
#[derive(Debug, FromQueryResult)]
struct ReaderRow {
    last_seq: i64,
    floor_seq: Option<i64>,
    read_position: Option<i64>,
    ahead: Option<String>,
    dead_count: Option<i64>,
}

impl SqlStorage {
    async fn mark(
        &self,
        conversation: ConversationId,
        reader: &UserId,
        target: &ReadTarget,
    ) -> Result<Verdict<ReadMarked>, Failed> {
        // Clients mark again and again what is read already; that must not queue behind the writers.
        match decide(self.pools.reader(), conversation, reader, target).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(mark) if mark.before == mark.after => {
                return Ok(Ok(ReadMarked { newly_read: Vec::new(), unread: mark.unread(mark.dead) }));
            }
            Ok(_) => {}
        }
        let transaction = self.pools.begin().await?;
        locks::participant(&transaction, conversation, reader).await?;
        let mark = match decide(&transaction, conversation, reader, target).await? {
            Err(refusal) => return Ok(Err(refusal)),
            Ok(mark) => mark,
        };
        let read = mark.read();
        let newly_read = list_read(&transaction, conversation, reader, &newest(&read, mark.dead)).await?;
        let dead = match mark.dead {
            0 => 0,
            dead => dead.saturating_sub(count_dead(&transaction, conversation, &read).await?),
        };
        Sql::new(
            "UPDATE participants SET read_position = ?, ahead = ?, ahead_count = ?, dead_count = ? \
             WHERE conversation_id = ? AND user_id = ?",
        )
        .bind(sql_number(mark.after.position()))
        .bind(ranges_to_json(mark.after.ahead())?)
        .bind(sql_number(mark.ahead_count()))
        .bind(sql_number(dead))
        .bind(conversation.bytes().to_vec())
        .bind(reader.as_str())
        .run(&transaction)
        .await?;
        commit(transaction).await?;
        Ok(Ok(ReadMarked { newly_read, unread: mark.unread(dead) }))
    }

    async fn unread_by_conversation(&self, user: &UserId) -> Result<Vec<(ConversationId, u64)>, Failed> {
        #[derive(FromQueryResult)]
        struct UnreadRow {
            id: Vec<u8>,
            unread: i64,
        }
        let rows: Vec<UnreadRow> = Sql::new(concat!(
            "SELECT c.id, ",
            unread!(),
            " AS unread \
             FROM participants p JOIN conversations c ON c.id = p.conversation_id \
             WHERE p.user_id = ? AND ",
            unread!(),
            " > 0"
        ))
        .bind(user.as_str())
        .rows(self.pools.reader())
        .await?;
        let unread = |UnreadRow { id, unread }| Ok((rows::object_id(&id)?.into(), count(unread)?));
        rows.into_iter().map(unread).collect()
    }

    async fn unread_by_user(
        &self,
        conversation: ConversationId,
        users: &[UserId],
    ) -> Result<Vec<(UserId, u64)>, Failed> {
        #[derive(FromQueryResult)]
        struct UnreadRow {
            user_id: String,
            unread: i64,
        }
        let users: Vec<&str> = users.iter().map(UserId::as_str).collect();
        let rows: Vec<UnreadRow> = Sql::new(concat!(
            "SELECT p.user_id, ",
            unread!(),
            " AS unread \
             FROM participants p JOIN conversations c ON c.id = p.conversation_id \
             WHERE p.conversation_id = ? AND p.user_id IN (SELECT atom FROM json_each(?))"
        ))
        .bind(conversation.bytes().to_vec())
        .bind_json(&users)?
        .rows(self.pools.reader())
        .await?;
        let unread = |UnreadRow { user_id: id, unread }| Ok((user_id(&id)?, count(unread)?));
        rows.into_iter().map(unread).collect()
    }
}

/// Works out what marking `target` comes to, without writing.
async fn decide<C: ConnectionTrait>(
    on: &C,
    conversation: ConversationId,
    reader: &UserId,
    target: &ReadTarget,
) -> Result<Verdict<Mark>, Failed> {
    let row: Option<ReaderRow> = Sql::new(
        "SELECT c.last_seq, p.floor_seq, p.read_position, p.ahead, p.dead_count FROM conversations c \
         LEFT JOIN participants p ON p.conversation_id = c.id AND p.user_id = ? WHERE c.id = ?",
    )
    .bind(reader.as_str())
    .bind(conversation.bytes().to_vec())
    .row(on)
    .await?;
    let Some(ReaderRow { last_seq, floor_seq, read_position, ahead, dead_count }) = row else {
        return Ok(Err(Error::ConversationNotFound));
    };
    let (Some(floor), Some(read_position), Some(dead_count)) = (floor_seq, read_position, dead_count) else {
        return Ok(Err(Error::NotParticipant(Attempt::Access)));
    };
    let before = read_state(read_position, ahead.as_deref())?;
    let (mut after, last_seq) = (before.clone(), count(last_seq)?);
    match target {
        ReadTarget::All => {
            after.advance_to(last_seq);
        }
        ReadTarget::UpTo(id) => match list_seqs(on, conversation, &[id.to_string()]).await?.as_slice() {
            [seq, ..] => {
                after.advance_to(*seq);
            }
            [] => return Ok(Err(Error::MessageNotFound)),
        },
        ReadTarget::Messages(ids) => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            for seq in list_seqs(on, conversation, &ids).await? {
                after.mark(seq);
            }
        }
    }
    Ok(Ok(Mark { before, after, last_seq, floor: count(floor)?, dead: count(dead_count)? }))
}

/// The places of those of `ids` that are in the conversation, rising.
async fn list_seqs<C: ConnectionTrait>(on: &C, id: ConversationId, ids: &[String]) -> Result<Vec<u64>, Failed> {
    let seqs: Vec<i64> = Sql::new(
        "SELECT m.seq FROM json_each(?) d CROSS JOIN messages m \
         WHERE m.id = unhex(d.atom) AND m.conversation_id = ? ORDER BY m.seq",
    )
    .bind_json(&ids)?
    .bind(id.bytes().to_vec())
    .scalars(on)
    .await?;
    Ok(seqs.into_iter().map(count).collect::<Result<_, _>>()?)
}

/// Others' messages in `ranges`, without tombstones, oldest first, the newest that an answer names.
async fn list_read<C: ConnectionTrait>(
    on: &C,
    conversation: ConversationId,
    reader: &UserId,
    ranges: &[SeqRange],
) -> Result<Vec<ReadMessage>, Failed> {
    #[derive(FromQueryResult)]
    struct ReadRow {
        id: Vec<u8>,
        sender_id: String,
    }
    let rows: Vec<ReadRow> = Sql::new(
        "SELECT m.id, m.sender_id FROM json_each(?1) d CROSS JOIN messages m \
         WHERE m.conversation_id = ?2 \
           AND m.seq BETWEEN CAST(d.value ->> 0 AS BIGINT) AND CAST(d.value ->> 1 AS BIGINT) \
           AND m.sender_id <> ?3 AND m.deleted_at IS NULL ORDER BY m.seq",
    )
    .bind_json(&pairs(ranges))?
    .bind(conversation.bytes().to_vec())
    .bind(reader.as_str())
    .rows(on)
    .await?;
    let read = |ReadRow { id, sender_id }| -> Result<ReadMessage, Failed> {
        Ok(ReadMessage { id: rows::object_id(&id)?.into(), sender_id: user_id(&sender_id)? })
    };
    let mut read = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    keep_newest(&mut read);
    Ok(read)
}

/// The number of tombstones in `ranges`.
async fn count_dead<C: ConnectionTrait>(on: &C, id: ConversationId, ranges: &[SeqRange]) -> Result<u64, Failed> {
    let dead: Option<i64> = Sql::new(
        "SELECT count(*) FROM json_each(?) d CROSS JOIN messages m INDEXED BY messages_deleted \
         WHERE m.conversation_id = ? AND m.deleted_at IS NOT NULL \
           AND m.seq BETWEEN CAST(d.value ->> 0 AS BIGINT) AND CAST(d.value ->> 1 AS BIGINT)",
    )
    .bind_json(&pairs(ranges))?
    .bind(id.bytes().to_vec())
    .scalar(on)
    .await?;
    Ok(count(dead.unwrap_or(0))?)
}

fn pairs(ranges: &[SeqRange]) -> Vec<(u64, u64)> {
    ranges.iter().map(|range| (range.first, range.last)).collect()
}
