//! Engine.IO and Socket.IO packets as they come over WebSocket, told apart by their first bytes. What is inside stays
//! bytes: a load that parsed every message as JSON would be slower than the server.

/// What the server said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Packet<'a> {
    /// The Engine.IO session is open.
    Open,
    /// Asks whether we are there.
    Ping,
    /// The namespace is joined.
    Connected,
    /// The namespace is refused; the JSON says why.
    Refused(&'a str),
    /// An event: its name, and everything from the name on.
    Event(&'a str, &'a str),
    /// The answer to the event of this number.
    Ack(u64, &'a str),
    /// The server ends the session.
    Closed,
    /// Anything else.
    Other,
}

impl<'a> Packet<'a> {
    pub(crate) fn read(text: &'a str) -> Self {
        match text.as_bytes() {
            [b'4', b'2', ..] => Self::event(&text[2..]),
            [b'4', b'3', ..] => Self::ack(&text[2..]),
            [b'2', ..] => Self::Ping,
            [b'0', ..] => Self::Open,
            [b'4', b'0', ..] => Self::Connected,
            [b'4', b'4', ..] => Self::Refused(&text[2..]),
            [b'1', ..] | [b'4', b'1', ..] => Self::Closed,
            _ => Self::Other,
        }
    }

    fn event(rest: &'a str) -> Self {
        let Some(rest) = rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).strip_prefix("[\"") else {
            return Self::Other;
        };
        rest.find('"').map_or(Self::Other, |end| Self::Event(&rest[..end], rest))
    }

    fn ack(rest: &'a str) -> Self {
        let Some(end) = rest.find('[') else { return Self::Other };
        rest[..end].parse().map_or(Self::Other, |id| Self::Ack(id, &rest[end..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_told_apart() {
        assert_eq!(Packet::read(r#"0{"sid":"x"}"#), Packet::Open);
        assert_eq!(Packet::read("2"), Packet::Ping);
        assert_eq!(Packet::read(r#"40{"sid":"x"}"#), Packet::Connected);
        assert_eq!(Packet::read(r#"44{"message":"no"}"#), Packet::Refused(r#"{"message":"no"}"#));
        assert_eq!(Packet::read(r#"42["a:b",1]"#), Packet::Event("a:b", r#"a:b",1]"#));
        assert_eq!(Packet::read(r#"4217["a:b"]"#), Packet::Event("a:b", r#"a:b"]"#));
        assert_eq!(Packet::read(r#"437[{"success":true}]"#), Packet::Ack(7, r#"[{"success":true}]"#));
        assert_eq!(Packet::read("41"), Packet::Closed);
        assert_eq!(Packet::read("6"), Packet::Other);
        assert_eq!(Packet::read(""), Packet::Other);
    }
}
