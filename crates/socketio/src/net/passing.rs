//! Follows what the library writes on a connection, to know where a frame of ours may stand: on a connection that is a
//! WebSocket from its first byte, between two frames, after the CONNECT packet and before the close frame.

use std::io::Cursor;

use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, OpCode};

/// How the answer begins that makes a connection a WebSocket.
const SWITCHING: &[u8] = b"HTTP/1.1 101";
const END_OF_HEAD: &[u8] = b"\r\n\r\n";
/// The longest header of a frame without a mask, as servers send them, in bytes (RFC 6455, 5.2).
const MAX_HEADER: usize = 10;
/// How the CONNECT packet begins: a message of Engine.IO, a CONNECT of Socket.IO.
const CONNECT: &[u8] = b"40";

/// What the library has written so far.
#[derive(Debug)]
pub(crate) struct Passing {
    place: Place,
    connected: bool,
}

/// Where its bytes leave off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At the beginning.
    Start,
    /// In something that is not looked into: another answer of HTTP, or TLS.
    Opaque,
    /// In the head of the answer, with so much of its end.
    Head(usize),
    /// In the header of a frame, or where one begins.
    Header { bytes: [u8; MAX_HEADER], known: usize },
    /// In a frame, with so much left, of which so much is as a CONNECT packet begins; `None` if something is not.
    Payload { left: u64, connect: Option<usize> },
    /// After the close frame, or at the end of the connection.
    Closed,
}

const BETWEEN: Place = Place::Header { bytes: [0; MAX_HEADER], known: 0 };

impl Passing {
    pub(crate) const fn new() -> Self {
        Self { place: Place::Start, connected: false }
    }

    /// Whether it is a WebSocket that frames can be written on, now or later.
    pub(crate) fn is_websocket(&self) -> bool {
        !matches!(self.place, Place::Start | Place::Opaque | Place::Closed)
    }

    /// Whether a frame may stand here.
    pub(crate) fn is_between(&self) -> bool {
        self.connected && self.place == BETWEEN
    }

    /// No frame before another CONNECT packet.
    pub(crate) fn expect_connect(&mut self) {
        self.connected = false;
    }

    /// No frame any more.
    pub(crate) fn close(&mut self) {
        self.place = Place::Closed;
    }

    /// These bytes went out.
    pub(crate) fn saw(&mut self, mut bytes: &[u8]) {
        while let [first, rest @ ..] = bytes {
            match &mut self.place {
                Place::Opaque | Place::Closed => return,
                Place::Start => {
                    self.place = if bytes.starts_with(SWITCHING) { Place::Head(0) } else { Place::Opaque };
                }
                Place::Head(matched) => {
                    *matched =
                        if *first == END_OF_HEAD[*matched] { *matched + 1 } else { usize::from(*first == b'\r') };
                    if *matched == END_OF_HEAD.len() {
                        self.place = BETWEEN;
                    }
                    bytes = rest;
                }
                Place::Header { bytes: header, known } => {
                    header[*known] = *first;
                    *known += 1;
                    self.place = behind(*header, *known);
                    bytes = rest;
                }
                Place::Payload { left, connect } => {
                    let begins = connect.filter(|matched| *matched < CONNECT.len());
                    let taken = if let Some(matched) = begins {
                        *connect = (*first == CONNECT[matched]).then_some(matched + 1);
                        self.connected |= *connect == Some(CONNECT.len());
                        1
                    } else {
                        usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()))
                    };
                    *left -= taken as u64;
                    if *left == 0 {
                        self.place = BETWEEN;
                    }
                    bytes = &bytes[taken..];
                }
            }
        }
    }
}

/// What comes after so much of a header.
fn behind(bytes: [u8; MAX_HEADER], known: usize) -> Place {
    match FrameHeader::parse(&mut Cursor::new(&bytes[..known])) {
        Ok(Some((FrameHeader { opcode: OpCode::Control(Control::Close), .. }, _))) => Place::Closed,
        Ok(Some((_, 0))) => BETWEEN,
        Ok(Some((header, left))) => {
            let text = matches!(header.opcode, OpCode::Data(_));
            Place::Payload { left, connect: text.then_some(0) }
        }
        Ok(None) if known < MAX_HEADER => Place::Header { bytes, known },
        Ok(None) | Err(_) => Place::Closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n";

    fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x80 | opcode];
        match payload.len() {
            length @ 0..126 => bytes.push(u8::try_from(length).unwrap()),
            length if length <= 0xffff => {
                bytes.push(126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                bytes.push(127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend_from_slice(payload);
        bytes
    }

    /// Whether a frame may stand after all of these, taken in one piece, and byte by byte.
    fn is_between(all: &[&[u8]]) -> bool {
        let [mut whole, mut slow] = [Passing::new(), Passing::new()];
        let bytes = all.concat();
        whole.saw(&bytes);
        // The beginning is looked at as a whole: it comes with the first write.
        let (start, rest) = bytes.split_at(SWITCHING.len().min(bytes.len()));
        slow.saw(start);
        rest.chunks(1).for_each(|byte| slow.saw(byte));
        assert_eq!(whole.place, slow.place);
        assert_eq!(whole.is_between(), slow.is_between());
        whole.is_between()
    }

    #[test]
    fn frames_stand_between_frames_once_the_connect_packet_is_out() {
        let (open, ping, connect) = (frame(1, b"0{}"), frame(1, b"2"), frame(1, br#"40{"sid":"a"}"#));
        assert!(!is_between(&[]));
        assert!(!is_between(&[HEAD]));
        assert!(!is_between(&[HEAD, &open]));
        assert!(!is_between(&[HEAD, &open, &ping, &frame(9, b"40"), &frame(1, b"4")]));
        assert!(!is_between(&[HEAD, &open, &frame(1, br#"44{"message":"no"}"#)]));
        assert!(is_between(&[HEAD, &open, &connect]));
        assert!(is_between(&[HEAD, &open, &connect, &frame(10, b""), &ping, &frame(2, &[0; 300])]));
        assert!(is_between(&[HEAD, &open, &connect, &frame(1, &vec![b'4'; 70_000])]));
    }

    #[test]
    fn no_frame_stands_within_another_or_after_the_close() {
        let connected = [HEAD, &frame(1, b"0{}"), &frame(1, b"40")].concat();
        for payload in [1, 125, 126, 65_535, 65_536] {
            let whole = frame(1, &vec![b'x'; payload]);
            for cut in [1, 2, 3, 5, 9, whole.len() - 1] {
                assert!(cut >= whole.len() || !is_between(&[&connected, &whole[..cut]]), "{cut} of {payload}");
            }
            assert!(is_between(&[&connected, &whole]), "{payload}");
        }
        let mut passing = Passing::new();
        passing.saw(&connected);
        assert!(passing.is_between() && passing.is_websocket());
        passing.saw(&frame(8, b"\x03\xe8"));
        assert!(!passing.is_between() && !passing.is_websocket());
    }

    #[test]
    fn another_connect_packet_is_waited_for() {
        let mut passing = Passing::new();
        passing.saw(&[HEAD, &frame(1, b"0{}"), &frame(1, b"40{}")].concat());
        passing.expect_connect();
        passing.saw(&frame(1, b"42[\"late\"]"));
        assert!(!passing.is_between());
        passing.saw(&frame(1, b"40{}"));
        assert!(passing.is_between());
    }

    #[test]
    fn what_is_not_a_websocket_from_the_beginning_is_left_alone() {
        for first in [&b"HTTP/1.1 200 OK\r\n\r\n"[..], b"\x16\x03\x03", b"H"] {
            assert!(!is_between(&[first, HEAD, &frame(1, b"0{}"), &frame(1, b"40{}")]));
        }
    }
}
