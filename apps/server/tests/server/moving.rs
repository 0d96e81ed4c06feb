//! `parlance copy`, `export` and `import` with real storages: everything arrives, whatever interrupts them, and what
//! cannot be copied is refused in one line.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::sync::Arc;

use parlance_domain::model::ContentHash;
use parlance_domain::ports::{Archive, RecordSource};
use parlance_domain::services::{Moving, Stored};
use parlance_storage_sql::{Options, SqlStorage};
use parlance_storage_testkit::{Crowd, Depot, Movable};

use super::databases::Database;
use super::process::Parlance;

/// Messages of the copy through all storages.
const MANY: u64 = 8_000;
/// Messages of copies that are interrupted.
const SOME: u64 = 6_000;

/// A folder with a database `crowd.db` of a crowd that has said so much.
async fn crowd(messages: u64) -> Parlance {
    let parlance = Parlance::new();
    let storage = open(&parlance, "crowd.db").await;
    let target = Stored::new(Arc::new(storage.clone()));
    Moving::new(Arc::new(Crowd::new(messages)), Arc::new(target)).run(&|_| {}).await.unwrap();
    storage.close().await.unwrap();
    parlance
}

async fn open(parlance: &Parlance, file: &str) -> SqlStorage {
    let url = format!("sqlite://{}", parlance.folder().join(file).display());
    let storage = SqlStorage::connect(&url, &Options::default()).await.unwrap();
    storage.migrate().await.unwrap();
    storage
}

/// A database with the first records of a crowd in it, which a copy that is not finished has put there.
async fn begun(parlance: &Parlance, file: &str) -> SqlStorage {
    let storage = open(parlance, file).await;
    storage.begin_copy(ContentHash::from_bytes([3; 32])).await.unwrap();
    let mut records = Crowd::new(1_000).read_records(None).await.unwrap();
    storage.take_in(&records.next_records().await.unwrap()[..10]).await.unwrap();
    storage
}

/// The hash in what a copy has said.
fn hash(said: &str) -> String {
    let (_, hash) = said.trim_end().split_once("sha256 ").unwrap();
    assert_eq!(hash.len(), 64, "{said}");
    hash.to_owned()
}

/// Starts a command, and waits until it has said so many lines of progress; the child runs on.
fn after_lines(parlance: &Parlance, args: &[&str], lines: usize) -> (Child, String) {
    let mut command = parlance.command(args, &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut last = String::new();
    for _ in 0..lines {
        let mut line = String::new();
        if stderr.read_line(&mut line).unwrap() == 0 {
            break;
        }
        last = line;
    }
    // Who writes to a pipe that nobody reads dies of it.
    std::thread::spawn(move || stderr.read_to_string(&mut String::new()));
    (child, last)
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_through_all_storages_and_a_file() {
    let parlance = crowd(MANY).await;
    let (postgres, mongo) = (Database::postgres().await, Database::mongo());
    let mut hashes = Vec::new();
    for args in [
        ["copy", "--from", "sqlite:crowd.db", "--to", &postgres.url],
        ["copy", "--from", &postgres.url, "--to", &mongo.url],
        ["copy", "--from", &mongo.url, "--to", "sqlite:last.db"],
        ["export", "--from", "sqlite:last.db", "--file", "all.ndjson"],
        ["import", "--file", "all.ndjson", "--to", "sqlite:imported.db"],
    ] {
        let said = parlance.answered(&args, &[]);
        assert!(said.contains("8,000 messages, "), "{args:?}: {said}");
        hashes.push(hash(&said));
    }
    let configured = [("DATABASE_URL", "sqlite:imported.db")];
    let again = parlance.answered(&["export", "--file", "again.ndjson"], &configured);
    assert!(hashes.iter().all(|one| *one == hash(&again)), "{hashes:?}, {again}");
    postgres.remove().await;
    mongo.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn storages_of_every_two_kinds_are_copied_into_each_other() {
    let parlance = Parlance::new();
    let storage = open(&parlance, "lived.db").await;
    let depot = Depot::new(Movable::new(storage.clone()));
    depot.live().await;
    let original = depot.records().await;
    storage.close().await.unwrap();
    let (postgres, mongo) = (Database::postgres().await, Database::mongo());
    let (other_postgres, other_mongo) = (Database::postgres().await, Database::mongo());
    for (from, to) in [
        ("sqlite:lived.db", "sqlite:second.db"),
        ("sqlite:second.db", &*postgres.url),
        (&postgres.url, &other_postgres.url),
        (&other_postgres.url, &mongo.url),
        (&mongo.url, &other_mongo.url),
        (&other_mongo.url, "sqlite:third.db"),
    ] {
        parlance.answered(&["copy", "--from", from, "--to", to], &[]);
    }
    for (from, file) in [(&mongo, "mongo.ndjson"), (&postgres, "postgres.ndjson")] {
        parlance.answered(&["export", "--from", &from.url, "--file", file], &[]);
    }
    let last = open(&parlance, "third.db").await;
    assert_eq!(Depot::new(Movable::new(last.clone())).records().await, original);
    last.close().await.unwrap();
    let text = |file| std::fs::read(parlance.folder().join(file)).unwrap();
    assert!(text("mongo.ndjson") == text("postgres.ndjson"), "the same contents are the same file");
    for database in [postgres, mongo, other_postgres, other_mongo] {
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_killed_again_and_again_comes_to_its_end() {
    let parlance = crowd(SOME).await;
    let whole = parlance.answered(&["copy", "--from", "sqlite:crowd.db", "--to", "sqlite:whole.db"], &[]);
    for (from, to) in [
        (["--from", "sqlite:crowd.db"], ["--to", "sqlite:killed.db"]),
        (["--from", "sqlite:crowd.db"], ["--file", "killed.ndjson"]),
        (["--file", "killed.ndjson"], ["--to", "sqlite:imported.db"]),
    ] {
        let name = match (from[0], to[0]) {
            ("--file", _) => "import",
            (_, "--file") => "export",
            _ => "copy",
        };
        let args = [&[name], &from[..], &to[..]].concat();
        // Each attempt gets a few batches further before it is killed, until one is done first.
        let mut attempts = 0;
        let ended = loop {
            let (mut child, last) = after_lines(&parlance, &args, 4);
            if last.is_empty() || last.starts_with("verifying") {
                break child.wait_with_output().unwrap();
            }
            child.kill().unwrap();
            child.wait().unwrap();
            attempts += 1;
            assert!(attempts < 50, "{name} goes on: {last}");
        };
        assert!(attempts >= 2, "{name} was interrupted {attempts} times");
        let said = String::from_utf8(ended.stdout).unwrap();
        assert!(ended.status.success() && said.contains("going on with"), "{name}: {said}");
        assert_eq!(hash(&said), hash(&whole), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_told_to_end_says_that_it_can_go_on() {
    let parlance = crowd(SOME).await;
    let args = ["copy", "--from", "sqlite:crowd.db", "--to", "sqlite:copy.db"];
    let mut command = parlance.command(&args, &[]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    stderr.read_line(&mut said).unwrap();
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    stderr.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{said}");
    assert_eq!(said.lines().last(), Some("parlance: interrupted; the same command goes on where it was"));
    let copy = open(&parlance, "copy.db").await;
    assert!(copy.find_copy().await.unwrap().is_some(), "it is unfinished");
    copy.close().await.unwrap();
    assert!(parlance.answered(&args, &[]).contains("going on with"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_copied_is_refused_in_one_line() {
    let parlance = crowd(1_000).await;
    parlance.answered(&["export", "--from", "sqlite:crowd.db", "--file", "all.ndjson"], &[]);
    let text = std::fs::read_to_string(parlance.folder().join("all.ndjson")).unwrap();
    parlance.file("edited.ndjson", &text.replacen("Person 7", "Person 8", 1));
    parlance.file("cut.ndjson", &text[..text.len() / 2]);
    parlance.file("begun.ndjson", text.split_inclusive('\n').take(100).collect::<String>().as_str());
    begun(&parlance, "unfinished.db").await.close().await.unwrap();
    let other = begun(&parlance, "other.db").await;
    other.finish_copy().await.unwrap();
    other.close().await.unwrap();
    for (args, expected) in [
        (["copy", "--from", "sqlite:nowhere.db", "--to", "sqlite:b.db"], "--from: there is no file nowhere.db"),
        (["copy", "--from", "sqlite:crowd.db", "--to", "sqlite:crowd.db"], "--to: is the source itself"),
        (["copy", "--from", "memory:", "--to", "sqlite:b.db"], "--from: is gone when the process ends"),
        (["copy", "--from", "odd://me:hush@x", "--to", "sqlite:b.db"], "--from: no storage for scheme \"odd\""),
        (["copy", "--from", "sqlite:crowd.db", "--to", "sqlite:no/folder/b.db"], "--to: the folder no/folder"),
        (["copy", "--from", "sqlite:crowd.db", "--to", "sqlite:other.db"], "--to: the target is not empty"),
        (
            ["copy", "--from", "sqlite:unfinished.db", "--to", "sqlite:b.db"],
            "--from: it holds a copy that has not been",
        ),
        (
            ["copy", "--from", "sqlite:crowd.db", "--to", "sqlite:unfinished.db"],
            "--to: the target holds an unfinished copy",
        ),
        (["export", "--from", "sqlite:crowd.db", "--file", "all.ndjson"], "--file: the target is not empty"),
        (
            ["export", "--from", "sqlite:other.db", "--file", "begun.ndjson"],
            "--file: the target holds an unfinished copy",
        ),
        (["import", "--file", "nowhere.ndjson", "--to", "sqlite:b.db"], "--file: there is no file nowhere.ndjson"),
        (["import", "--file", "edited.ndjson", "--to", "sqlite:b.db"], "--file: line 9, field `sum`: does not fit"),
        (["import", "--file", "cut.ndjson", "--to", "sqlite:b.db"], "--file: line "),
        (["import", "--file", "crowd.db", "--to", "sqlite:b.db"], "--file: line 1, field `.`: "),
    ] {
        let line = parlance.refused(&args, &[]);
        assert!(line.starts_with(expected) && !line.contains("hush"), "{args:?}: {line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_server_runs_on_half_a_copy() {
    let parlance = Parlance::new();
    begun(&parlance, "half.db").await.close().await.unwrap();
    let secret = ("ACCESS_TOKEN_SECRET", "0123456789abcdef0123456789abcdef");
    let env = [("DATABASE_URL", "sqlite:half.db"), secret, ("RUST_LOG", "warn")];
    for args in [&["serve"][..], &["gc"]] {
        let line = parlance.refused(args, &env);
        assert!(line.contains("DATABASE_URL") && line.contains("a copy that has not been finished"), "{line}");
    }
}
