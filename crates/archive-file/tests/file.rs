//! Archive files: what goes in comes out, an interrupted export goes on, and no damage is taken for an archive.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parlance_archive_file::ArchiveFile;
use parlance_domain::model::{ContentHash, RecordCounts};
use parlance_domain::ports::{Begun, RecordSource, RecordTarget, StorageError};
use parlance_domain::services::{MoveError, Moved, Moving, Stored};
use parlance_storage_memory::MemoryStorage;
use parlance_storage_testkit::{Crowd, Depot, Movable};
use tempfile::TempDir;

/// A storage in which something of every kind has happened.
async fn lived() -> Depot {
    let depot = empty();
    depot.live().await;
    depot
}

fn empty() -> Depot {
    Depot::new(Movable::new(MemoryStorage::new()))
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("all.ndjson");
    (folder, file)
}

async fn export(depot: &Depot, file: &Path) -> Result<Moved, MoveError> {
    let source = Arc::new(Stored::new(depot.archive.clone()));
    Moving::new(source, Arc::new(ArchiveFile::new(file))).run(&|_| {}).await
}

async fn import(file: &Path, depot: &Depot) -> Result<Moved, MoveError> {
    let target = Arc::new(Stored::new(depot.archive.clone()));
    Moving::new(Arc::new(ArchiveFile::new(file)), target).run(&|_| {}).await
}

/// The lines of an export of a storage in which something of every kind has happened.
async fn lines() -> Vec<String> {
    let (_folder, file) = folder();
    export(&lived().await, &file).await.expect("an export");
    let text = std::fs::read_to_string(file).expect("the file");
    text.lines().map(str::to_owned).collect()
}

/// What is wrong with a file of this text.
async fn damage(text: impl AsRef<[u8]>) -> String {
    let (_folder, file) = folder();
    std::fs::write(&file, text).expect("a file");
    let damage = match ArchiveFile::new(&file).check_whole().await {
        Err(StorageError::Corrupt { source }) => Some(source.to_string()),
        _ => None,
    };
    damage.expect("what is damaged is not whole")
}

fn text(lines: &[String]) -> String {
    let mut text = lines.join("\n");
    text.push('\n');
    text
}

#[tokio::test]
async fn what_is_exported_is_imported_the_same() {
    let ((_folder, file), original, copy) = (folder(), lived().await, empty());
    let out = export(&original, &file).await.expect("an export");
    let back = import(&file, &copy).await.expect("an import");
    assert_eq!((out.counts, out.hash), (back.counts, back.hash));
    assert_eq!(copy.records().await, original.records().await);
    assert_eq!(copy.answers().await, original.answers().await);
}

/// The file in `tests/golden` is what the first version wrote: it can be read for as long as there are such files.
#[tokio::test]
async fn a_file_of_version_1_is_still_written_and_read() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/version-1.ndjson");
    let ((_folder, file), original, copy) = (folder(), lived().await, empty());
    export(&original, &file).await.expect("an export");
    let written = std::fs::read_to_string(&file).expect("the file");
    assert_eq!(written, std::fs::read_to_string(&golden).expect("the golden file"));
    import(&golden, &copy).await.expect("an import");
    assert_eq!(copy.records().await, original.records().await);
}

#[tokio::test]
async fn an_export_that_was_cut_anywhere_goes_on_to_the_same_file() {
    let ((_folder, file), original) = (folder(), lived().await);
    export(&original, &file).await.expect("an export");
    let whole = std::fs::read(&file).expect("the file");
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("several lines") + 1;
    // From nothing at all to all but the last line's end, and once with what a crash may leave behind.
    for cut in (0..whole.len()).step_by(whole.len() / 40).chain([1, last - 1, last, last + 1, whole.len() - 1]) {
        std::fs::write(&file, &whole[..cut]).expect("a file that was cut");
        if cut > 0 && cut < whole.iter().position(|byte| *byte == b'\n').expect("a line") {
            // Not even the first line is there, so nobody knows what it is.
            assert!(matches!(export(&original, &file).await, Err(MoveError::Occupied)), "cut at {cut}");
            continue;
        }
        let moved = export(&original, &file).await.expect("it goes on");
        assert_eq!(moved.resumed, cut > 0, "cut at {cut}");
        assert!(std::fs::read(&file).expect("the file") == whole, "cut at {cut}");
    }
    let mut crashed = whole[..last - 300].to_vec();
    crashed.extend([0; 4_096]);
    std::fs::write(&file, crashed).expect("a file with a torn end");
    export(&original, &file).await.expect("it goes on");
    assert!(std::fs::read(&file).expect("the file") == whole);
}

#[tokio::test]
async fn what_is_there_already_is_not_touched() {
    let ((_folder, file), original, other) = (folder(), lived().await, empty());
    export(&original, &file).await.expect("an export");
    let before = std::fs::read(&file).expect("the file");
    assert!(matches!(export(&original, &file).await, Err(MoveError::Occupied)), "a finished export");
    other.world.person("Zoe").await;
    std::fs::write(&file, &before[..before.len() / 2]).expect("an unfinished export");
    assert!(matches!(export(&other, &file).await, Err(MoveError::Foreign)), "somebody else's unfinished export");
    assert_eq!(std::fs::read(&file).expect("the file"), before[..before.len() / 2]);
    std::fs::write(&file, "dear diary\n").expect("a diary");
    assert!(matches!(export(&original, &file).await, Err(MoveError::Occupied)), "no archive at all");
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), "dear diary\n");
}

#[tokio::test]
async fn an_import_goes_on_after_the_last_batch() {
    let (_folder, file) = folder();
    let crowd = Arc::new(Crowd::new(2_000));
    let out = Moving::new(crowd, Arc::new(ArchiveFile::new(&file))).run(&|_| {}).await.expect("an export");
    let source = ArchiveFile::new(&file);
    let mut reader = source.read_records(None).await.expect("the file opens");
    // The identity is what the first attempt worked out; here it comes from an attempt that was dropped at once.
    let copy = begun(&file).await.expect("one of a hundred attempts is broken off before its end");
    for _ in 0..2 {
        copy.take_in(&reader.next_records().await.expect("a batch")).await;
    }
    let back = import(&file, &copy).await.expect("it goes on");
    assert!(back.resumed);
    assert_eq!((back.hash, back.counts), (out.hash, out.counts));
}

/// A copy from this file that was broken off at its beginning.
async fn begun(file: &Path) -> Option<Depot> {
    // Memory is fast: now and then all is there before anybody looks.
    for _ in 0..100 {
        let copy = empty();
        let dropped = Moving::new(Arc::new(ArchiveFile::new(file)), Arc::new(Stored::new(copy.archive.clone())));
        tokio::select! {
            biased;
            _ = dropped.run(&|_| {}) => {}
            () = until_begun(&copy) => return Some(copy),
        }
    }
    None
}

async fn until_begun(depot: &Depot) {
    while depot.archive.find_copy().await.expect("memory answers").is_none() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_line_that_was_changed_is_named_with_its_field() {
    let lines = lines().await;
    let nth = |part: &str| lines.iter().position(|line| line.contains(part)).expect("such a line");
    let message = nth("\"message\":{\"id\"");
    for (at, from, to, field, problem) in [
        (message, "\"seq\":1", "\"seq\":\"1\"", "record.message.seq", "invalid type"),
        (message, "\"seq\":1", "\"seq\":-1", "record.message.seq", "invalid value"),
        (message, "\"seq\":1,", "", "record.message", "missing field `seq`"),
        (message, "\"seq\":1", "\"sequence\":1", "record.message.sequence", "unknown field `sequence`"),
        (message, "\"conversationId\":\"0", "\"conversationId\":\"x", "record.message.conversationId", "24 hex digits"),
        (
            message,
            "\"clientMessageId\":\"mark 1\"",
            "\"clientMessageId\":\"\"",
            "record.message.clientMessageId",
            "bytes",
        ),
        (message, "\"kind\":\"text\"", "\"kind\":\"audio\"", "record.message.kind", "unknown variant `audio`"),
        (message, "\"seq\":1", "\"seq\":2", "sum", "does not fit"),
        (message, "mark 1", "mark 2", "sum", "does not fit"),
        (nth("\"user\":{"), "\"id\":\"", "\"id\":\"\\u0007", "record.user.id", "control characters"),
        (
            nth("\"participant\":{"),
            "\"delivered\":",
            "\"delivered\":null,\"x\":",
            "record.participant.delivered",
            "invalid type",
        ),
        (0, "\"version\":1", "\"version\":2", "sum", "does not fit"),
        (lines.len() - 1, "\"contents\":\"", "\"contents\":\"0", "record.end.contents", "64 hex digits"),
    ] {
        let mut changed = lines.clone();
        assert!(changed[at].contains(from), "{from} is in {}", changed[at]);
        changed[at] = changed[at].replacen(from, to, 1);
        let damage = damage(text(&changed)).await;
        let expected = format!("line {}, field `{field}`: ", at + 1);
        assert!(damage.starts_with(&expected) && damage.contains(problem), "{from} -> {to}: {damage}");
    }
}

#[tokio::test]
async fn lines_that_are_missing_or_elsewhere_are_found() {
    let lines = lines().await;
    let middle = lines.len() / 2;
    let edited = |edit: &dyn Fn(&mut Vec<String>)| {
        let mut lines = lines.clone();
        edit(&mut lines);
        text(&lines)
    };
    for (edit, expected) in [
        (edited(&|lines| drop(lines.remove(middle))), format!("line {}, field `sum`", middle + 1)),
        (edited(&|lines| lines.swap(middle, middle + 1)), format!("line {}, field `sum`", middle + 1)),
        (edited(&|lines| lines.insert(middle, lines[middle].clone())), format!("line {}, field `sum`", middle + 2)),
        (edited(&|lines| lines.insert(middle, String::new())), format!("line {}, field `.`", middle + 1)),
        (edited(&|lines| drop(lines.remove(0))), "line 1, field `sum`".to_owned()),
        (edited(&|lines| drop(lines.pop())), format!("line {}, field `record.end`", lines.len())),
        (edited(&|lines| lines.truncate(middle)), format!("line {}, field `record.end`", middle + 1)),
        (edited(&|lines| lines.push(lines[1].clone())), format!("line {}, field `sum`", lines.len() + 1)),
        (String::new(), "line 1, field `.`: is missing".to_owned()),
        ("{}\n".to_owned(), "line 1, field `.`: missing field".to_owned()),
    ] {
        let damage = damage(edit).await;
        assert!(damage.starts_with(&expected), "{expected}: {damage}");
    }
}

/// Whatever byte is another one, the file is refused; so is every beginning of it.
#[tokio::test]
async fn no_change_of_a_byte_goes_unnoticed() {
    let whole = text(&lines().await).into_bytes();
    // A step that is no divisor of anything in the file meets all kinds of bytes in it.
    for at in (0..whole.len()).step_by(389) {
        for flip in [1, 0x20, 0x80] {
            let mut changed = whole.clone();
            changed[at] ^= flip;
            damage(&changed).await;
        }
        damage(&whole[..at]).await;
    }
}

#[tokio::test]
async fn an_unfinished_export_is_no_source() {
    let ((_folder, file), original) = (folder(), lived().await);
    let unfinished = ArchiveFile::new(&file);
    let counts = RecordCounts::default();
    let begun = unfinished.begin_copy(ContentHash::from_bytes([1; 32]), &counts).await.expect("a new file");
    assert_eq!(begun, Begun::Fresh);
    unfinished.take_in(&original.records().await).await.expect("records are written");
    let refused = import(&file, &empty()).await;
    let Err(MoveError::Failed { source: StorageError::Corrupt { source }, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert!(source.to_string().contains("unfinished export"), "{source}");
}

#[tokio::test]
async fn a_damaged_file_leaves_the_target_empty() {
    let ((_folder, file), original, copy) = (folder(), lived().await, empty());
    export(&original, &file).await.expect("an export");
    let whole = std::fs::read_to_string(&file).expect("the file");
    std::fs::write(&file, whole.replacen("mark 1", "mark 2", 1)).expect("an edited file");
    assert!(import(&file, &copy).await.is_err());
    assert_eq!(copy.archive.find_copy().await.expect("memory answers"), None, "nothing has begun");
    assert_eq!(copy.records().await, []);
}
