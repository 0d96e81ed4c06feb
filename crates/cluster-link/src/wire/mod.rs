//! Words as they go over any broker: a byte that names the version, then postcard. The types here mirror the domain's and are
//! taken apart field by field, so that whatever is added there does not compile here until it has its place; then
//! [`VERSION`] rises. A node that hears another version cannot read it, says so, and looks into the storage instead:
//! during a rolling upgrade messages arrive a little later.

mod call;
mod conversation;
mod event;
mod message;
mod notification;

use std::sync::Arc;

use parlance_domain::model::{CallId, ConversationId, NodeId, UserId};
use parlance_domain::ports::Word;
use serde::{Deserialize, Serialize};

use self::call::{WireAnswer, WireAsk};
use self::event::WireEvent;
use self::message::Id;

/// The version of everything in this folder.
pub(crate) const VERSION: u8 = 3;

/// Why something is no word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    #[error("it is of version {0}, and this node speaks {VERSION}")]
    Version(u8),
    #[error("it is no word")]
    Garbage,
}

/// Something said, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spoken {
    pub(crate) node: NodeId,
    pub(crate) what: Said,
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// To oneself: it comes back if words get through.
    Echo,
    Word(Word),
}

#[derive(Debug, Serialize, Deserialize)]
struct WireSpoken {
    node: u32,
    what: WireWord,
}

#[derive(Debug, Serialize, Deserialize)]
enum WireWord {
    Echo,
    Event(WireEvent),
    Look,
    Beat { users: u64, sum: u64 },
    Farewell,
    Here(String),
    Gone(String),
    WhoIsHere,
    AllHere { users: Vec<String>, more: bool },
    Sent(Vec<(String, u32)>),
    LookingAsked { number: u64, conversations: Vec<Id> },
    LookingAnswered { number: u64, looking: Vec<(Id, Vec<String>)>, more: bool },
    CallAsked { number: u64, call_id: String, ask: WireAsk },
    CallAnswered { number: u64, answer: WireAnswer },
}

/// The bytes of something said; `None` if they cannot be made, which postcard does not do for these types.
pub(crate) fn encode(node: NodeId, what: &Said) -> Option<Vec<u8>> {
    let what = match what {
        Said::Echo => WireWord::Echo,
        Said::Word(word) => match word {
            Word::Event(event) => WireWord::Event(WireEvent::from(&**event)),
            Word::Look => WireWord::Look,
            Word::Beat { users, sum } => WireWord::Beat { users: *users, sum: *sum },
            Word::Farewell => WireWord::Farewell,
            Word::Here(user) => WireWord::Here(user.to_string()),
            Word::Gone(user) => WireWord::Gone(user.to_string()),
            Word::WhoIsHere => WireWord::WhoIsHere,
            Word::AllHere { users, more } => WireWord::AllHere { users: names(users), more: *more },
            Word::Sent(sends) => WireWord::Sent(sends.iter().map(|(user, count)| (user.to_string(), *count)).collect()),
            Word::LookingAsked { number, conversations } => WireWord::LookingAsked {
                number: *number,
                conversations: conversations.iter().map(ConversationId::bytes).collect(),
            },
            Word::LookingAnswered { number, looking, more } => WireWord::LookingAnswered {
                number: *number,
                looking: looking.iter().map(|(id, users)| (id.bytes(), names(users))).collect(),
                more: *more,
            },
            Word::CallAsked { number, call_id, ask } => {
                WireWord::CallAsked { number: *number, call_id: call_id.as_str().to_owned(), ask: ask.into() }
            }
            Word::CallAnswered { number, answer } => WireWord::CallAnswered { number: *number, answer: answer.into() },
        },
    };
    postcard::to_extend(&WireSpoken { node: node.0, what }, vec![VERSION]).ok()
}

/// What these bytes say.
pub(crate) fn decode(bytes: &[u8]) -> Result<Spoken, Unreadable> {
    let (version, rest) = bytes.split_first().ok_or(Unreadable::Garbage)?;
    if *version != VERSION {
        return Err(Unreadable::Version(*version));
    }
    let (WireSpoken { node, what }, rest) = postcard::take_from_bytes(rest).map_err(|_| Unreadable::Garbage)?;
    if !rest.is_empty() {
        return Err(Unreadable::Garbage);
    }
    let what = match what {
        WireWord::Echo => Said::Echo,
        WireWord::Event(event) => Said::Word(Word::Event(Arc::new(event.read()?))),
        WireWord::Look => Said::Word(Word::Look),
        WireWord::Beat { users, sum } => Said::Word(Word::Beat { users, sum }),
        WireWord::Farewell => Said::Word(Word::Farewell),
        WireWord::Here(user) => Said::Word(Word::Here(user_id(&user)?)),
        WireWord::Gone(user) => Said::Word(Word::Gone(user_id(&user)?)),
        WireWord::WhoIsHere => Said::Word(Word::WhoIsHere),
        WireWord::AllHere { users, more } => Said::Word(Word::AllHere { users: user_ids(&users)?, more }),
        WireWord::Sent(sends) => {
            let sent = |(user, count): &(String, u32)| Ok((user_id(user)?, *count));
            Said::Word(Word::Sent(sends.iter().map(sent).collect::<Result<_, _>>()?))
        }
        WireWord::LookingAsked { number, conversations } => {
            let conversations = conversations.into_iter().map(ConversationId::from_bytes).collect();
            Said::Word(Word::LookingAsked { number, conversations })
        }
        WireWord::LookingAnswered { number, looking, more } => {
            let people = |(id, users): (Id, Vec<String>)| Ok((ConversationId::from_bytes(id), user_ids(&users)?));
            let looking = looking.into_iter().map(people).collect::<Result<_, _>>()?;
            Said::Word(Word::LookingAnswered { number, looking, more })
        }
        WireWord::CallAsked { number, call_id, ask } => {
            Said::Word(Word::CallAsked { number, call_id: CallId::from_stored(call_id), ask: ask.read()? })
        }
        WireWord::CallAnswered { number, answer } => Said::Word(Word::CallAnswered { number, answer: answer.read() }),
    };
    Ok(Spoken { node: NodeId(node), what })
}

fn user_id(text: &str) -> Result<UserId, Unreadable> {
    text.parse().map_err(|_| Unreadable::Garbage)
}

fn user_ids(texts: &[String]) -> Result<Vec<UserId>, Unreadable> {
    texts.iter().map(|text| user_id(text)).collect()
}

fn names(users: &[UserId]) -> Vec<String> {
    users.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use parlance_domain::event::Event;

    use super::*;

    const NODE: NodeId = NodeId(7);

    fn bytes(what: &Said) -> Vec<u8> {
        encode(NODE, what).expect("it can be written")
    }

    #[test]
    fn every_event_is_read_as_it_was_written() {
        for event in parlance_link_testkit::every_event() {
            let read = decode(&bytes(&Said::Word(Word::Event(Arc::new(event.clone())))));
            // Where a message came in is of no use on another node.
            let event = match event {
                Event::MessageNew { message, participants, origin: _ } => {
                    Event::MessageNew { message, participants, origin: None }
                }
                event => event,
            };
            assert_eq!(read, Ok(Spoken { node: NODE, what: Said::Word(Word::Event(Arc::new(event))) }));
        }
    }

    #[test]
    fn another_version_is_named_and_not_read() {
        let mut word = bytes(&Said::Word(Word::Look));
        word[0] = VERSION + 1;
        assert_eq!(decode(&word), Err(Unreadable::Version(VERSION + 1)));
    }

    #[test]
    fn garbage_is_refused_whatever_it_is() {
        assert_eq!(decode(&[]), Err(Unreadable::Garbage));
        for event in parlance_link_testkit::every_event() {
            let word = bytes(&Said::Word(Word::Event(Arc::new(event))));
            for end in 1..word.len() {
                assert_eq!(decode(&word[..end]), Err(Unreadable::Garbage), "cut off");
            }
            let mut longer = word;
            longer.push(0);
            assert_eq!(decode(&longer), Err(Unreadable::Garbage), "something behind it");
        }
        let mut chance: u32 = 1;
        for length in 0..2_000 {
            let next = |_| {
                chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (chance >> 24) as u8
            };
            let noise: Vec<u8> = std::iter::once(VERSION).chain((0..length % 200).map(next)).collect();
            // Nothing but that it comes back.
            let _ = decode(&noise);
        }
    }

    #[test]
    fn a_user_id_that_is_none_is_garbage() {
        let word = WireSpoken { node: 1, what: WireWord::Here(String::new()) };
        let bytes = postcard::to_extend(&word, vec![VERSION]).expect("it can be written");
        assert_eq!(decode(&bytes), Err(Unreadable::Garbage));
    }
}
