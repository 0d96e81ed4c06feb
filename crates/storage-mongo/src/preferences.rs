//! What users want to be told: fields of their inboxes.

use async_trait::async_trait;
use mongodb::bson::doc;
use parlance_domain::model::{Preferences, PreferencesChange, UserId};

use crate::change::{Change, Unit};
use crate::command::{Command, Update};
use crate::error::Failed;
use crate::inbox::{self, find_inbox};
use crate::reader::Reader;
use crate::schema::INBOXES;

/// What somebody wants from now on.
pub(crate) struct UpdatePreferences<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) change: PreferencesChange,
}

#[async_trait]
impl Change for UpdatePreferences<'_> {
    type Done = Preferences;

    async fn locks(&self, _reader: &mut Reader<'_>) -> Result<Vec<String>, Failed> {
        Ok(vec![inbox::lock(self.user)])
    }

    async fn decide(&self, unit: &mut Unit<'_>) -> Result<Preferences, Failed> {
        let inbox = find_inbox(&mut unit.reader(), self.user).await?;
        let preferences = inbox.preferences().with(self.change);
        let Preferences { email, push, chat, job_match } = preferences;
        let set = doc! { "email": email, "push": push, "chat": chat, "job_match": job_match };
        let update = Update::or_insert(doc! { "_id": self.user.as_str() }, doc! { "$set": set });
        unit.write(Command::update(INBOXES, vec![update]));
        Ok(preferences)
    }
}
