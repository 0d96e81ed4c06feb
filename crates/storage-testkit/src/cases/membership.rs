//! The promises of `Messages::change_membership`. Its races are in `races`.

use std::collections::HashMap;

use parlance_domain::error::{Attempt, Error};
use parlance_domain::model::{MessageKind, MessageStatus, Participant, Role};
use parlance_domain::ports::{ChangeMembership, ReadMarked};
use parlance_domain::rules::Limits;
use parlance_domain::rules::membership::{MembershipChange, Outcome};

use crate::World;
use crate::doing::ids_of;

fn roles(participants: &[Participant]) -> Vec<(&str, Role)> {
    participants.iter().map(|participant| (participant.user_id.as_str(), participant.role)).collect()
}

/// Applies the plan together with its system message, which is appended like a send of the actor.
pub async fn an_addition_is_told_by_a_system_message(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let group = world.group(&ann, &[]).await;
    world.send(group, &ann, "before").await;
    let change = ChangeMembership {
        conversation_id: group,
        actor: ann.clone(),
        change: MembershipChange::Add(vec![cleo.clone(), bob.clone()]),
        names: HashMap::from([(ann.clone(), "Ann A.".into()), (bob.clone(), "Bob B.".into())]),
        message_id: world.id(),
        now: world.now(),
    };
    let answer = world.storage().change_membership(&change, &Limits::default()).await.expect("the storage answers");
    let changed = answer.expect("the owner may add people");
    let outcome = Outcome { added: vec![cleo.clone(), bob.clone()], ..Outcome::default() };
    assert_eq!(changed.outcome, outcome, "what the rule has planned");
    assert_eq!(changed.roster.users().to_vec(), [ann.clone(), bob.clone(), cleo.clone()], "who is in it now");
    let message = changed.message.expect("a system message tells of it");
    assert_eq!(message.text, outcome.describe(&ann, &change.names), "it says what the rule says, with these names");
    assert_eq!((message.id, message.kind, &message.sender_id), (change.message_id, MessageKind::System, &ann), "whose");
    assert_eq!((message.seq, message.rev, message.created_at), (2, 2, change.now), "it is appended like a send");
    assert_eq!(world.history(group).await.pop(), Some(message), "it is stored");
    assert_eq!(changed.conversation, world.conversation(group).await, "the conversation as it is now");
    let moments = (changed.conversation.updated_at, changed.conversation.active_at);
    assert_eq!(moments, (change.now, change.now), "people have changed, and something was written");
    let member = |user: &_| Participant { user_id: Clone::clone(user), role: Role::Member, joined_at: change.now };
    assert_eq!(world.participants(group, &ann).await[1..], [member(&bob), member(&cleo)], "they come in as members");
}

/// Those who come in see the history and have nothing unread but what comes after, the system message included.
pub async fn newcomers_have_only_what_comes_after_them_unread(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let group = world.group(&ann, &[]).await;
    let old = world.send_many(group, &ann, 3).await;
    let system = world.add(group, &ann, &bob).await.message.expect("a system message tells of it");
    assert_eq!(world.unread(group, &bob).await, 1, "only the system message is unread");
    let new = world.send(group, &ann, "new").await;
    assert_eq!(world.entry(group, &bob).await.unread, 2, "and what comes after it");
    world.delete(old[2].id, &ann).await;
    assert_eq!(world.unread(group, &bob).await, 2, "a deletion in the history takes nothing off");
    let each = world.read_each(group, &bob, &[&old[0]]).await;
    assert_eq!(each, ReadMarked { newly_read: vec![], unread: 2 }, "nothing of the history was unread");
    let marked = world.read_all(group, &bob).await;
    assert_eq!(ids_of(&marked.newly_read), [system.id, new.id], "only what was unread is newly read");
    assert_eq!(marked.unread, 0, "nothing is unread any more");
}

/// A newcomer's first send reads no more than what was unread by them.
pub async fn a_newcomers_send_reads_what_came_after_them(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let group = world.group(&ann, &[]).await;
    world.send_many(group, &ann, 3).await;
    let system = world.add(group, &ann, &bob).await.message.expect("a system message tells of it");
    let sent = world.send_draft(world.draft(group, &bob, "hello")).await;
    assert_eq!(ids_of(&sent.newly_read), [system.id], "nothing of the history was unread");
    assert_eq!((world.unread(group, &bob).await, world.unread(group, &ann).await), (0, 1), "the counts are true");
}

/// Coming in reads and delivers nothing of the history.
pub async fn coming_in_reads_and_delivers_nothing(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let group = world.group(&ann, &[]).await;
    let old = world.send(group, &ann, "old").await;
    let system = world.add(group, &ann, &bob).await.message.expect("a system message tells of it");
    assert_eq!(world.status(&old).await, MessageStatus::Sent, "to be added is not to read");
    let mut told = world.delivered_ids(&bob).await;
    told.sort();
    assert_eq!(told, [old.id, system.id], "the history reaches them with their first live socket");
    assert_eq!(world.status(&old).await, MessageStatus::Delivered, "it has reached somebody now");
    world.read_all(group, &bob).await;
    assert_eq!(world.status(&old).await, MessageStatus::Read, "and been read");
}

/// Those who were in before and come again have nothing unread but what comes after them.
pub async fn who_comes_again_starts_anew(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let group = world.group(&ann, &[&bob]).await;
    let early = world.send_many(group, &ann, 3).await;
    world.read_up_to(&early[0], &bob).await;
    world.read_each(group, &bob, &[&early[2]]).await;
    world.remove(group, &ann, &bob).await;
    world.send_many(group, &ann, 4).await;
    let again = world.add(group, &ann, &bob).await;
    assert_eq!(world.unread(group, &bob).await, 1, "nothing but the system message, neither old nor missed ones");
    let system = again.message.expect("a system message tells of it");
    assert_eq!(ids_of(&world.read_all(group, &bob).await.newly_read), [system.id], "only that is newly read");
    let everybody = world.participants(group, &ann).await;
    assert_eq!(roles(&everybody), [("ann", Role::Owner), ("bob", Role::Member)], "they are in it again");
    assert_eq!(everybody[1].joined_at, system.created_at, "from now on");
}

/// What those who come again had read and received stays so; what they had not, does not become so.
pub async fn who_comes_again_keeps_what_they_had_read(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let group = world.group(&ann, &[&bob]).await;
    let sent = world.send_many(group, &ann, 4).await;
    world.read_up_to(&sent[0], &bob).await;
    world.read_each(group, &bob, &[&sent[2]]).await;
    let expected = [MessageStatus::Read, MessageStatus::Sent, MessageStatus::Read, MessageStatus::Sent];
    let statuses = async || {
        let marks = world.watermarks(group).await;
        sent.iter().map(|message| marks.status(&ann, message.seq)).collect::<Vec<_>>()
    };
    assert_eq!(statuses().await, expected, "1 and 3 are read");
    world.remove(group, &ann, &bob).await;
    assert_eq!(statuses().await, expected, "no status goes back because its reader has left");
    world.add(group, &ann, &bob).await;
    assert_eq!(statuses().await, expected, "nor does coming again change any");
}

/// What somebody has received counts on after they have left.
pub async fn what_was_delivered_stays_delivered(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let group = world.group(&ann, &[&bob, &cleo]).await;
    let sent = world.send(group, &ann, "x").await;
    world.deliver(&bob).await;
    world.remove(group, &ann, &bob).await;
    assert_eq!(world.status(&sent).await, MessageStatus::Delivered, "no status goes back");
    let told = world.delivered_ids(&cleo).await;
    assert!(!told.contains(&sent.id), "it had been delivered before, though to somebody who has left");
}

/// Who has left sees and does nothing any more.
pub async fn who_has_left_is_out(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let group = world.group(&ann, &[&bob, &cleo]).await;
    let left = world.leave(group, &bob).await;
    assert_eq!(left.outcome.removed, vec![bob.clone()], "Bob goes");
    let message = left.message.expect("a system message tells of it");
    assert_eq!((message.kind, &message.sender_id), (MessageKind::System, &bob), "it is Bob's");
    assert_eq!(message.text, left.outcome.describe(&bob, &HashMap::new()), "and says that he left");
    assert_eq!(left.roster.users().to_vec(), [ann.clone(), cleo.clone()], "who is in it now");
    assert_eq!(world.roster(group).await, [ann.clone(), cleo.clone()], "`find_roster` agrees");
    let entry = world.storage().find_entry(group, &bob).await.expect("the storage answers");
    assert_eq!(entry, None, "it is not Bob's any more");
    let verdict = world.try_send(world.draft(group, &bob, "x")).await;
    assert_eq!(verdict, Err(Error::NotParticipant(Attempt::Send)), "Bob cannot send");
    let verdict = world.try_change(group, &bob, MembershipChange::Remove(bob.clone())).await;
    assert_eq!(verdict, Err(Error::NotParticipant(Attempt::Access)), "nor leave twice");
    assert_eq!(world.deliver(&bob).await, [], "nor receive");
}

/// The system message counts like a send of its actor: unread for the others, and it reads for the actor.
pub async fn a_system_message_counts_like_a_send(world: World) {
    let [ann, bob, cleo, dan] = world.people(["Ann", "Bob", "Cleo", "Dan"]).await;
    let group = world.group(&ann, &[&bob, &cleo]).await;
    let sent = world.send(group, &bob, "unread by Ann").await;
    let system = world.add(group, &ann, &dan).await.message.expect("a system message tells of it");
    assert_eq!(world.unread(group, &ann).await, 0, "the actor's position moves to it");
    assert_eq!(world.status(&sent).await, MessageStatus::Read, "and reads what came before");
    assert_eq!(world.unread(group, &cleo).await, 2, "it is unread for the others");
    assert_eq!(ids_of(&world.read_all(group, &bob).await.newly_read), [system.id], "and newly read by them");
    assert_eq!(world.status(&system).await, MessageStatus::Read, "it has a status like any other");
}

/// An owner who leaves hands over to the longest-serving admin, else member.
pub async fn an_owner_who_leaves_has_an_heir(world: World) {
    let [ann, bob, cleo, dan, eve] = world.people(["Ann", "Bob", "Cleo", "Dan", "Eve"]).await;
    let group = world.group(&eve, &[]).await;
    for user in [&dan, &cleo, &bob, &ann] {
        world.add(group, &eve, user).await;
    }
    world.promote(group, &eve, &bob, Role::Admin).await;
    world.promote(group, &eve, &ann, Role::Admin).await;
    let left = world.leave(group, &eve).await;
    assert_eq!(left.outcome.roles, [(bob.clone(), Role::Owner)], "the longest-serving admin inherits");
    let expected = [("dan", Role::Member), ("cleo", Role::Member), ("bob", Role::Owner), ("ann", Role::Admin)];
    assert_eq!(roles(&world.participants(group, &ann).await), expected, "and the others keep their roles");
    world.promote(group, &bob, &ann, Role::Member).await;
    // Dan comes again, and serves shortest from then on.
    world.remove(group, &bob, &dan).await;
    world.add(group, &bob, &dan).await;
    assert_eq!(world.leave(group, &bob).await.outcome.roles, [(cleo, Role::Owner)], "else the longest-serving member");
}

/// The last one may leave; the conversation stays, without people.
pub async fn the_last_one_may_leave(world: World) {
    let ann = world.person("Ann").await;
    let group = world.group(&ann, &[]).await;
    let left = world.leave(group, &ann).await;
    assert!(left.roster.users().is_empty() && left.outcome.roles.is_empty(), "nobody is left to inherit");
    assert_eq!(world.roster(group).await, [], "the conversation is there, without people");
    assert_eq!(world.history(group).await.len(), 1, "with its system message");
}

/// A change of roles alone has no system message and moves neither `seq` nor `rev`; it sets `updated_at`.
pub async fn a_change_of_roles_is_silent(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let group = world.group(&ann, &[&bob]).await;
    world.send(group, &bob, "x").await;
    let before = world.conversation(group).await;
    let changed = world.promote(group, &ann, &bob, Role::Admin).await;
    assert_eq!(changed.outcome.roles, [(bob.clone(), Role::Admin)], "what the rule has planned");
    assert_eq!(changed.message, None, "roles have no system message");
    let now = world.conversation(group).await;
    assert_eq!(changed.conversation, now, "the conversation as it is now");
    assert!(now.updated_at > before.updated_at, "participants have changed");
    assert_eq!((now.last_seq, now.rev, now.active_at), (1, 1, before.active_at), "nothing was written");
    assert_eq!(roles(&world.participants(group, &bob).await)[1], ("bob", Role::Admin), "the role is stored");
    assert_eq!(world.unread(group, &ann).await, 1, "nothing was read");
}

/// The outcome is empty if there was nothing to change, and nothing moves then.
pub async fn nothing_to_change_in_membership_moves_nothing(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let group = world.group(&ann, &[&bob]).await;
    let before = (world.conversation(group).await, world.participants(group, &ann).await);
    let nothing = [MembershipChange::Add(vec![bob.clone(), ann.clone()]), MembershipChange::SetRole(bob, Role::Member)];
    for change in nothing {
        let changed = world.try_change(group, &ann, change.clone()).await.expect("no refusal");
        assert!(changed.outcome.is_empty() && changed.message.is_none(), "there was nothing to change: {change:?}");
        let after = (world.conversation(group).await, world.participants(group, &ann).await);
        assert_eq!(after, before, "nothing moves");
    }
}

/// What the rule refuses, and `ConversationNotFound`; nothing has changed then.
pub async fn refused_membership_changes_change_nothing(world: World) {
    let [ann, bob, cleo, dan] = world.people(["Ann", "Bob", "Cleo", "Dan"]).await;
    let group = world.group(&ann, &[&bob, &cleo]).await;
    let direct = world.direct(&ann, &bob).await;
    world.promote(group, &ann, &cleo, Role::Admin).await;
    let state = async || (world.conversation(group).await, world.entry(group, &ann).await, world.roster(direct).await);
    let before = state().await;
    let limits = Limits { max_group_size: 3, ..Limits::default() };
    let (add, remove) = (|user: &_| MembershipChange::Add(vec![Clone::clone(user)]), MembershipChange::Remove);
    let refused = [
        (group, &bob, add(&dan), "Forbidden"),
        (group, &bob, remove(cleo.clone()), "Forbidden"),
        (group, &cleo, remove(ann.clone()), "Forbidden"),
        (group, &cleo, MembershipChange::SetRole(bob.clone(), Role::Admin), "Forbidden"),
        (group, &dan, add(&dan), "NotParticipant"),
        (group, &ann, remove(dan.clone()), "UserNotFound"),
        (group, &ann, add(&dan), "Conflict"),
        (direct, &ann, add(&cleo), "Conflict"),
        (direct, &ann, remove(ann.clone()), "Conflict"),
        (world.id(), &ann, add(&dan), "ConversationNotFound"),
    ];
    for (conversation, actor, change, expected) in refused {
        let verdict = world.try_change_within(&limits, conversation, actor, change.clone()).await;
        let name = verdict.as_ref().err().map_or_else(String::new, |error| format!("{error:?}"));
        assert!(name.starts_with(expected), "{change:?} by {actor} is refused as {expected}, got {verdict:?}");
        assert_eq!(state().await, before, "a refusal changes nothing");
    }
}
