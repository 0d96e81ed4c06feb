//! Moving a user's delivered position to the end everywhere, when one of their devices comes online, and
//! naming the messages whose status that changes.

use parlance_domain::model::{ConversationId, MessageStatus, Seq, UserId, Watermarks};
use parlance_domain::ports::DeliveredNow;
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromQueryResult};

use crate::error::Failed;
use crate::rows::{count, object_id, user_id};
use crate::statement::Sql;
use crate::watermarks::list_watermarks;
use crate::{SqlStorage, commit, locks};

/// Something of the conversations in which the delivered position of `?1` is not at the end. Kind 0 is a direct one:
/// across a block nobody is told who came. Those that are behind are found first: PostgreSQL would look for blocks in
/// all conversations that there are.
macro_rules! behind {
    ($what:literal, $more:literal) => {
        concat!(
            "WITH behind AS MATERIALIZED ( \
                 SELECT c.id, c.kind, c.last_seq, p.read_position \
                 FROM participants p JOIN conversations c ON c.id = p.conversation_id \
                 WHERE p.user_id = ?1 AND p.delivered_position < c.last_seq) \
             SELECT ",
            $what,
            " FROM behind WHERE NOT (behind.kind = 0 AND EXISTS ( \
                 SELECT 1 FROM participants o WHERE o.conversation_id = behind.id AND o.user_id <> ?1 AND ( \
                     EXISTS (SELECT 1 FROM blocks WHERE blocker = ?1 AND blocked = o.user_id) \
                     OR EXISTS (SELECT 1 FROM blocks WHERE blocker = o.user_id AND blocked = ?1))))",
            $more,
        )
    };
}

/// Moves the positions and names the messages.
pub(crate) async fn mark_delivered(storage: &SqlStorage, user: &UserId) -> Result<Vec<DeliveredNow>, Failed> {
    // Most who come online have missed nothing: they must not queue behind the writers. What they have read
    // cannot turn from sent to delivered any more.
    let missed = Sql::new(behind!("last_seq", " AND read_position < last_seq LIMIT 1"));
    if missed.bind(user.as_str()).scalar::<i64, _>(storage.pools.reader()).await?.is_none() {
        return Ok(Vec::new());
    }
    let transaction = storage.pools.begin().await?;
    let behind = behind(&transaction, user).await?;
    locks::conversations(&transaction, behind.iter().copied()).await?;
    let marks = list_watermarks(&transaction, &behind).await?;
    let places: Vec<_> = behind.iter().filter_map(|id| marks.get(id).map(|marks| Floor::of(*id, marks))).collect();
    let reached = list_reached(&transaction, user, &places).await?;
    Sql::new(
        "UPDATE participants SET delivered_position = c.last_seq \
         FROM json_each(?) d CROSS JOIN conversations c \
         WHERE c.id = unhex(d.atom) AND participants.conversation_id = c.id AND participants.user_id = ? \
           AND participants.delivered_position < c.last_seq",
    )
    .bind_json(&behind.iter().map(ToString::to_string).collect::<Vec<_>>())?
    .bind(user.as_str())
    .run(&transaction)
    .await?;
    commit(transaction).await?;
    let mut delivered: Vec<DeliveredNow> = Vec::new();
    for ReachedRow { conversation_id, id, sender_id, seq } in reached {
        let conversation_id = object_id(&conversation_id)?.into();
        let (sender_id, seq) = (user_id(&sender_id)?, count(seq)?);
        // The statement has left out what positions cover; what remains is single reads.
        if marks.get(&conversation_id).is_none_or(|marks| marks.status(&sender_id, seq) != MessageStatus::Sent) {
            continue;
        }
        let id = object_id(&id)?.into();
        let same = |now: &&mut DeliveredNow| now.conversation_id == conversation_id && now.sender_id == sender_id;
        match delivered.iter_mut().rev().take_while(|now| now.conversation_id == conversation_id).find(same) {
            Some(now) => now.message_ids.push(id),
            None => delivered.push(DeliveredNow { conversation_id, sender_id, message_ids: vec![id] }),
        }
    }
    Ok(delivered)
}

/// The conversations in which the user's delivered position is to move.
async fn behind<C: ConnectionTrait>(on: &C, user: &UserId) -> Result<Vec<ConversationId>, Failed> {
    let ids: Vec<Vec<u8>> = Sql::new(behind!("id", "")).bind(user.as_str()).scalars(on).await?;
    ids.iter().map(|id| Ok(object_id(id)?.into())).collect()
}

/// Up to where a conversation's messages had reached somebody: for a message of `leader` up to `others`, for
/// everybody else's up to `first`.
struct Floor {
    id: ConversationId,
    leader: String,
    first: Seq,
    others: Seq,
}

impl Floor {
    fn of(id: ConversationId, marks: &Watermarks) -> Self {
        let mut leaders: Vec<&(UserId, Seq)> = marks.read.iter().chain(&marks.delivered).collect();
        leaders.sort_by_key(|(_, mark)| std::cmp::Reverse(*mark));
        let (leader, first) =
            leaders.first().map_or((String::new(), 0), |(user, mark)| (user.as_str().to_owned(), *mark));
        let others = leaders.iter().find(|(user, _)| user.as_str() != leader).map_or(0, |(_, mark)| *mark);
        Self { id, leader, first, others }
    }
}

/// A message that nobody's position had reached.
#[derive(Debug, FromQueryResult)]
struct ReachedRow {
    conversation_id: Vec<u8>,
    id: Vec<u8>,
    sender_id: String,
    seq: i64,
}

/// The text of the statement that finds them, the newest of each conversation.
macro_rules! reached {
    ($open:literal, $close:literal) => {
        concat!(
            "WITH floors AS MATERIALIZED ( \
                 SELECT unhex(value ->> 0) AS conversation_id, value ->> 1 AS leader, \
                     CAST(value ->> 2 AS BIGINT) AS first, CAST(value ->> 3 AS BIGINT) AS others \
                 FROM json_each(?1)) \
             SELECT ",
            $open,
            " FROM messages n \
             WHERE n.conversation_id = floors.conversation_id AND n.seq > floors.others AND n.sender_id <> ?2 \
               AND n.deleted_at IS NULL \
               AND n.seq > CASE WHEN n.sender_id = floors.leader THEN floors.others ELSE floors.first END \
             ORDER BY n.seq DESC LIMIT ?3",
            $close,
            " ORDER BY m.conversation_id, m.seq",
        )
    };
}

async fn list_reached(
    transaction: &DatabaseTransaction,
    user: &UserId,
    floors: &[Floor],
) -> Result<Vec<ReachedRow>, Failed> {
    let floors: Vec<_> =
        floors.iter().map(|floor| (floor.id.to_string(), &floor.leader, floor.first, floor.others)).collect();
    // SQLite has no join that sees the row before it, PostgreSQL looks for a place in a list once for each message.
    let rows = Sql::either(
        reached!(
            "m.conversation_id, m.id, m.sender_id, m.seq FROM floors CROSS JOIN messages m WHERE m.place IN (SELECT n.place",
            ")"
        ),
        reached!("m.conversation_id, m.id, m.sender_id, m.seq FROM floors CROSS JOIN LATERAL (SELECT n.*", ") AS m"),
    );
    let most = i64::try_from(parlance_domain::rules::ranges::NEWEST).unwrap_or(i64::MAX);
    Ok(rows.bind_json(&floors)?.bind(user.as_str()).bind(most).rows(transaction).await?)
}
