//! The leading positions of conversations, from which a message's status follows. People who have left
//! still count: a message's status never goes back.

use std::collections::HashMap;

use parlance_domain::model::{ConversationId, Seq, SeqRange, UserId, Watermarks};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::error::Failed;
use crate::rows::{count, object_id, ranges_from_json, user_id};
use crate::statement::Sql;

/// Somebody's read and delivered position, and their single reads.
type Positions = (UserId, Seq, Seq, Vec<SeqRange>);

/// One person's positions.
#[derive(Debug, FromQueryResult)]
struct MarkRow {
    conversation_id: Vec<u8>,
    user_id: Option<String>,
    read_position: Option<i64>,
    delivered_position: Option<i64>,
    ahead: Option<String>,
}

/// One statement for any number of conversations; of each, the two leaders and whoever has single reads.
const SELECT: &str = "
    WITH named AS MATERIALIZED (
        SELECT id FROM conversations WHERE id IN (SELECT unhex(atom) FROM json_each(?))
    ),
    marks AS (
        SELECT p.conversation_id, p.user_id, p.read_position, p.delivered_position, p.ahead
        FROM named CROSS JOIN participants p WHERE p.conversation_id = named.id
        UNION ALL
        SELECT f.conversation_id, f.user_id, f.read_position, f.delivered_position, f.ahead
        FROM named CROSS JOIN former_participants f WHERE f.conversation_id = named.id
    ),
    ranked AS (
        SELECT *,
            row_number() OVER (PARTITION BY conversation_id ORDER BY read_position DESC, user_id) AS by_read,
            row_number() OVER (PARTITION BY conversation_id ORDER BY delivered_position DESC, user_id) AS by_delivered
        FROM marks
    )
    SELECT named.id AS conversation_id, r.user_id, r.read_position, r.delivered_position, r.ahead
    FROM named LEFT JOIN ranked r ON r.conversation_id = named.id
        AND (r.by_read <= 2 OR r.by_delivered <= 2 OR r.ahead IS NOT NULL)
    ORDER BY r.user_id";

/// The watermarks of those of `conversations` that exist.
pub(crate) async fn list_watermarks<C: ConnectionTrait>(
    on: &C,
    conversations: &[ConversationId],
) -> Result<HashMap<ConversationId, Watermarks>, Failed> {
    let ids: Vec<String> = conversations.iter().map(ToString::to_string).collect();
    let rows: Vec<MarkRow> = Sql::new(SELECT).bind_json(&ids)?.rows(on).await?;
    let mut marks: HashMap<ConversationId, Vec<Positions>> = HashMap::new();
    for MarkRow { conversation_id, user_id: user, read_position, delivered_position, ahead } in rows {
        let people = marks.entry(object_id(&conversation_id)?.into()).or_default();
        // A conversation that everybody has left, and nobody before, has one row without a person.
        let (Some(user), Some(read), Some(delivered)) = (user, read_position, delivered_position) else { continue };
        let ahead = ahead.as_deref().map_or(Ok(Vec::new()), ranges_from_json)?;
        people.push((user_id(&user)?, count(read)?, count(delivered)?, ahead));
    }
    Ok(marks.into_iter().map(|(id, people)| (id, Watermarks::of(people))).collect())
}
