//! The leading positions of conversations, from which a message's status follows. People who have left
//! still count, and a position that was given on joining does not: a status says what was read, and it
//! never goes back.

use std::collections::{BTreeMap, HashMap};

use parlance_domain::model::{ConversationId, Seq, SeqRange, UserId, Watermarks};
use sea_orm::{ConnectionTrait, FromQueryResult};

use crate::error::Failed;
use crate::rows::{count, object_id, ranges_from_json, user_id};
use crate::statement::Sql;

/// One person's positions.
#[derive(Debug, FromQueryResult)]
struct MarkRow {
    conversation_id: Vec<u8>,
    user_id: Option<String>,
    read_position: Option<i64>,
    delivered_position: Option<i64>,
    ahead: Option<String>,
}

/// One statement for any number of conversations. Of each, the four leaders are enough for two different
/// people, since nobody has more than two rows: one as a participant, one from before they left and came again.
const SELECT: &str = "
    WITH named AS MATERIALIZED (
        SELECT id FROM conversations WHERE id IN (SELECT unhex(value) FROM json_each(?))
    ),
    marks AS (
        SELECT p.conversation_id, p.user_id, iif(p.read_position > p.joined_seq, p.read_position, 0) AS read_position,
            iif(p.delivered_position > p.joined_seq, p.delivered_position, 0) AS delivered_position, p.ahead
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
        AND (r.by_read <= 4 OR r.by_delivered <= 4 OR r.ahead IS NOT NULL)";

/// The watermarks of those of `conversations` that exist.
pub(crate) async fn list_watermarks<C: ConnectionTrait>(
    on: &C,
    conversations: &[ConversationId],
) -> Result<HashMap<ConversationId, Watermarks>, Failed> {
    let ids: Vec<String> = conversations.iter().map(ToString::to_string).collect();
    let rows: Vec<MarkRow> = Sql::new(SELECT).bind_json(&ids)?.rows(on).await?;
    let mut marks: HashMap<ConversationId, BTreeMap<UserId, (Seq, Seq, Vec<SeqRange>)>> = HashMap::new();
    for MarkRow { conversation_id, user_id: user, read_position, delivered_position, ahead } in rows {
        let people = marks.entry(object_id(&conversation_id)?.into()).or_default();
        let (Some(user), Some(read), Some(delivered)) = (user, read_position, delivered_position) else { continue };
        let (mut ahead, read, delivered) =
            (ahead.as_deref().map_or(Ok(Vec::new()), ranges_from_json)?, count(read)?, count(delivered)?);
        let person = people.entry(user_id(&user)?).or_default();
        person.0 = person.0.max(read);
        person.1 = person.1.max(delivered);
        person.2.append(&mut ahead);
    }
    let watermarks = |people: BTreeMap<UserId, (Seq, Seq, Vec<SeqRange>)>| {
        Watermarks::of(people.into_iter().map(|(user, (read, delivered, ahead))| (user, read, delivered, ahead)))
    };
    Ok(marks.into_iter().map(|(id, people)| (id, watermarks(people))).collect())
}
