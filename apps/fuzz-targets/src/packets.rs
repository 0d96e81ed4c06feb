//! Packets through a real socket: a WebSocket to a server of this process, and frames with whatever the fuzzer wants in
//! them. Afterwards somebody else is still answered.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::world::{run, world};

/// How long an answer may take that must come.
const PATIENCE: Duration = Duration::from_secs(10);

const UPGRADE: &str = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\n\
                       upgrade: websocket\r\nsec-websocket-version: 13\r\n\
                       sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

/// The first byte says how they begin: 0 with nothing, 1 to be one of the raw bytes of frames, anything else after a
/// handshake. Each line of the rest is then a text frame, or the whole of it is raw.
///
/// # Panics
/// Where the server does not end what is ended, or does not answer somebody else.
#[expect(clippy::expect_used, reason = "what may not be is what the fuzzer looks for")]
pub fn packets(data: &[u8]) {
    let Some((choice, rest)) = data.split_first() else { return };
    let address = world().expect("a world").address;
    run(async {
        let mut hostile = open(address).await.expect("a connection");
        if *choice > 1 {
            let auth = br#"40{"token":"fuzz"}"#;
            let _ = hostile.write_all(&frame(auth)).await;
        }
        if *choice == 1 {
            let _ = hostile.write_all(rest).await;
        } else {
            for line in rest.split(|byte| *byte == b'\n') {
                let _ = hostile.write_all(&frame(line)).await;
            }
        }
        let _ = hostile.shutdown().await;
        // Until the server has read all of it and closed.
        let mut heard = Vec::new();
        let _ = timeout(PATIENCE, hostile.read_to_end(&mut heard)).await.expect("the server closes what is closed");
        let other = timeout(PATIENCE, open(address)).await.expect("somebody else is answered");
        assert!(other.is_some(), "somebody else is let in");
    });
}

/// A WebSocket on which the server has said that it is open.
async fn open(address: std::net::SocketAddr) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    // No port has to wait until it is free again.
    stream.set_zero_linger().ok()?;
    stream.write_all(UPGRADE.as_bytes()).await.ok()?;
    let (mut heard, mut some) = (Vec::new(), [0; 1024]);
    while !heard.windows(4).any(|four| four == b"\"sid") {
        let read = stream.read(&mut some).await.ok().filter(|read| *read > 0)?;
        heard.extend_from_slice(&some[..read]);
    }
    Some(stream)
}

/// What says in a frame's second byte that there is a mask.
const MASKED: u8 = 0x80;
/// From here on the length has two bytes of its own.
const SHORT: u8 = 126;

/// A whole text frame as clients send it, with a mask of zeros.
fn frame(text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    // Inputs are shorter than 64 KiB.
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    if let Ok(short @ ..SHORT) = u8::try_from(length) {
        frame.push(MASKED + short);
    } else {
        frame.push(MASKED + SHORT);
        frame.extend(length.to_be_bytes());
    }
    frame.extend([0; 4]);
    frame.extend_from_slice(&text[..usize::from(length)]);
    frame
}
