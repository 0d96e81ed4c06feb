//! The dialects of one server: the five, and those that whoever builds the server has added. A list that exists has
//! names that clients can give, each once.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use crate::codec::Codec;
use crate::names::is_reserved;
use crate::{Dialect, UnknownDialect};

/// The longest name of a dialect, in bytes.
const MAX_NAME: usize = 32;

/// The most dialects that a server can have beside the five; each has its own numbers in the metrics.
const MAX_OWN: usize = 16;

/// What a socket speaks: one of the five, or one of the server's own. Small and cheap to copy; used like the [`Codec`]
/// that it stands for.
#[derive(Clone, Copy)]
pub struct AnyDialect {
    index: u8,
    codec: &'static dyn Codec,
}

impl AnyDialect {
    /// Its place among its server's [`Dialects`], from 0.
    pub fn index(self) -> usize {
        usize::from(self.index)
    }
}

impl Deref for AnyDialect {
    type Target = dyn Codec;

    fn deref(&self) -> &Self::Target {
        self.codec
    }
}

impl From<Dialect> for AnyDialect {
    fn from(dialect: Dialect) -> Self {
        Self { index: dialect as u8, codec: dialect.codec() }
    }
}

impl Default for AnyDialect {
    fn default() -> Self {
        Dialect::default().into()
    }
}

impl PartialEq for AnyDialect {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && self.name() == other.name()
    }
}

impl Eq for AnyDialect {}

impl Hash for AnyDialect {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.index.hash(state);
    }
}

impl fmt::Debug for AnyDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyDialect").field(&self.name()).finish()
    }
}

impl fmt::Display for AnyDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// All dialects of a server. Cheap to clone; without anything added, the five.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialects(Arc<[AnyDialect]>);

/// Why a dialect cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnusableDialect {
    /// Its name is not 1 to 32 lower-case letters, digits and dashes.
    Name(&'static str),
    /// Another one has this name.
    Twice(&'static str),
    /// Its clients shall send an event of this name, which the Socket.IO libraries keep for themselves.
    Reserved(&'static str),
    /// There are more than 16 beside the five.
    TooMany,
}

impl fmt::Display for UnusableDialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => {
                write!(f, "{name:?} is no name for a dialect: 1 to {MAX_NAME} lower-case letters, digits and dashes")
            }
            Self::Twice(name) => write!(f, "there are two dialects of the name {name:?}"),
            Self::Reserved(event) => write!(f, "{event:?} is no event of a dialect: libraries keep it for themselves"),
            Self::TooMany => write!(f, "there are more than {MAX_OWN} dialects beside the five"),
        }
    }
}

impl std::error::Error for UnusableDialect {}

impl Default for Dialects {
    fn default() -> Self {
        Self(Dialect::ALL.into_iter().map(AnyDialect::from).collect())
    }
}

impl Dialects {
    /// The five, and these after them.
    ///
    /// # Errors
    /// [`UnusableDialect`], naming the first that cannot be had.
    pub fn new(own: &[&'static dyn Codec]) -> Result<Self, UnusableDialect> {
        if own.len() > MAX_OWN {
            return Err(UnusableDialect::TooMany);
        }
        let mut all: Vec<AnyDialect> = Dialect::ALL.into_iter().map(AnyDialect::from).collect();
        for (index, &codec) in (0_u8..).skip(all.len()).zip(own) {
            let name = codec.name();
            if !is_plain(name) {
                return Err(UnusableDialect::Name(name));
            }
            if all.iter().any(|other| other.name() == name) {
                return Err(UnusableDialect::Twice(name));
            }
            if let Some(event) = codec.inbound().chain(codec.outbound()).find(|event| is_reserved(event)) {
                return Err(UnusableDialect::Reserved(event));
            }
            all.push(AnyDialect { index, codec });
        }
        Ok(Self(all.into()))
    }

    /// All of them, in the order of their [`AnyDialect::index`].
    pub fn all(&self) -> impl Iterator<Item = AnyDialect> {
        self.0.iter().copied()
    }

    /// The dialect of a name.
    ///
    /// # Errors
    /// [`UnknownDialect`] if none has it.
    pub fn find(&self, name: &str) -> Result<AnyDialect, UnknownDialect> {
        self.all().find(|dialect| dialect.name() == name).ok_or_else(|| UnknownDialect(name.to_owned()))
    }

    /// Whether an event of a product's own cannot be called this: the Socket.IO libraries keep the name for themselves,
    /// or one of the dialects has it, in either direction.
    pub fn is_taken(&self, event: &str) -> bool {
        let is_spoken = |dialect: AnyDialect| dialect.inbound().chain(dialect.outbound()).any(|name| name == event);
        is_reserved(event) || self.all().any(is_spoken)
    }
}

fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain)
}
