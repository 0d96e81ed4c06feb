//! From the collections of a Node and Mongoose back end to what Parlance imports. `mongoexport` has written them, a
//! document a line: `users.json`, `conversations.json`, `messages.json`. What a schema calls its fields stands in the lists
//! at the head of `people`, `conversations` and `messages`: where yours calls one otherwise, add its name there.
//!
//! What becomes of what: docs/from-mongoose.md. All of it is held in memory.

mod conversations;
mod document;
mod messages;
mod people;
mod source;

use std::path::Path;

use parlance_domain::model::Record;

pub use document::{Document, Unusable};
pub use source::Collections;

use conversations::Rooms;
use people::People;

/// The files, as `mongoexport` is told to write them.
pub const FILES: [&str; 3] = ["users.json", "conversations.json", "messages.json"];

/// The collections in a folder.
///
/// # Errors
/// [`Unusable`], naming the file, the line and what is wrong with it.
pub fn read(folder: &Path) -> Result<Collections, Unusable> {
    let [users, conversations, messages] = FILES.map(|file| Document::read_all(folder, file));
    let mut people = People::of(&users?)?;
    let mut rooms = Rooms::of(&conversations?, &mut people)?;
    rooms.take_in(messages?, &mut people)?;
    let mut records = people.records();
    records.extend(rooms.records());
    records.extend(people.blocks().map(Record::Blocks));
    Ok(Collections::new(records))
}
