//! One thing to send to a socket, and the WebSocket frame that it is there. An event is encoded once, as a frame too, and
//! shared by all sockets of one dialect.

use std::sync::{Arc, OnceLock};

use axum::body::Bytes;
use parlance_dialects::Wire;
use serde_json::Value;
use serde_json::value::RawValue;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Data, OpCode};

/// One thing to send. Both are JSON already.
#[derive(Debug, Clone)]
pub(crate) enum Packet {
    /// An event.
    Event(Arc<Told>),
    /// The answer to the client's event with this ack id.
    Ack(i64, Arc<RawValue>),
}

/// An event in one dialect.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) wire: Wire,
    frame: OnceLock<Bytes>,
}

impl Told {
    pub(crate) fn new(wire: Wire) -> Arc<Self> {
        Arc::new(Self { wire, frame: OnceLock::new() })
    }
}

impl From<Wire> for Packet {
    fn from(wire: Wire) -> Self {
        Self::Event(Told::new(wire))
    }
}

impl Packet {
    /// How much it is, in bytes of JSON.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Event(told) => told.wire.args.iter().map(|arg| arg.get().len()).sum(),
            Self::Ack(_, answer) => answer.get().len(),
        }
    }

    /// The frame: a message of Engine.IO (`4`) that is an EVENT (`2`) or ACK (`3`) of Socket.IO in the main namespace.
    pub(crate) fn frame(&self) -> Bytes {
        match self {
            Self::Event(told) => told.frame.get_or_init(|| event(&told.wire)).clone(),
            Self::Ack(id, answer) => text_frame(&["43", &id.to_string(), "[", answer.get(), "]"]),
        }
    }
}

fn event(wire: &Wire) -> Bytes {
    let name = Value::from(&*wire.event).to_string();
    let mut pieces = vec!["42[", &name];
    for arg in &wire.args {
        pieces.extend([",", arg.get()]);
    }
    pieces.push("]");
    text_frame(&pieces)
}

/// The frame of a text that is these pieces.
pub(crate) fn text_frame(pieces: &[&str]) -> Bytes {
    let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
    let length = pieces.iter().map(|piece| piece.len()).sum::<usize>();
    let mut frame = Vec::with_capacity(header.len(length as u64) + length);
    // A vector takes everything.
    let _ = header.format(length as u64, &mut frame);
    for piece in pieces {
        frame.extend_from_slice(piece.as_bytes());
    }
    frame.into()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn text(frame: &[u8]) -> String {
        let mut cursor = Cursor::new(frame);
        let (header, length) = FrameHeader::parse(&mut cursor).unwrap().unwrap();
        assert!(header.is_final && header.opcode == OpCode::Data(Data::Text) && header.mask.is_none());
        let text = &frame[usize::try_from(cursor.position()).unwrap()..];
        assert_eq!(text.len() as u64, length);
        String::from_utf8(text.to_vec()).unwrap()
    }

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn an_event_is_a_frame_with_its_name_and_arguments() {
        let none = Packet::from(Wire::bare("notifications:read-all"));
        assert_eq!(text(&none.frame()), r#"42["notifications:read-all"]"#);
        let args = vec![raw(r#"{"a":"ä"}"#), raw("7")];
        let two = Packet::from(Wire { event: "say \"hi\"".into(), args });
        assert_eq!(text(&two.frame()), r#"42["say \"hi\"",{"a":"ä"},7]"#);
    }

    #[test]
    fn an_answer_is_a_frame_with_its_number() {
        let answer = Packet::Ack(12, raw(r#"{"success":true}"#).into());
        assert_eq!(text(&answer.frame()), r#"4312[{"success":true}]"#);
    }

    #[test]
    fn frames_have_any_length_and_are_made_once() {
        for length in [0, 100, 126, 70_000] {
            let said = raw(&format!("\"{}\"", "x".repeat(length)));
            let packet = Packet::from(Wire { event: "e".into(), args: vec![said.clone()] });
            assert_eq!(text(&packet.frame()), format!(r#"42["e",{said}]"#));
            assert_eq!(packet.clone().frame().as_ptr(), packet.frame().as_ptr());
        }
    }
}
