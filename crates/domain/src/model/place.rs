//! Places in the one order that all records of a storage have, so that a copy can say how far it has come and go on
//! from there: users, media, then each conversation with its messages and after them its people, then blocks and
//! notifications; by id in each. What a record refers to stands before it.

use std::fmt;
use std::str::FromStr;

use super::{ConversationId, MediumId, NotificationId, Seq, Timestamp, UserId};

/// After a record of one kind, or (`None`) before the first of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Users, by id.
    Users(Option<UserId>),
    /// Media, by id.
    Media(Option<MediumId>),
    /// Conversations, by id.
    Conversations(Option<ConversationId>),
    /// Messages, by conversation and `seq`.
    Messages(Option<(ConversationId, Seq)>),
    /// People who are or were in conversations, by conversation and id; without an id before the first of them there.
    Participants(Option<(ConversationId, Option<UserId>)>),
    /// Blocks, by who blocks.
    Blocks(Option<UserId>),
    /// Notifications, by user, oldest first, those of one moment in id order.
    Notifications(Option<(UserId, Timestamp, NotificationId)>),
}

/// Why a text is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no place of a copy")]
pub struct InvalidPlace;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A user id may hold spaces, so it comes last.
        match self {
            Self::Users(None) => f.write_str("users"),
            Self::Users(Some(id)) => write!(f, "users {id}"),
            Self::Media(None) => f.write_str("media"),
            Self::Media(Some(id)) => write!(f, "media {id}"),
            Self::Conversations(None) => f.write_str("conversations"),
            Self::Conversations(Some(id)) => write!(f, "conversations {id}"),
            Self::Messages(None) => f.write_str("messages"),
            Self::Messages(Some((id, seq))) => write!(f, "messages {id} {seq}"),
            Self::Participants(None) => f.write_str("participants"),
            Self::Participants(Some((id, None))) => write!(f, "participants {id}"),
            Self::Participants(Some((id, Some(user)))) => write!(f, "participants {id} {user}"),
            Self::Blocks(None) => f.write_str("blocks"),
            Self::Blocks(Some(id)) => write!(f, "blocks {id}"),
            Self::Notifications(None) => f.write_str("notifications"),
            Self::Notifications(Some((user, at, id))) => write!(f, "notifications {} {id} {user}", at.millis()),
        }
    }
}

impl FromStr for Place {
    type Err = InvalidPlace;

    fn from_str(text: &str) -> Result<Self, InvalidPlace> {
        let Some((kind, key)) = text.split_once(' ') else {
            return match text {
                "users" => Ok(Self::Users(None)),
                "media" => Ok(Self::Media(None)),
                "conversations" => Ok(Self::Conversations(None)),
                "messages" => Ok(Self::Messages(None)),
                "participants" => Ok(Self::Participants(None)),
                "blocks" => Ok(Self::Blocks(None)),
                "notifications" => Ok(Self::Notifications(None)),
                _ => Err(InvalidPlace),
            };
        };
        match kind {
            "users" => Ok(Self::Users(Some(part(key)?))),
            "media" => Ok(Self::Media(Some(part(key)?))),
            "conversations" => Ok(Self::Conversations(Some(part(key)?))),
            "messages" => {
                let (id, seq) = split(key)?;
                Ok(Self::Messages(Some((part(id)?, part(seq)?))))
            }
            "participants" => {
                let (id, user) = key.split_once(' ').map_or((key, None), |(id, user)| (id, Some(user)));
                Ok(Self::Participants(Some((part(id)?, user.map(part).transpose()?))))
            }
            "blocks" => Ok(Self::Blocks(Some(part(key)?))),
            "notifications" => {
                let (at, rest) = split(key)?;
                let (id, user) = split(rest)?;
                Ok(Self::Notifications(Some((part(user)?, Timestamp::from_millis(part(at)?), part(id)?))))
            }
            _ => Err(InvalidPlace),
        }
    }
}

fn split(text: &str) -> Result<(&str, &str), InvalidPlace> {
    text.split_once(' ').ok_or(InvalidPlace)
}

fn part<T: FromStr>(text: &str) -> Result<T, InvalidPlace> {
    text.parse().map_err(|_| InvalidPlace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn places() -> impl Strategy<Value = Place> {
        let user = || "[ -~ß]{1,9}".prop_map(|text| text.parse::<UserId>().expect("a valid id"));
        let id = any::<[u8; 12]>();
        prop_oneof![
            prop::option::of(user()).prop_map(Place::Users),
            prop::option::of(id).prop_map(|id| Place::Media(id.map(MediumId::from_bytes))),
            prop::option::of(id).prop_map(|id| Place::Conversations(id.map(ConversationId::from_bytes))),
            prop::option::of((id, any::<u64>()))
                .prop_map(|key| Place::Messages(key.map(|(id, seq)| (ConversationId::from_bytes(id), seq)))),
            prop::option::of((id, prop::option::of(user())))
                .prop_map(|key| Place::Participants(key.map(|(id, user)| (ConversationId::from_bytes(id), user)))),
            prop::option::of(user()).prop_map(Place::Blocks),
            prop::option::of((user(), any::<i64>(), id)).prop_map(|key| Place::Notifications(
                key.map(|(user, at, id)| (user, Timestamp::from_millis(at), NotificationId::from_bytes(id)))
            )),
        ]
    }

    proptest! {
        #[test]
        fn a_place_survives_as_text(place in places()) {
            prop_assert_eq!(place.to_string().parse(), Ok(place));
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = text.parse::<Place>();
        }
    }

    #[test]
    fn what_is_no_place_is_refused() {
        for text in ["", "rooms", "users ", "messages 00", "messages 0123456789abcdef01234567", "media xyz"] {
            assert_eq!(text.parse::<Place>(), Err(InvalidPlace), "{text:?}");
        }
    }
}
