//! What was found for a batch, in the words of the rule that decides about it (`rules::appending`). No statement
//! runs here.

use std::collections::{BTreeSet, HashMap};

use parlance_domain::model::{MediumId, Message, NewMessage, Timestamp};
use parlance_domain::rules::appending::{Found, Head, Standing};
use parlance_domain::rules::blocking::Blocking;

use super::lookup::FoundRow;
use crate::error::{BadRow, Failed};
use crate::rows::{count, object_id, read_state};
use crate::search::PLACE_BITS;

/// Gathers what was found for each send, and the media that are not there.
pub(crate) fn gather(
    batch: &[NewMessage],
    rows: Vec<FoundRow>,
    missing: BTreeSet<MediumId>,
) -> Result<(Found, Places), Failed> {
    if rows.len() != batch.len() {
        return Err(BadRow("batch").into());
    }
    let mut found = Found { missing, ..Found::default() };
    let mut places = Places::default();
    for (ordinal, (new, row)) in batch.iter().zip(rows).enumerate() {
        if usize::try_from(row.ordinal).ok() != Some(ordinal) {
            return Err(BadRow("batch").into());
        }
        places.last.insert(new.created_at, row.last_place);
        add(&mut found, new, row)?;
    }
    Ok((found, places))
}

fn add(found: &mut Found, new: &NewMessage, row: FoundRow) -> Result<(), Failed> {
    let FoundRow {
        ordinal: _,
        last_seq,
        rev,
        active_at,
        floor_seq,
        read_position,
        ahead,
        dead_count,
        first_id,
        has_original,
        by_sender,
        by_peer,
        last_place: _,
    } = row;
    let whose = (new.conversation_id, new.sender_id.clone());
    if let (Some(last_seq), Some(rev), Some(active_at)) = (last_seq, rev, active_at) {
        let active_at = Timestamp::from_millis(active_at);
        found.heads.insert(new.conversation_id, Head { last_seq: count(last_seq)?, rev: count(rev)?, active_at });
    }
    if let (Some(floor), Some(position), Some(dead)) = (floor_seq, read_position, dead_count) {
        let read = read_state(position, ahead.as_deref())?;
        found.standings.insert(whose.clone(), Standing { floor: count(floor)?, read, dead: count(dead)? });
    }
    if let (Some(id), Some(mark)) = (first_id, new.client_message_id.clone()) {
        found.marked.insert((new.conversation_id, new.sender_id.clone(), mark), object_id(&id)?.into());
    }
    if let (Some(original), true) = (new.reply_to, has_original) {
        found.originals.insert(original, new.conversation_id);
    }
    found.blockings.insert(whose, Blocking { by_viewer: by_sender, by_other: by_peer });
    Ok(())
}

/// Places in the order of time, which SQLite's full-text index goes by, and the highest that each moment had before
/// the batch.
#[derive(Debug, Default)]
pub(crate) struct Places {
    last: HashMap<Timestamp, Option<i64>>,
}

impl Places {
    /// Places after these, the highest of each moment.
    pub(crate) fn after(taken: impl IntoIterator<Item = (Timestamp, Option<i64>)>) -> Self {
        Self { last: taken.into_iter().collect() }
    }

    /// Gives each message the next free place of its millisecond.
    pub(crate) fn allot(mut self, stored: Vec<Message>) -> Result<Vec<(i64, Message)>, Failed> {
        stored.into_iter().map(|message| Ok((self.next(message.created_at)?, message))).collect()
    }

    fn next(&mut self, moment: Timestamp) -> Result<i64, Failed> {
        let start = moment.millis().checked_mul(1 << PLACE_BITS).ok_or(BadRow("moment"))?;
        let last = self.last.entry(moment).or_default();
        let place = last.map_or(start, |last| last + 1);
        if place - start >= 1 << PLACE_BITS {
            return Err(BadRow("place: more than a million messages in one millisecond").into());
        }
        *last = Some(place);
        Ok(place)
    }
}
