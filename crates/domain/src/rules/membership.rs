//! Who may come, go and lead in a group. Storages call [`plan`] inside the transaction, with the
//! participants as they are there, and write down the outcome.

use std::collections::HashMap;

use super::Limits;
use crate::error::{Attempt, Error, Result};
use crate::model::{ConversationKind, Participant, Role, UserId};

/// A change to who is in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MembershipChange {
    /// Owner and admins add people; those who are in already stay as they are.
    Add(Vec<UserId>),
    /// Owner and admins remove somebody, never the owner; anybody removes themselves (leaves).
    Remove(UserId),
    /// The owner gives somebody the role of an admin or member.
    SetRole(UserId, Role),
}

/// What a change comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Those who come in, as members.
    pub added: Vec<UserId>,
    /// Those who go.
    pub removed: Vec<UserId>,
    /// New roles of those who stay.
    pub roles: Vec<(UserId, Role)>,
}

impl Outcome {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.roles.is_empty()
    }

    /// The text of the system message that tells of it; `None` where only roles change.
    pub fn describe(&self, actor: &UserId, names: &HashMap<UserId, String>) -> Option<String> {
        let name = |user: &UserId| names.get(user).map_or_else(|| user.as_str().to_owned(), Clone::clone);
        let list = |users: &[UserId]| {
            const NAMED: usize = 5;
            let named: Vec<String> = users.iter().take(NAMED).map(name).collect();
            match users.len().saturating_sub(NAMED) {
                0 => named.join(", "),
                more => format!("{} and {more} more", named.join(", ")),
            }
        };
        if !self.added.is_empty() {
            Some(format!("{} added {}", name(actor), list(&self.added)))
        } else if self.removed.iter().any(|user| user == actor) {
            Some(format!("{} left", name(actor)))
        } else if !self.removed.is_empty() {
            Some(format!("{} removed {}", name(actor), list(&self.removed)))
        } else {
            None
        }
    }
}

/// Decides a change. `participants` is everybody, longest-serving first.
///
/// # Errors
/// `NotParticipant` for an outsider, `Forbidden` where a role is missing, `Conflict` for a direct conversation
/// or a group that would be too large, `UserNotFound` where the target is not in the group.
pub fn plan(
    kind: ConversationKind,
    participants: &[Participant],
    actor: &UserId,
    change: &MembershipChange,
    limits: &Limits,
) -> Result<Outcome> {
    let role_of = |user: &UserId| participants.iter().find(|other| other.user_id == *user).map(|other| other.role);
    let role = role_of(actor).ok_or(Error::NotParticipant(Attempt::Access))?;
    if kind == ConversationKind::Direct {
        return Err(Error::Conflict("The participants of a direct conversation do not change"));
    }
    match change {
        MembershipChange::Add(users) => {
            may_manage(role)?;
            let mut added: Vec<UserId> = Vec::new();
            for user in users {
                if role_of(user).is_none() && !added.contains(user) {
                    added.push(user.clone());
                }
            }
            if participants.len() + added.len() > limits.max_group_size {
                return Err(Error::Conflict("The group is full"));
            }
            Ok(Outcome { added, ..Outcome::default() })
        }
        MembershipChange::Remove(user) => {
            let roles = if user == actor {
                if role == Role::Owner { heir(participants, actor) } else { Vec::new() }
            } else {
                may_manage(role)?;
                match role_of(user).ok_or(Error::UserNotFound)? {
                    Role::Owner => return Err(Error::Forbidden("The owner cannot be removed")),
                    Role::Admin | Role::Member => Vec::new(),
                }
            };
            Ok(Outcome { removed: vec![user.clone()], roles, ..Outcome::default() })
        }
        MembershipChange::SetRole(user, new) => {
            if role != Role::Owner {
                return Err(Error::Forbidden("Only the owner can give roles"));
            }
            let old = role_of(user).ok_or(Error::UserNotFound)?;
            if *new == Role::Owner || old == Role::Owner {
                return Err(Error::Forbidden("The owner's role cannot be given or taken"));
            }
            let roles = if old == *new { Vec::new() } else { vec![(user.clone(), *new)] };
            Ok(Outcome { roles, ..Outcome::default() })
        }
    }
}

/// Whether somebody with this role may add, remove and rename.
///
/// # Errors
/// `Forbidden` for members.
pub fn may_manage(role: Role) -> Result<()> {
    match role {
        Role::Owner | Role::Admin => Ok(()),
        Role::Member => Err(Error::Forbidden("Only the owner and admins of a group can do this")),
    }
}

/// The longest-serving admin, else the longest-serving member, becomes the owner.
fn heir(participants: &[Participant], leaving: &UserId) -> Vec<(UserId, Role)> {
    let mut rest = participants.iter().filter(|other| other.user_id != *leaving);
    let admin = rest.clone().find(|other| other.role == Role::Admin);
    admin.or_else(|| rest.next()).map(|heir| (heir.user_id.clone(), Role::Owner)).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Timestamp;
    use proptest::prelude::*;

    fn user(n: usize) -> UserId {
        format!("u{n}").parse().expect("a valid id")
    }

    fn people(roles: &[Role]) -> Vec<Participant> {
        roles
            .iter()
            .enumerate()
            .map(|(n, role)| Participant {
                user_id: user(n),
                role: *role,
                joined_at: Timestamp::from_millis(i64::try_from(n).expect("small")),
            })
            .collect()
    }

    fn decide(people: &[Participant], actor: usize, change: &MembershipChange) -> Result<Outcome> {
        plan(ConversationKind::Group, people, &user(actor), change, &Limits { max_group_size: 4, ..Limits::default() })
    }

    #[test]
    fn members_manage_nobody_but_themselves() {
        let people = people(&[Role::Owner, Role::Member, Role::Member]);
        assert!(decide(&people, 1, &MembershipChange::Add(vec![user(9)])).is_err());
        assert!(decide(&people, 1, &MembershipChange::Remove(user(2))).is_err());
        assert_eq!(decide(&people, 1, &MembershipChange::Remove(user(1))).map(|o| o.removed), Ok(vec![user(1)]));
        assert!(decide(&people, 7, &MembershipChange::Remove(user(7))).is_err());
    }

    #[test]
    fn nobody_removes_the_owner_and_only_the_owner_gives_roles() {
        let people = people(&[Role::Owner, Role::Admin, Role::Member]);
        assert!(decide(&people, 1, &MembershipChange::Remove(user(0))).is_err());
        assert!(decide(&people, 1, &MembershipChange::SetRole(user(2), Role::Admin)).is_err());
        assert_eq!(
            decide(&people, 0, &MembershipChange::SetRole(user(2), Role::Admin)).map(|o| o.roles),
            Ok(vec![(user(2), Role::Admin)])
        );
        assert!(decide(&people, 0, &MembershipChange::SetRole(user(0), Role::Member)).is_err());
    }

    #[test]
    fn a_leaving_owner_hands_over_to_the_oldest_admin_else_member() {
        let leave = MembershipChange::Remove(user(0));
        let heir = |roles: &[Role]| decide(&people(roles), 0, &leave).map(|outcome| outcome.roles);
        assert_eq!(heir(&[Role::Owner, Role::Member, Role::Admin]), Ok(vec![(user(2), Role::Owner)]));
        assert_eq!(heir(&[Role::Owner, Role::Member, Role::Member]), Ok(vec![(user(1), Role::Owner)]));
        assert_eq!(heir(&[Role::Owner]), Ok(vec![]));
    }

    #[test]
    fn a_full_group_takes_nobody_and_a_repeated_add_changes_nothing() {
        let people = people(&[Role::Owner, Role::Member, Role::Member]);
        assert!(decide(&people, 0, &MembershipChange::Add(vec![user(8), user(9)])).is_err());
        assert_eq!(
            decide(&people, 0, &MembershipChange::Add(vec![user(8), user(8)])).map(|o| o.added),
            Ok(vec![user(8)])
        );
        assert_eq!(decide(&people, 0, &MembershipChange::Add(vec![user(1)])).map(|o| o.is_empty()), Ok(true));
    }

    proptest! {
        #[test]
        fn a_group_with_people_in_it_has_exactly_one_owner(ops in prop::collection::vec((0..5usize, 0..5usize, 0..4u8), 0..40)) {
            let mut people = people(&[Role::Owner, Role::Member, Role::Admin]);
            let mut clock = 100;
            for (actor, target, what) in ops {
                let change = match what {
                    0 => MembershipChange::Add(vec![user(target)]),
                    1 => MembershipChange::Remove(user(target)),
                    2 => MembershipChange::SetRole(user(target), Role::Admin),
                    _ => MembershipChange::SetRole(user(target), Role::Member),
                };
                let Ok(outcome) = decide(&people, actor, &change) else { continue };
                people.retain(|other| !outcome.removed.contains(&other.user_id));
                for (who, role) in outcome.roles {
                    for other in people.iter_mut().filter(|other| other.user_id == who) {
                        other.role = role;
                    }
                }
                for user_id in outcome.added {
                    clock += 1;
                    people.push(Participant { user_id, role: Role::Member, joined_at: Timestamp::from_millis(clock) });
                }
                let owners = people.iter().filter(|other| other.role == Role::Owner).count();
                prop_assert!(people.is_empty() || owners == 1);
                prop_assert!(people.len() <= 4);
            }
        }
    }
}
