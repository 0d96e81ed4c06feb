//! Frames of our own that wait for one connection, and writing them between the library's. One lock over both keeps a
//! frame from ending up within another.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use axum::body::Bytes;

use super::passing::Passing;
use crate::outbox::Refused;

/// The most frames that wait: as many as the library keeps for a socket.
const MAX_FRAMES: usize = 128;
/// The most frames that are written with one call.
const AT_ONCE: usize = 32;

/// The outgoing side of a connection.
#[derive(Debug)]
pub(crate) struct Outgoing {
    passing: Passing,
    frames: VecDeque<Bytes>,
    /// How much of the first is out, in bytes.
    begun: usize,
    /// Whether somebody is about to write: then nobody else needs to be asked.
    pub(crate) due: bool,
}

impl Outgoing {
    pub(crate) const fn new() -> Self {
        Self { passing: Passing::new(), frames: VecDeque::new(), begun: 0, due: false }
    }

    /// Whether frames can be put on it.
    pub(crate) fn is_websocket(&self) -> bool {
        self.passing.is_websocket()
    }

    /// Somebody else is about to take part on the same connection: what waits is not for them, and what comes waits for
    /// their CONNECT packet.
    pub(crate) fn expect_connect(&mut self) {
        self.frames.truncate(usize::from(self.begun > 0));
        self.passing.expect_connect();
    }

    /// Puts a frame behind the others.
    pub(crate) fn put(&mut self, frame: Bytes) -> Result<(), Refused> {
        if !self.is_websocket() {
            return Err(Refused::Gone);
        }
        if self.frames.len() >= MAX_FRAMES {
            return Err(Refused::Full);
        }
        self.frames.push_back(frame);
        Ok(())
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Whether something waits that nobody is about to write.
    pub(crate) fn wants_writing(&self) -> bool {
        !self.due && !self.frames.is_empty() && self.passing.is_between()
    }

    /// Nothing goes out any more.
    pub(crate) fn close(&mut self) {
        self.passing.close();
        self.frames = VecDeque::new();
        self.begun = 0;
    }

    /// Writes what may be written here.
    ///
    /// # Errors
    /// Those of `write`; what is out by then is remembered.
    pub(crate) fn flush(&mut self, write: impl Fn(&[IoSlice<'_>]) -> io::Result<usize>) -> io::Result<()> {
        while self.begun > 0 || (!self.frames.is_empty() && self.passing.is_between()) {
            let mut slices = [IoSlice::new(&[]); AT_ONCE];
            // Of those that wait for a CONNECT packet none goes out with the end of one from before.
            let count = if self.passing.is_between() { self.frames.len().min(AT_ONCE) } else { 1 };
            for (slice, frame) in slices.iter_mut().zip(&self.frames) {
                *slice = IoSlice::new(frame);
            }
            slices[0].advance(self.begun);
            let written = write(&slices[..count])?;
            self.wrote(written);
        }
        if self.frames.is_empty() {
            // Whoever hears nothing holds nothing.
            self.frames = VecDeque::new();
        }
        Ok(())
    }

    fn wrote(&mut self, bytes: usize) {
        self.begun += bytes;
        while let Some(frame) = self.frames.front().filter(|frame| frame.len() <= self.begun) {
            self.begun -= frame.len();
            self.frames.pop_front();
        }
    }

    /// Writes what the library has to write, after what is left of a frame of ours.
    ///
    /// # Errors
    /// Those of `write`.
    pub(crate) fn pass(
        &mut self,
        bytes: &[IoSlice<'_>],
        write: impl Fn(&[IoSlice<'_>]) -> io::Result<usize>,
    ) -> io::Result<usize> {
        if self.begun > 0 {
            self.flush(&write)?;
        }
        let written = write(bytes)?;
        let mut left = written;
        for slice in bytes {
            let seen = left.min(slice.len());
            self.passing.saw(&slice[..seen]);
            left -= seen;
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::packet::text_frame;

    const HEAD: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\n\r\n";

    /// A peer that takes so many bytes at a time, and nothing every other time.
    struct Narrow {
        width: usize,
        turn: RefCell<bool>,
        got: RefCell<Vec<u8>>,
    }

    impl Narrow {
        fn new(width: usize) -> Self {
            Self { width, turn: RefCell::default(), got: RefCell::default() }
        }

        fn write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let turn = self.turn.replace_with(|turn| !*turn);
            if turn && self.width < 1_000 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            let bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).take(self.width).collect();
            self.got.borrow_mut().extend_from_slice(&bytes);
            Ok(bytes.len())
        }
    }

    fn frame(text: &str) -> Bytes {
        text_frame(&[text])
    }

    /// The texts of what went out after the head.
    fn texts(mut bytes: &[u8]) -> Vec<String> {
        bytes = bytes.strip_prefix(HEAD).unwrap();
        let mut texts = Vec::new();
        while let [0x81, length, rest @ ..] = bytes {
            let (text, rest) = rest.split_at(usize::from(*length));
            texts.push(String::from_utf8(text.to_vec()).unwrap());
            bytes = rest;
        }
        assert!(bytes.is_empty(), "{texts:?} and then {bytes:?}");
        texts
    }

    /// The library writes all of it, as often as it takes.
    fn library(outgoing: &mut Outgoing, peer: &Narrow, mut bytes: &[u8], between: &mut impl FnMut(&mut Outgoing)) {
        while !bytes.is_empty() {
            match outgoing.pass(&[IoSlice::new(bytes)], |slices| peer.write(slices)) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
            between(outgoing);
        }
    }

    #[test]
    fn frames_never_end_up_within_others_however_little_the_peer_takes() {
        for width in [1, 2, 3, 7, 20, 64, 100_000] {
            // The beginning comes in one piece.
            let peer = Narrow::new(width);
            let mut outgoing = Outgoing::new();
            peer.got.borrow_mut().extend_from_slice(HEAD);
            outgoing.passing.saw(HEAD);
            let mut said = 0;
            let mut ours = |outgoing: &mut Outgoing| {
                if said < 40 && outgoing.put(frame(&format!("ours {said}"))).is_ok() {
                    said += 1;
                }
                let _ = outgoing.flush(|slices| peer.write(slices));
            };
            library(&mut outgoing, &peer, &frame("0{}"), &mut |outgoing| {
                let _ = outgoing.flush(|slices| peer.write(slices));
            });
            for text in std::iter::once("40{}".to_owned()).chain((0..60).map(|n| format!("theirs {n}"))) {
                library(&mut outgoing, &peer, &frame(&text), &mut ours);
            }
            while !outgoing.is_empty() {
                let _ = outgoing.flush(|slices| peer.write(slices));
            }
            let texts = texts(&peer.got.borrow());
            let of = |who: &str| texts.iter().filter(|text| text.starts_with(who)).cloned().collect::<Vec<_>>();
            assert_eq!(texts[..2], ["0{}", "40{}"], "{width}");
            assert_eq!(of("ours"), (0..40).map(|n| format!("ours {n}")).collect::<Vec<_>>(), "{width}");
            assert_eq!(of("theirs"), (0..60).map(|n| format!("theirs {n}")).collect::<Vec<_>>(), "{width}");
        }
    }

    fn connected() -> Outgoing {
        let mut outgoing = Outgoing::new();
        outgoing.passing.saw(&[HEAD, &frame("0{}"), &frame("40{}")].concat());
        outgoing
    }

    #[test]
    fn what_waits_is_bounded_and_ends_with_the_connection() {
        let mut outgoing = connected();
        for _ in 0..MAX_FRAMES {
            assert_eq!(outgoing.put(frame("x")), Ok(()));
        }
        assert_eq!(outgoing.put(frame("x")), Err(Refused::Full));
        outgoing.close();
        assert_eq!(outgoing.put(frame("x")), Err(Refused::Gone));
        assert!(outgoing.is_empty() && !outgoing.wants_writing());
    }

    #[test]
    fn who_takes_part_on_the_same_connection_hears_nothing_that_was_for_the_last() {
        let peer = Narrow::new(6);
        let mut outgoing = connected();
        for text in ["begun", "not begun"] {
            outgoing.put(frame(text)).unwrap();
        }
        outgoing.flush(|slices| peer.write(slices)).unwrap_err();
        outgoing.expect_connect();
        outgoing.put(frame("for the next")).unwrap();
        while outgoing.begun > 0 {
            let _ = outgoing.flush(|slices| peer.write(slices));
        }
        assert!(!outgoing.wants_writing());
        library(&mut outgoing, &peer, &frame("40{}"), &mut |_| {});
        assert!(outgoing.wants_writing());
        while !outgoing.is_empty() {
            let _ = outgoing.flush(|slices| peer.write(slices));
        }
        let all = [HEAD, &peer.got.borrow()].concat();
        assert_eq!(texts(&all), ["begun", "40{}", "for the next"]);
    }
}
