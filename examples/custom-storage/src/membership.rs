//! Who comes and goes: the rule decides, this writes the outcome and its system message.

use parlance_domain::error::Error;
use parlance_domain::model::Role;
use parlance_domain::ports::{ChangeMembership, MembershipChanged};
use parlance_domain::rules::Limits;
use parlance_domain::rules::membership;

use crate::failure::Stop;
use crate::room;
use crate::store::Writer;
use crate::tables::{self, ROOMS_OF};
use crate::users;

impl Writer {
    pub(crate) fn change_membership(
        &mut self,
        change: &ChangeMembership,
        limits: &Limits,
    ) -> Result<MembershipChanged, Stop> {
        let ChangeMembership { conversation_id, actor, change: wanted, now, .. } = change;
        let mut room = room::find(self, *conversation_id)?.ok_or(Error::ConversationNotFound)?;
        let outcome = membership::plan(room.conversation.kind, &room.participants(), actor, wanted, limits)?;
        users::must_know(self, &outcome.added)?;
        if !outcome.is_empty() {
            room.conversation.updated_at = *now;
        }
        for user in &outcome.removed {
            room.leave(user);
            self.remove(ROOMS_OF, &tables::of_user_in(user, *conversation_id))?;
        }
        for (user, role) in &outcome.roles {
            room.set_role(user, *role);
        }
        for user in &outcome.added {
            room.enter(user, Role::Member, *now);
            self.put_bytes(ROOMS_OF, &tables::of_user_in(user, *conversation_id), &[])?;
        }
        let message = match change.system_message(&outcome) {
            None => None,
            Some(new) => Some(self.store(&mut room, new)?.0),
        };
        if !outcome.is_empty() {
            self.put_room(&room)?;
        }
        Ok(MembershipChanged { outcome, conversation: room.conversation.clone(), roster: room.roster(), message })
    }
}
