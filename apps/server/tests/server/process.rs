//! The binary as a child process in a folder of its own, with no more environment than a test gives it. Only
//! processes started here are signalled, each by its id.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::TempDir;

/// One call of `parlance` that is being put together.
pub(crate) struct Parlance {
    folder: TempDir,
}

impl Parlance {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// The folder that it runs in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str, text: &str) {
        std::fs::write(self.folder().join(name), text).unwrap();
    }

    /// It, to be started by whoever wants more of it than this.
    pub(crate) fn command(&self, args: &[&str], env: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlance"));
        command.args(args).env_clear().envs(env.iter().copied()).current_dir(self.folder()).stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub(crate) fn run(&self, args: &[&str], env: &[(&str, &str)]) -> Output {
        self.command(args, env).output().unwrap()
    }

    /// Runs it, and expects that it refuses: exit code 2, nothing on stdout, this one line on stderr.
    pub(crate) fn refused(&self, args: &[&str], env: &[(&str, &str)]) -> String {
        let output = self.run(args, env);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?} {env:?}: {stderr}");
        assert!(output.stdout.is_empty(), "{args:?} {env:?}");
        assert_eq!(stderr.lines().count(), 1, "{args:?} {env:?}: {stderr}");
        stderr.strip_prefix("parlance: ").unwrap().trim_end().to_owned()
    }

    /// Runs it, and expects that it succeeds. What it printed on stdout.
    pub(crate) fn answered(&self, args: &[&str], env: &[(&str, &str)]) -> String {
        let output = self.run(args, env);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts it, and waits until it has said where it listens, `listeners` times.
    pub(crate) fn start(&self, args: &[&str], env: &[(&str, &str)], listeners: usize) -> Running {
        let mut child = self.command(args, env).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let said = Arc::new(Said::default());
        let saying = Arc::clone(&said);
        let log = std::thread::spawn(move || stderr.lines().for_each(|line| saying.add(&line.unwrap())));
        let mut lines = Vec::new();
        while lines.len() < listeners {
            let mut line = String::new();
            if stdout.read_line(&mut line).unwrap() == 0 {
                break;
            }
            lines.push(line.trim_end().to_owned());
        }
        let running = Running { child, stdout, lines, said, log: Some(log) };
        assert_eq!(running.lines.len(), listeners, "it ended early");
        running
    }
}

/// A server that runs. Killed when dropped.
pub(crate) struct Running {
    child: Child,
    stdout: BufReader<ChildStdout>,
    said: Arc<Said>,
    log: Option<JoinHandle<()>>,
    /// The first lines on stdout, one per listener.
    pub(crate) lines: Vec<String>,
}

/// What a server has said on stderr so far.
#[derive(Default)]
struct Said {
    text: Mutex<String>,
    more: Condvar,
}

impl Said {
    fn add(&self, line: &str) {
        let mut text = self.text.lock().unwrap();
        text.push_str(line);
        text.push('\n');
        self.more.notify_all();
    }
}

/// How a server ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    /// The rest of stdout.
    pub(crate) stdout: String,
    /// All of stderr.
    pub(crate) log: String,
}

impl Running {
    /// Address and port of a listener.
    pub(crate) fn address(&self, index: usize) -> String {
        let line = &self.lines[index];
        let (_, rest) = line.strip_prefix("parlance listening on ").unwrap().split_once("://").unwrap();
        rest.split_once(' ').unwrap().0.to_owned()
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([&format!("-{signal}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it has said this since it had said `before` bytes. All that it has said.
    pub(crate) fn says(&self, what: &str, before: usize) -> String {
        let missing = |text: &mut String| !text[before..].contains(what);
        let text = self.said.text.lock().unwrap();
        let (text, waited) = self.said.more.wait_timeout_while(text, Duration::from_secs(20), missing).unwrap();
        assert!(!waited.timed_out(), "{what:?} is not said: {}", *text);
        text.clone()
    }

    /// How many bytes it has said so far.
    pub(crate) fn said(&self) -> usize {
        self.said.text.lock().unwrap().len()
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn signalled(self, signal: &str) -> Ended {
        self.signal(signal);
        self.ended()
    }

    /// Waits for the end.
    pub(crate) fn ended(mut self) -> Ended {
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        let code = self.child.wait().unwrap().code();
        self.log.take().unwrap().join().unwrap();
        let log = self.said.text.lock().unwrap().clone();
        Ended { code, stdout, log }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
