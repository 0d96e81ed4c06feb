//! Documents as they are stored, and what they mean. Each is taken apart field by field, so that a new field is
//! either used or refused by the compiler. Nothing here asks the database.

mod conversation;
mod message;
mod position;

use std::str::FromStr;

use mongodb::bson::DateTime;
use mongodb::bson::oid::ObjectId;
use parlance_domain::model::{MediaType, Timestamp, UserId};

use crate::error::BadDocument;

pub(crate) use conversation::{ConversationDocument, HeadDocument, PersonDocument, kind_number};
pub(crate) use message::{MessageDocument, PlaceDocument, mark};
pub(crate) use position::{PositionDocument, position_id, ranges_to_stored};

/// An id of the domain as it is stored; it is one there as well.
pub(crate) fn object_id(bytes: [u8; 12]) -> ObjectId {
    ObjectId::from_bytes(bytes)
}

/// A moment as it is stored.
pub(crate) fn date(moment: Timestamp) -> DateTime {
    DateTime::from_millis(moment.millis())
}

/// A moment from its field.
pub(crate) fn moment(date: DateTime) -> Timestamp {
    Timestamp::from_millis(date.timestamp_millis())
}

/// A user's id from its text.
pub(crate) fn user_id(text: &str) -> Result<UserId, BadDocument> {
    UserId::from_str(text).map_err(|_| BadDocument("user id"))
}

/// A `seq`, `rev` or count; stored integers have a sign, these do not.
pub(crate) fn count(number: i64) -> Result<u64, BadDocument> {
    u64::try_from(number).map_err(|_| BadDocument("number"))
}

/// A number as it is stored. What is beyond its range is beyond every stored number as well.
pub(crate) fn number(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

/// Turns every document into what it means.
pub(crate) fn all<D, T: TryFrom<D, Error = BadDocument>>(documents: Vec<D>) -> Result<Vec<T>, BadDocument> {
    documents.into_iter().map(T::try_from).collect()
}

/// A type of media from its number.
pub(crate) fn media_type(number: i32) -> Option<MediaType> {
    match number {
        1 => Some(MediaType::Image),
        2 => Some(MediaType::Video),
        3 => Some(MediaType::File),
        _ => None,
    }
}

/// The number of a type of media.
pub(crate) fn media_type_number(media_type: MediaType) -> i32 {
    match media_type {
        MediaType::Image => 1,
        MediaType::Video => 2,
        MediaType::File => 3,
    }
}
