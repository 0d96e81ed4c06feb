//! Who comes and goes: the rule decides, this writes the outcome and its system message.

use parlance_domain::error::{Error, Result};
use parlance_domain::model::Role;
use parlance_domain::ports::{ChangeMembership, MembershipChanged, StorageResult};
use parlance_domain::rules::Limits;
use parlance_domain::rules::membership;

use crate::state::State;

impl State {
    pub(crate) fn change_membership(
        &mut self,
        change: &ChangeMembership,
        limits: &Limits,
    ) -> StorageResult<Result<MembershipChanged>> {
        let ChangeMembership { conversation_id, actor, change: wanted, now, .. } = change;
        let Some(room) = self.rooms.get(conversation_id) else { return Ok(Err(Error::ConversationNotFound)) };
        let outcome = match membership::plan(room.conversation.kind, &room.participants(), actor, wanted, limits) {
            Ok(outcome) => outcome,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.must_know(&outcome.added)?;
        let Some(room) = self.rooms.get_mut(conversation_id) else { return Ok(Err(Error::ConversationNotFound)) };
        if !outcome.is_empty() {
            room.conversation.updated_at = *now;
        }
        for user in &outcome.removed {
            room.leave(user);
            self.rooms_of.entry(user.clone()).or_default().remove(conversation_id);
        }
        for (user, role) in &outcome.roles {
            room.set_role(user, *role);
        }
        for user in &outcome.added {
            room.enter(user, Role::Member, *now);
            self.rooms_of.entry(user.clone()).or_default().insert(*conversation_id);
        }
        let message = change.system_message(&outcome).and_then(|new| self.store(new));
        if !outcome.is_empty() {
            self.post.add(self.post.wanted.updated(*conversation_id, *now));
        }
        let Some(room) = self.rooms.get(conversation_id) else { return Ok(Err(Error::ConversationNotFound)) };
        Ok(Ok(MembershipChanged {
            outcome,
            conversation: room.conversation.clone(),
            roster: room.roster(),
            message: message.map(|(message, _)| message),
        }))
    }
}
