//! One line: `{"sum":"…","record":{"message":{…}}}`. Here it becomes what it says, or damage with its line and field.

use std::borrow::Cow;

use parlance_domain::model::Record;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chain::Chain;
use crate::damage::Damage;
use crate::shapes::{Body, Foot, Head};

/// The longest line, in bytes. The longest record that a storage can hold is far below.
pub(crate) const MAX_BYTES: u64 = 64 << 20;

/// What a line says.
pub(crate) enum Line {
    Head(Head),
    Record(Record),
    Foot(Foot),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw<'a> {
    #[serde(borrow)]
    sum: Cow<'a, str>,
    #[serde(borrow)]
    record: &'a RawValue,
}

/// The text of a line with the line feed at its end.
pub(crate) fn write(body: &Body, chain: &mut Chain, out: &mut Vec<u8>) -> serde_json::Result<()> {
    let record = serde_json::to_string(body)?;
    let sum = chain.add(&record);
    out.extend_from_slice(b"{\"sum\":\"");
    out.extend_from_slice(sum.as_bytes());
    out.extend_from_slice(b"\",\"record\":");
    out.extend_from_slice(record.as_bytes());
    out.extend_from_slice(b"}\n");
    Ok(())
}

/// What the line of this number says, if it is what was written there.
pub(crate) fn read(bytes: &[u8], number: u64, chain: &mut Chain) -> Result<Line, Damage> {
    let text = std::str::from_utf8(bytes).map_err(|error| Damage::line(number, ".", error.to_string()))?;
    let Raw { sum, record } =
        serde_json::from_str(text).map_err(|error| Damage::line(number, ".", without_place(&error)))?;
    let mut parser = serde_json::Deserializer::from_str(record.get());
    let body: Body = serde_path_to_error::deserialize(&mut parser).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "record".to_owned() } else { format!("record.{path}") };
        Damage::line(number, field, without_place(error.inner()))
    })?;
    let mut longer = chain.clone();
    if longer.add(record.get()) != sum {
        return Err(Damage::line(number, "sum", "does not fit: this line, or one before it, is not what was exported"));
    }
    *chain = longer;
    Ok(match body {
        Body::Archive(head) => Line::Head(head),
        Body::User(shape) => Line::Record(Record::User((*shape).into())),
        Body::Medium(shape) => Line::Record(Record::Medium((*shape).into())),
        Body::Conversation(shape) => Line::Record(Record::Conversation((*shape).into())),
        Body::Message(shape) => Line::Record(Record::Message((*shape).into())),
        Body::Participant(shape) => Line::Record(Record::Participant((*shape).into())),
        Body::Blocks(shape) => Line::Record(Record::Blocks((*shape).into())),
        Body::Notification(shape) => Line::Record(Record::Notification((*shape).into())),
        Body::End(foot) => Line::Foot(foot),
    })
}

/// The parser counts lines and columns within the line; the line of the file is known better.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}
