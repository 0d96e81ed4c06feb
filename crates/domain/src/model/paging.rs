//! Pages and the cursors that lead from one to the next. Their text form is made here, so that every
//! storage and every transport agrees on it; clients treat it as opaque.

use std::fmt;
use std::str::FromStr;

use super::{ConversationId, InvalidId, MessageId, Timestamp};

/// One page of a longer list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C> {
    /// What is on the page.
    pub items: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// The page of at most `limit` items when a storage was asked for one more than that: the extra
    /// item only says that there is a next page, which begins after the last one that stays.
    pub fn cut(mut items: Vec<T>, limit: usize, cursor_of: impl FnOnce(&T) -> C) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = if more { items.last().map(cursor_of) } else { None };
        Self { items, next }
    }

    /// The same page with every item changed.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U, C> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

/// Where a page of a list that is ordered by time, newest first, begins: after this item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeCursor<Id> {
    /// The moment that orders the last item of the page before.
    pub at: Timestamp,
    /// That item; orders items of the same moment.
    pub id: Id,
}

/// A place in the conversation list, ordered by activity.
pub type ConversationCursor = TimeCursor<ConversationId>;

/// A place in search results, ordered by when messages were stored.
pub type SearchCursor = TimeCursor<MessageId>;

impl<Id: fmt::Display> fmt::Display for TimeCursor<Id> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.at.millis(), self.id)
    }
}

impl<Id: FromStr<Err = InvalidId>> FromStr for TimeCursor<Id> {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (millis, id) = text.rsplit_once('-').ok_or(InvalidId::NotHex)?;
        let millis = millis.parse().map_err(|_| InvalidId::NotHex)?;
        Ok(Self { at: Timestamp::from_millis(millis), id: id.parse()? })
    }
}
