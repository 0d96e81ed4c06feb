//! People, as tokens introduce them and as they present themselves.

use super::UserId;

/// A person as others see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// From the token; never changes.
    pub id: UserId,
    /// Shown name, 1 to 200 characters.
    pub name: String,
    /// Link to a picture.
    pub picture: Option<String>,
}

impl User {
    /// The longest name, in characters; a longer claim is cut.
    pub const MAX_NAME_CHARS: usize = 200;

    /// A user of whom nothing but the id is known: the id stands in for the name.
    pub fn nameless(id: UserId) -> Self {
        Self { name: id.as_str().to_owned(), id, picture: None }
    }
}

/// What a token says of its bearer beside the id. Absent claims say nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimedProfile {
    /// From the claims `name`, `fullName`.
    pub name: Option<String>,
    /// From the claims `picture`, `profileImage`, `profilePicture`.
    pub picture: Option<String>,
}

/// A change that a user makes to their own profile; `None` keeps what is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// The new name.
    pub name: Option<String>,
    /// The new picture; `Some(None)` removes it.
    pub picture: Option<Option<String>>,
}
