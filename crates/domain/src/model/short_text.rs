//! Short texts that clients choose: non-empty, bounded in bytes, without control characters. One macro, so
//! that all of them are checked alike.

macro_rules! short_text {
    ($(#[$doc:meta])* $name:ident, $field:literal, $max:literal, $says:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The longest value, in bytes.
            pub const MAX_BYTES: usize = $max;

            /// A value from what a client sent.
            ///
            /// # Errors
            /// `Validation` of its field when it is empty, too long or has control characters.
            pub fn new(text: &str) -> $crate::Result<Self> {
                if text.is_empty() || text.len() > Self::MAX_BYTES || text.chars().any(char::is_control) {
                    return Err($crate::Error::validation($field, $says));
                }
                Ok(Self(text.to_owned()))
            }

            /// A value that a storage kept; it was checked when it came in.
            pub fn from_stored(text: String) -> Self {
                Self(text)
            }

            /// The value as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

pub(super) use short_text;
