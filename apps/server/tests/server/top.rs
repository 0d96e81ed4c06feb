//! `parlance top` beside a server that runs: one table for a script, and a screen on a terminal that is given back.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::process::{Parlance, Running};
use crate::serving::{SECRET, introduce, post};

fn server(parlance: &Parlance) -> Running {
    parlance.start(&["serve", "--listen", "127.0.0.1:0"], &[SECRET, ("DATABASE_URL", "memory:")], 1)
}

#[test]
fn a_script_gets_one_table_of_all_nodes() {
    let parlance = Parlance::new();
    let running = server(&parlance);
    let address = running.address(0);
    let pair = introduce(&parlance, &address);
    let body = format!(r#"{{"conversationId": "{}", "text": "hello"}}"#, pair.conversation);
    assert!(post(&address, "/api/v1/chat/messages", &pair.alice, &body).starts_with("HTTP/1.1 201"));
    // It needs no configuration, not even one that can be used.
    let table = parlance.answered(&["top", "--once", &address, "http://127.0.0.1:1"], &[("PORT", "none")]);
    let row = |label: &str| {
        let line = table.lines().find(|line| line.starts_with(label)).unwrap_or_else(|| panic!("{label}: {table}"));
        line[label.len()..].split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row(" "), ["all", address.as_str(), "127.0.0.1:1"]);
    assert_eq!(row("up "), ["1", "of", "2", "yes", "silent"]);
    assert_eq!(row("connections"), ["0", "0", "-"]);
    assert_eq!(row("release")[0], env!("CARGO_PKG_VERSION"));
    assert!(table.ends_with("127.0.0.1:1: no answer\n"), "{table}");
}

#[test]
fn where_nobody_answers_a_script_is_told() {
    let parlance = Parlance::new();
    let output = parlance.run(&["top", "--once", "127.0.0.1:1"], &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("silent"));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "parlance: no node answers\n");
    assert_eq!(parlance.refused(&["top", "127.0.0.1:1"], &[]), "top needs a terminal; with --once it prints one table");
    let refused = parlance.refused(&["top", "--once", "ftp://a"], &[]);
    assert!(refused.contains("is no URL of a server"), "{refused}");
}

/// Long enough for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A terminal, and the program on it.
struct Terminal {
    hand: File,
    child: Child,
    bytes: Receiver<Vec<u8>>,
    shown: String,
}

impl Terminal {
    fn start(parlance: &Parlance, args: &[&str]) -> Self {
        let hand = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&hand).unwrap();
        unlockpt(&hand).unwrap();
        tcsetwinsize(&hand, Winsize { ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = PathBuf::from(ptsname(&hand, Vec::new()).unwrap().into_string().unwrap());
        let end = || Stdio::from(OwnedFd::from(File::options().read(true).write(true).open(&name).unwrap()));
        let mut command = parlance.command(args, &[("TERM", "xterm"), ("NO_COLOR", "1")]);
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        let hand = File::from(hand);
        let mut screen = hand.try_clone().unwrap();
        let (sender, bytes) = mpsc::channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            // It fails when the program is gone.
            while let Ok(read @ 1..) = screen.read(&mut chunk) {
                if sender.send(chunk[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { hand, child, bytes, shown: String::new() }
    }

    /// Reads until this was shown.
    fn shows(&mut self, what: &str) {
        while !self.shown.contains(what) {
            let bytes = self.bytes.recv_timeout(PATIENCE).unwrap_or_default();
            assert!(!bytes.is_empty(), "{what:?} is not shown: {:?}", self.shown);
            self.shown.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_terminal_shows_the_nodes_and_is_given_back() {
    const ENTERED: &str = "\u{1b}[?1049h";
    const LEFT: &str = "\u{1b}[?1049l";
    let parlance = Parlance::new();
    let running = server(&parlance);
    for quit in ["q", "\u{3}"] {
        let mut terminal = Terminal::start(&parlance, &["top", &running.address(0)]);
        terminal.shows(ENTERED);
        terminal.shows("connections");
        terminal.hand.write_all(b"p").unwrap();
        terminal.shows("paused");
        terminal.hand.write_all(quit.as_bytes()).unwrap();
        terminal.shows(LEFT);
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match terminal.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(Instant::now() < deadline, "it does not end"),
            }
            std::thread::yield_now();
        };
        assert!(status.success());
        assert!(!terminal.shown.contains("[38;"), "no colours: {:?}", terminal.shown);
    }
}
