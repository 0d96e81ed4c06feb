//! Collections of a Mongoose back end, in a server: everybody sees their conversations as they left them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use parlance_archive_file::ArchiveFile;
use parlance_domain::model::{ConversationId, ConversationKind, Message, Role, Title, UserId};
use parlance_domain::ports::{Blocks, Conversations, Messages, Users};
use parlance_domain::services::{Moving, Stored};
use parlance_example_from_mongoose::{FILES, read};
use parlance_storage_memory::MemoryStorage;

const ANN: &str = "64f000000000000000000001";
const BEN: &str = "64f000000000000000000002";
const CID: &str = "64f000000000000000000003";
const GONE: &str = "64f000000000000000000009";

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sample")
}

fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

/// The sample, by way of an archive file.
async fn imported() -> Arc<MemoryStorage> {
    let folder = tempfile::tempdir().unwrap();
    let file = Arc::new(ArchiveFile::new(folder.path().join("all.ndjson")));
    Moving::new(Arc::new(read(&sample()).unwrap()), file.clone()).run(&|_| {}).await.unwrap();
    let storage = Arc::new(MemoryStorage::new());
    Moving::new(file, Arc::new(Stored::new(storage.clone()))).run(&|_| {}).await.unwrap();
    storage
}

async fn history(storage: &MemoryStorage, id: &str) -> Vec<Message> {
    let id: ConversationId = id.parse().unwrap();
    storage.list_history(id, None, 10).await.unwrap().unwrap().items
}

#[tokio::test]
async fn messages_keep_their_ids_and_times_and_get_their_order_by_time() {
    let storage = imported().await;
    let direct = history(&storage, "64f0000000000000000000a1").await;
    let said: Vec<_> = direct.iter().map(|message| (message.seq, message.text.as_deref())).collect();
    assert_eq!(said, [(1, Some("hello Ben")), (2, Some("hello Ann")), (3, None)]);
    assert_eq!(direct[1].reply_to, Some(direct[0].id));
    assert_eq!(direct[0].id.to_string(), "64f0000000000000000000b1");
    assert_eq!(direct[0].created_at.millis(), 1_709_366_460_000);
    assert_eq!((direct[2].media[0].filename.as_deref(), direct[2].media[0].size), (Some("plan.pdf"), Some(4711)));
    let group = history(&storage, "64f0000000000000000000a2").await;
    assert!(group[0].is_tombstone() && group[0].text.is_none(), "what was deleted does not come back");
    assert_eq!(group[1].sender_id, user(GONE));
}

#[tokio::test]
async fn people_conversations_and_what_is_unread_are_as_they_were() {
    let storage = imported().await;
    let ann = storage.find_user(&user(ANN)).await.unwrap().unwrap();
    assert_eq!((ann.name.as_str(), ann.picture.as_deref()), ("Ann Archer", Some("https://img.example.com/ann.png")));
    assert_eq!(storage.find_user(&user(GONE)).await.unwrap().unwrap().name, GONE, "known by what is left of them");
    assert_eq!(storage.list_blocked(&user(BEN), 10).await.unwrap(), [user(CID)]);

    let entry = async |id: &str, viewer| storage.find_entry(id.parse().unwrap(), &user(viewer)).await.unwrap().unwrap();
    let direct = entry("64f0000000000000000000a1", ANN).await;
    assert_eq!((direct.conversation.kind, direct.unread), (ConversationKind::Direct, 2), "she has read none of his");
    assert_eq!(entry("64f0000000000000000000a1", BEN).await.unread, 0, "he has read hers");
    let group = entry("64f0000000000000000000a2", ANN).await;
    let roles: Vec<_> = group.participants.iter().map(|there| (there.user_id.as_str(), there.role)).collect();
    assert_eq!(roles.len(), 3, "whoever has left is not among them: {roles:?}");
    assert!(roles.contains(&(CID, Role::Owner)), "{roles:?}");
    assert_eq!(group.conversation.title.as_ref().map(Title::as_str), Some("Team"));
    assert_eq!(group.unread, 0, "a tombstone is not unread, and the other was read by all");
}

#[test]
fn what_cannot_be_taken_is_named_by_file_and_line() {
    let refused = |file: &str, text: &str| {
        let folder = tempfile::tempdir().unwrap();
        for name in FILES {
            std::fs::copy(sample().join(name), folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join(file), text).unwrap();
        read(folder.path()).unwrap_err().to_string()
    };
    let pair = std::fs::read_to_string(sample().join("conversations.json")).unwrap();
    let again = pair.lines().next().unwrap().replace("a1", "a3");
    assert_eq!(
        refused("conversations.json", &format!("{pair}{again}\n")),
        format!("conversations.json, line 3: {ANN} and {BEN} have another direct conversation")
    );
    assert_eq!(refused("messages.json", "\n{\"_id\":7}"), "messages.json, line 2: createdAt is missing");
    assert!(refused("users.json", "[").starts_with("users.json, line 1: "));
}

#[test]
fn the_commands_of_the_guide_make_an_archive_file() {
    let guide = include_str!("../../../docs/from-mongoose.md");
    let folder = tempfile::tempdir().unwrap();
    let export = folder.path().join("export");
    std::fs::create_dir(&export).unwrap();
    for file in FILES {
        assert!(guide.contains(&format!("--out export/{file}")), "{file}");
        std::fs::copy(sample().join(file), export.join(file)).unwrap();
    }
    let run = "cargo run --package parlance-example-from-mongoose -- ";
    let (_, arguments) = guide.lines().find_map(|line| line.split_once(run)).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_parlance-example-from-mongoose"));
    let said = program.args(arguments.split(' ')).current_dir(folder.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "4 users, 2 conversations, 5 messages\n", "{said:?}");
    let file = std::fs::read_to_string(folder.path().join("all.ndjson")).unwrap();
    assert!(file.lines().last().unwrap().contains("\"end\""), "it is whole");
}
