//! What happens when people come and go at once, and while others write. Each race is run several times; what
//! is promised must hold whoever comes first.

use parlance_domain::error::{Attempt, Error};
use parlance_domain::model::{MessageId, Role, UserId};
use parlance_domain::ports::ReadTarget;
use parlance_domain::rules::Limits;
use parlance_domain::rules::membership::MembershipChange;

use super::races::{ROUNDS, assert_gapless};
use crate::doing::{ids, ids_of};
use crate::{World, race, race_two};

/// Remove against send: no message of theirs stands after the system message that tells of their removal.
pub async fn a_removal_against_sends_ends_them(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    for _ in 0..ROUNDS {
        let group = world.group(&ann, &[&bob]).await;
        let (sender, remover, who) = (world.clone(), world.clone(), bob.clone());
        let send = async move {
            let mut stored = Vec::new();
            for _ in 0..4 {
                match sender.try_send(sender.draft(group, &who, "x")).await {
                    Ok(sent) => stored.push(sent.message),
                    Err(refusal) => assert_eq!(refusal, Error::NotParticipant(Attempt::Send), "Bob is out"),
                }
            }
            stored
        };
        let (owner, other) = (ann.clone(), bob.clone());
        let remove = async move { remover.remove(group, &owner, &other).await };
        let (stored, removed) = race_two(send, remove).await;
        let told = removed.message.expect("a system message tells of it").seq;
        assert!(stored.iter().all(|message| message.seq < told), "nobody is heard after they are out");
        assert_eq!(world.history(group).await.len(), stored.len() + 1, "exactly what was accepted is stored");
        assert_gapless(&world, group).await;
    }
}

/// Two admins who remove each other at once: exactly one does.
pub async fn of_two_admins_who_remove_each_other_one_stays(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    for _ in 0..ROUNDS {
        let group = world.group(&ann, &[&bob, &cleo]).await;
        world.promote(group, &ann, &bob, Role::Admin).await;
        world.promote(group, &ann, &cleo, Role::Admin).await;
        let removal = |actor: &UserId, target: &UserId| {
            let (world, actor, target) = (world.clone(), actor.clone(), target.clone());
            async move { world.try_change(group, &actor, MembershipChange::Remove(target)).await }
        };
        let verdicts = race([removal(&bob, &cleo), removal(&cleo, &bob)]).await;
        let done: Vec<bool> = verdicts.iter().map(Result::is_ok).collect();
        assert!(done == [true, false] || done == [false, true], "who was removed removes nobody, got {verdicts:?}");
        let refused = verdicts.into_iter().find_map(Result::err);
        assert_eq!(refused, Some(Error::NotParticipant(Attempt::Access)), "the other is out already");
        let stays = if done[0] { &bob } else { &cleo };
        assert_eq!(world.roster(group).await, [ann.clone(), stays.clone()], "one of them stays");
    }
}

/// An owner and the heirs who leave at once: whoever stays, there is exactly one owner.
pub async fn leaving_at_once_leaves_one_owner(world: World) {
    let [ann, bob, cleo, dan] = world.people(["Ann", "Bob", "Cleo", "Dan"]).await;
    for _ in 0..ROUNDS {
        let group = world.group(&ann, &[&bob, &cleo, &dan]).await;
        world.promote(group, &ann, &bob, Role::Admin).await;
        let leaving = [&ann, &bob, &cleo].map(|user| {
            let (world, user) = (world.clone(), user.clone());
            async move { world.leave(group, &user).await.outcome.removed.len() }
        });
        assert_eq!(race(leaving).await, [1; 3], "each leaves");
        let rest = world.participants(group, &dan).await;
        let roles: Vec<_> = rest.iter().map(|participant| (&participant.user_id, participant.role)).collect();
        assert_eq!(roles, [(&dan, Role::Owner)], "the one who stays has inherited");
        assert_gapless(&world, group).await;
    }
}

/// Additions at once: the group is never too large, and each newcomer is told of once.
pub async fn additions_at_once_keep_the_groups_limit(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let mut others = Vec::new();
    for n in 0..6 {
        others.push(world.person(&format!("Other-{n}")).await);
    }
    for _ in 0..ROUNDS {
        let group = world.group(&ann, &[&bob]).await;
        world.promote(group, &ann, &bob, Role::Admin).await;
        let additions = others.iter().enumerate().map(|(n, user)| {
            let (world, user) = (world.clone(), user.clone());
            let actor = if n % 2 == 0 { ann.clone() } else { bob.clone() };
            let limits = Limits { max_group_size: 5, ..Limits::default() };
            async move { world.try_change_within(&limits, group, &actor, MembershipChange::Add(vec![user])).await }
        });
        let verdicts = race(additions).await;
        assert_eq!(verdicts.iter().filter(|verdict| verdict.is_ok()).count(), 3, "three places were left");
        assert!(
            verdicts.iter().all(|verdict| matches!(verdict, Ok(_) | Err(Error::Conflict(_)))),
            "the others find the group full"
        );
        assert_eq!(world.roster(group).await.len(), 5, "the group is never too large");
        assert_gapless(&world, group).await;
    }
}

/// One person added by two at once comes in once, and is told of once.
pub async fn one_person_added_by_two_comes_in_once(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    for _ in 0..ROUNDS {
        let group = world.group(&ann, &[&bob]).await;
        world.promote(group, &ann, &bob, Role::Admin).await;
        let additions = [&ann, &bob].map(|actor| {
            let (world, actor, cleo) = (world.clone(), actor.clone(), cleo.clone());
            async move { world.add(group, &actor, &cleo).await.message.is_some() }
        });
        let told = race(additions).await;
        assert_eq!(told.iter().filter(|told| **told).count(), 1, "one addition changes something");
        assert_eq!(world.unread(group, &cleo).await, 1, "Cleo's one system message is unread");
        assert_eq!(world.roster(group).await.len(), 3, "Cleo is in it once");
    }
}

/// A newcomer against sends: what comes after the system message is unread, what came before is not.
pub async fn an_addition_against_sends_counts_from_its_message(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    for _ in 0..ROUNDS {
        let group = world.group(&ann, &[&bob]).await;
        let (sender, adder, who) = (world.clone(), world.clone(), bob.clone());
        let send = async move {
            for _ in 0..4 {
                sender.send(group, &who, "x").await;
            }
        };
        let (owner, newcomer) = (ann.clone(), cleo.clone());
        let add = async move { adder.add(group, &owner, &newcomer).await };
        let ((), added) = race_two(send, add).await;
        let from = added.message.expect("a system message tells of it").seq;
        assert_eq!(world.unread(group, &cleo).await, 5 - from + 1, "from the system message on, to the last of five");
        let marked = world.try_read(group, &cleo, &ReadTarget::All).await.expect("Cleo is in it");
        let expected: Vec<MessageId> =
            ids(&world.history(group).await).split_off(usize::try_from(from - 1).expect("few"));
        assert_eq!(ids_of(&marked.newly_read), expected, "and that is what is newly read");
    }
}
