//! Reading requests. Each part is refused in the envelope with the field that is wrong; the library's own
//! extractors answer with texts of their own and are not used by handlers.

mod body;
mod caller;
mod fields;
mod params;
mod query;
mod shape;
mod values;

pub(crate) use body::{Body, Encoded, JSON, clearable};
pub(crate) use caller::Caller;
pub(crate) use fields::read;
pub(crate) use params::Params;
pub(crate) use query::Query;
pub(crate) use shape::Shape;
pub(crate) use values::{COUNTED, Flag, Limit, Parsed, Searched, Whole};
