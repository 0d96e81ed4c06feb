//! What strangers' bytes reach first, each as one function from bytes to nothing: it may refuse them, and must neither
//! panic nor hang. Fuzzers (`fuzz/`, a workspace of its own) call these with whatever they come up with; the test of this
//! crate calls them with the corpora that are kept. What may never come out is asserted here.

mod codecs;
mod http;
mod packets;
mod tokens;
mod world;

pub use codecs::{cursor, decode};
pub use http::{multipart, query};
pub use packets::packets;
pub use tokens::token;

/// One of the functions.
pub type Target = fn(&[u8]);

/// All of them, by the name of their corpus.
pub const ALL: [(&str, Target); 6] = [
    ("decode", decode),
    ("cursor", cursor),
    ("token", token),
    ("query", query),
    ("multipart", multipart),
    ("packets", packets),
];
