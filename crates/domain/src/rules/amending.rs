//! Edits, deletions and reactions: who may change what about a message that stands. Storages call
//! [`amend`] inside the transaction that writes the result.

use super::Limits;
use crate::error::{Error, Result};
use crate::model::{ConversationKind, Emoji, Message, MessageKind, Reaction, Role, Timestamp, UserId};

/// A change to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amendment {
    /// Its sender gives it another text, already checked by `rules::messages::check_edit`.
    Edit(String),
    /// It becomes a tombstone.
    Delete,
    /// The actor reacts with this emoji.
    React(Emoji),
    /// The actor takes this reaction back.
    Unreact(Emoji),
}

/// Who changes it, and in which capacity.
#[derive(Debug, Clone, Copy)]
pub struct Actor<'a> {
    /// Who.
    pub user_id: &'a UserId,
    /// Their role in the conversation.
    pub role: Role,
    /// The conversation's kind: moderation exists in groups only.
    pub kind: ConversationKind,
}

/// Applies `amendment` to `message`. Returns `false`, and leaves it as it is, when there is nothing to do: a
/// second deletion, a reaction that is there already or not there to be taken back, an edit to the same text.
/// The caller allots `rev` and sets it where this returns `true`.
///
/// # Errors
/// `Forbidden` for someone else's message; `Conflict` for an edit or reaction to a tombstone and for one
/// reaction too many.
pub fn amend(
    message: &mut Message,
    amendment: &Amendment,
    actor: Actor<'_>,
    limits: &Limits,
    now: Timestamp,
) -> Result<bool> {
    let own = message.sender_id == *actor.user_id && message.kind != MessageKind::System;
    let changed = match amendment {
        Amendment::Edit(_) if !own => return Err(Error::Forbidden("Only the sender can edit a message")),
        Amendment::Edit(_) if message.is_tombstone() => {
            return Err(Error::Conflict("A deleted message cannot be edited"));
        }
        Amendment::Edit(text) => edit(message, text, now),
        Amendment::Delete if !own && !moderates(actor) => {
            return Err(Error::Forbidden("Only the sender or a group's admins can delete a message"));
        }
        Amendment::Delete => delete(message, now),
        Amendment::React(_) | Amendment::Unreact(_) if message.is_tombstone() => {
            return Err(Error::Conflict("A deleted message takes no reactions"));
        }
        Amendment::React(emoji) => react(message, emoji, actor.user_id, limits)?,
        Amendment::Unreact(emoji) => unreact(message, emoji, actor.user_id),
    };
    if changed {
        message.updated_at = now;
    }
    Ok(changed)
}

fn moderates(actor: Actor<'_>) -> bool {
    actor.kind == ConversationKind::Group && actor.role >= Role::Admin
}

fn edit(message: &mut Message, text: &str, now: Timestamp) -> bool {
    if message.text.as_deref() == Some(text) {
        return false;
    }
    message.text = Some(text.to_owned());
    message.edited_at = Some(now);
    true
}

fn delete(message: &mut Message, now: Timestamp) -> bool {
    if message.is_tombstone() {
        return false;
    }
    message.text = None;
    message.media.clear();
    message.reactions.clear();
    message.deleted_at = Some(now);
    true
}

fn react(message: &mut Message, emoji: &Emoji, user: &UserId, limits: &Limits) -> Result<bool> {
    let different = message.reactions.len();
    match message.reactions.iter_mut().find(|reaction| reaction.emoji == *emoji) {
        Some(reaction) if reaction.users.contains(user) => Ok(false),
        Some(reaction) => {
            reaction.users.push(user.clone());
            Ok(true)
        }
        None if different >= limits.max_reactions => {
            Err(Error::Conflict("The message has as many different reactions as it can take"))
        }
        None => {
            message.reactions.push(Reaction { emoji: emoji.clone(), users: vec![user.clone()] });
            Ok(true)
        }
    }
}

fn unreact(message: &mut Message, emoji: &Emoji, user: &UserId) -> bool {
    let Some(at) = message.reactions.iter().position(|reaction| reaction.emoji == *emoji) else { return false };
    let users = &mut message.reactions[at].users;
    let before = users.len();
    users.retain(|other| other != user);
    let changed = users.len() != before;
    if users.is_empty() {
        message.reactions.remove(at);
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ConversationId, MessageId};
    use proptest::prelude::*;

    fn user(name: &str) -> UserId {
        name.parse().expect("a valid id")
    }

    fn message() -> Message {
        let now = Timestamp::from_millis(1);
        Message {
            id: MessageId::from_bytes([1; 12]),
            conversation_id: ConversationId::from_bytes([2; 12]),
            seq: 1,
            rev: 1,
            sender_id: user("ann"),
            kind: MessageKind::Text,
            text: Some("hi".into()),
            media: vec![],
            reply_to: None,
            client_message_id: None,
            reactions: vec![],
            created_at: now,
            edited_at: None,
            deleted_at: None,
            updated_at: now,
        }
    }

    fn by(user_id: &UserId, role: Role, kind: ConversationKind) -> Actor<'_> {
        Actor { user_id, role, kind }
    }

    fn apply(message: &mut Message, amendment: &Amendment, actor: Actor<'_>) -> Result<bool> {
        amend(message, amendment, actor, &Limits::default(), Timestamp::from_millis(9))
    }

    #[test]
    fn only_the_sender_edits_and_admins_of_groups_delete() {
        let (ann, bob) = (user("ann"), user("bob"));
        let group = |user, role| by(user, role, ConversationKind::Group);
        let mut message = message();
        assert!(apply(&mut message, &Amendment::Edit("x".into()), group(&bob, Role::Owner)).is_err());
        assert_eq!(apply(&mut message, &Amendment::Edit("x".into()), group(&ann, Role::Member)), Ok(true));
        assert_eq!(apply(&mut message, &Amendment::Edit("x".into()), group(&ann, Role::Member)), Ok(false));
        assert!(apply(&mut message, &Amendment::Delete, group(&bob, Role::Member)).is_err());
        assert!(apply(&mut message, &Amendment::Delete, by(&bob, Role::Owner, ConversationKind::Direct)).is_err());
        assert_eq!(apply(&mut message, &Amendment::Delete, group(&bob, Role::Admin)), Ok(true));
        assert_eq!((message.text.clone(), message.seq), (None, 1));
        assert_eq!(apply(&mut message, &Amendment::Delete, group(&ann, Role::Member)), Ok(false));
        assert!(matches!(
            apply(&mut message, &Amendment::Edit("y".into()), group(&ann, Role::Member)),
            Err(Error::Conflict(_))
        ));
    }

    #[test]
    fn nobody_edits_a_system_message() {
        let mut message = Message { kind: MessageKind::System, ..message() };
        let ann = user("ann");
        assert!(
            apply(&mut message, &Amendment::Edit("x".into()), by(&ann, Role::Owner, ConversationKind::Group)).is_err()
        );
    }

    #[test]
    fn the_twenty_first_reaction_is_refused_and_an_existing_one_still_grows() {
        let (ann, bob, mut message) = (user("ann"), user("bob"), message());
        let emoji = |n: usize| Emoji::new(&format!("e{n}")).expect("valid");
        let actor = |user| by(user, Role::Member, ConversationKind::Direct);
        for n in 0..20 {
            assert_eq!(apply(&mut message, &Amendment::React(emoji(n)), actor(&ann)), Ok(true));
        }
        assert!(matches!(apply(&mut message, &Amendment::React(emoji(20)), actor(&bob)), Err(Error::Conflict(_))));
        assert_eq!(apply(&mut message, &Amendment::React(emoji(3)), actor(&bob)), Ok(true));
    }

    proptest! {
        #[test]
        fn reactions_hold_each_user_once_and_no_empty_emoji(ops in prop::collection::vec((any::<bool>(), 0..4usize, 0..4usize), 0..60)) {
            let mut message = message();
            for (add, who, what) in ops {
                let (who, what) = (user(&format!("u{who}")), Emoji::new(&format!("e{what}")).expect("valid"));
                let amendment = if add { Amendment::React(what) } else { Amendment::Unreact(what) };
                apply(&mut message, &amendment, by(&who, Role::Member, ConversationKind::Direct)).expect("within limits");
                for reaction in &message.reactions {
                    let mut users = reaction.users.clone();
                    users.sort();
                    users.dedup();
                    prop_assert!(!users.is_empty() && users.len() == reaction.users.len());
                }
            }
        }
    }
}
