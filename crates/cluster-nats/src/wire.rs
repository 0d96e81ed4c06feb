//! The protocol of NATS, as far as a link needs it: lines that end with CR LF, and payloads behind some of them. What a
//! server says of itself is read for what matters here alone, since it names itself and others in more than one form.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use memchr::memmem;
use parlance_cluster_link::BrokerError;
use serde::{Deserialize, Serialize};

/// The longest line of a server: it may name every other server of its cluster.
const MAX_LINE: usize = 256 * 1024;
/// The most that any server lets through.
const MAX_PAYLOAD: usize = 64 * 1024 * 1024;
const END: &[u8] = b"\r\n";

/// What a server says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Info(Info),
    Message(Bytes),
    Ping,
    Pong,
    Done,
    Error(String),
}

/// What a server says of itself.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Info {
    pub(crate) max_payload: usize,
    #[serde(default)]
    pub(crate) tls_required: bool,
}

/// What a client says of itself.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Greeting<'a> {
    pub(crate) name: &'a str,
    pub(crate) lang: &'a str,
    pub(crate) version: &'a str,
    pub(crate) tls_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pass: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auth_token: Option<String>,
    /// Every command would be answered.
    pub(crate) verbose: bool,
    pub(crate) pedantic: bool,
}

/// Writes commands. Subjects are `Subjects`' and have nothing in them that ends a line.
#[derive(Debug, Default)]
pub(crate) struct Commands(pub(crate) BytesMut);

impl Commands {
    pub(crate) fn connect(&mut self, greeting: &Greeting<'_>) -> Result<(), BrokerError> {
        let greeting = serde_json::to_string(greeting).map_err(BrokerError::new)?;
        self.line(&format!("CONNECT {greeting}"));
        Ok(())
    }

    pub(crate) fn publish(&mut self, subject: &str, payload: &[u8]) {
        self.line(&format!("PUB {subject} {}", payload.len()));
        self.0.put_slice(payload);
        self.0.put_slice(END);
    }

    pub(crate) fn subscribe(&mut self, subject: &str, id: u64) {
        self.line(&format!("SUB {subject} {id}"));
    }

    pub(crate) fn unsubscribe(&mut self, id: u64) {
        self.line(&format!("UNSUB {id}"));
    }

    pub(crate) fn ping(&mut self) {
        self.line("PING");
    }

    pub(crate) fn pong(&mut self) {
        self.line("PONG");
    }

    fn line(&mut self, line: &str) {
        self.0.put_slice(line.as_bytes());
        self.0.put_slice(END);
    }
}

/// Takes what a server has said next out of what has arrived; `None` if it has not arrived whole.
pub(crate) fn take(arrived: &mut BytesMut) -> Result<Option<Said>, BrokerError> {
    let Some(length) = memmem::find(arrived, END) else {
        return if arrived.len() > MAX_LINE { Err(garbage()) } else { Ok(None) };
    };
    let line = std::str::from_utf8(&arrived[..length]).map_err(BrokerError::new)?;
    let (command, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    let said = match command {
        "MSG" => {
            // The subject, the subscription, perhaps where to answer, and the length.
            let payload = rest.split_ascii_whitespace().last().and_then(|text| text.parse::<usize>().ok());
            let payload = payload.filter(|payload| *payload <= MAX_PAYLOAD).ok_or_else(garbage)?;
            return message(arrived, length + END.len(), payload);
        }
        "INFO" => Said::Info(serde_json::from_str(rest).map_err(BrokerError::new)?),
        "PING" => Said::Ping,
        "PONG" => Said::Pong,
        "+OK" => Said::Done,
        "-ERR" => Said::Error(rest.trim_matches(['\'', ' ']).to_owned()),
        _ => return Err(garbage()),
    };
    arrived.advance(length + END.len());
    Ok(Some(said))
}

fn message(arrived: &mut BytesMut, begin: usize, length: usize) -> Result<Option<Said>, BrokerError> {
    let end = begin + length;
    let Some(after) = arrived.get(end..end + END.len()) else {
        arrived.reserve(end + END.len() - arrived.len());
        return Ok(None);
    };
    if after != END {
        return Err(garbage());
    }
    arrived.advance(begin);
    let payload = arrived.split_to(length).freeze();
    arrived.advance(END.len());
    Ok(Some(Said::Message(payload)))
}

fn garbage() -> BrokerError {
    BrokerError::new("this is not how a NATS server speaks")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TALK: &[u8] = b"INFO {\"server_id\":\"x\",\"host\":\"localhost\",\"max_payload\":1048576,\"connect_urls\":[\"a:1\"]} \r\n\
        +OK\r\nPING\r\nMSG p.all 1 5\r\n\r\nab\n\r\nMSG p.all 1 inbox 0\r\n\r\nPONG\r\n-ERR 'Authorization Violation'\r\n";

    fn talk() -> Vec<Said> {
        vec![
            Said::Info(Info { max_payload: 1_048_576, tls_required: false }),
            Said::Done,
            Said::Ping,
            Said::Message(Bytes::from_static(b"\r\nab\n")),
            Said::Message(Bytes::new()),
            Said::Pong,
            Said::Error("Authorization Violation".to_owned()),
        ]
    }

    #[test]
    fn what_a_server_says_is_read_in_whatever_pieces_it_comes() {
        for size in 1..TALK.len() {
            let (mut arrived, mut heard) = (BytesMut::new(), Vec::new());
            for piece in TALK.chunks(size) {
                arrived.put_slice(piece);
                while let Some(said) = take(&mut arrived).unwrap() {
                    heard.push(said);
                }
            }
            assert_eq!(heard, talk(), "in pieces of {size}");
            assert!(arrived.is_empty());
        }
    }

    #[test]
    fn what_is_no_nats_is_refused() {
        let long = vec![b'x'; MAX_LINE + 1];
        for noise in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            b"MSG p.all 1 2\r\nabc\r\n",
            b"MSG p.all 1 -1\r\n",
            b"MSG p.all 1 99999999999\r\n",
            b"MSG\r\n",
            b"INFO {}\r\n",
            b"\xff\r\n",
            b"\r\n",
            &long,
        ] {
            assert!(take(&mut BytesMut::from(noise)).is_err(), "{:?}", noise.get(..20));
        }
    }

    #[test]
    fn commands_are_lines() {
        let mut commands = Commands::default();
        commands.connect(&Greeting { name: "n", auth_token: Some("t".to_owned()), ..Greeting::default() }).unwrap();
        commands.subscribe("p.all", 1);
        commands.publish("p.all", b"\r\n");
        commands.unsubscribe(1);
        commands.ping();
        commands.pong();
        let greeting = r#"{"name":"n","lang":"","version":"","tls_required":false,"auth_token":"t","verbose":false,"pedantic":false}"#;
        let expected =
            format!("CONNECT {greeting}\r\nSUB p.all 1\r\nPUB p.all 2\r\n\r\n\r\nUNSUB 1\r\nPING\r\nPONG\r\n");
        assert_eq!(std::str::from_utf8(&commands.0).unwrap(), expected);
    }
}
