//! A database file with an ear on its statements, and a second connection to look behind the storage.

use std::sync::{Arc, Mutex, PoisonError};

use parlance_domain::model::{
    ClaimedProfile, ClientMessageId, ConversationId, MessageKind, NewMessage, ObjectId, Timestamp, UserId,
};
use parlance_domain::ports::{Conversations, NewConversation, Users};
use parlance_storage_sql::{Options, SqlStorage};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use tempfile::TempDir;

/// A migrated database.
pub(crate) struct Bench {
    pub(crate) storage: SqlStorage,
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<String>>>,
    _folder: TempDir,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("chat.db").display());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let storage = open(&url, &heard).await;
        storage.migrate().await.expect("a new database is migrated");
        let bench = Self { storage, url, heard, _folder: folder };
        bench.statements();
        bench
    }

    /// Another connection to the same file.
    pub(crate) async fn look(&self) -> DatabaseConnection {
        Database::connect(ConnectOptions::new(&self.url)).await.expect("the file opens")
    }

    /// The statements that ran since the last call.
    pub(crate) fn statements(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) async fn user(&self, name: &str) -> UserId {
        let id: UserId = name.parse().expect("a valid id");
        self.storage
            .record_claims(&id, &ClaimedProfile::default(), true, Timestamp::from_millis(1))
            .await
            .expect("the storage answers");
        id
    }

    pub(crate) async fn direct(&self, number: u64, one: &UserId, other: &UserId) -> ConversationId {
        let new = NewConversation::Direct { id: id(number), starter: one.clone(), other: other.clone() };
        let started = self.storage.start_conversation(&new, Timestamp::from_millis(1)).await;
        started.expect("the storage answers").conversation.id
    }
}

async fn open(url: &str, heard: &Arc<Mutex<Vec<String>>>) -> SqlStorage {
    let heard = Arc::clone(heard);
    let observer = move |text: &str, _| heard.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
    let options = Options { observer: Some(Arc::new(observer)), ..Options::default() };
    SqlStorage::connect(url, &options).await.expect("a new database opens")
}

/// An id made of a number.
pub(crate) fn id<T: From<ObjectId>>(number: u64) -> T {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    ObjectId::from_bytes(bytes).into()
}

/// A text on its way into storage.
pub(crate) fn draft(number: u64, conversation_id: ConversationId, sender: &UserId, text: &str) -> NewMessage {
    NewMessage {
        id: id(number),
        conversation_id,
        sender_id: sender.clone(),
        kind: MessageKind::Text,
        text: Some(text.to_owned()),
        media: Vec::new(),
        reply_to: None,
        client_message_id: Some(ClientMessageId::new(&format!("mark-{number}")).expect("a valid mark")),
        created_at: Timestamp::from_millis(1_700_000_000_000 + i64::try_from(number).expect("a small number")),
        delivered_to: None,
    }
}

/// How SQLite would run a statement, a line for each step.
pub(crate) async fn plan(on: &DatabaseConnection, statement: &str) -> Vec<String> {
    let explain = Statement::from_string(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {statement}"));
    let steps = on.query_all_raw(explain).await.expect("a statement that ran can be explained");
    steps.iter().map(|step| step.try_get::<String>("", "detail").expect("a step has a detail")).collect()
}

/// Steps that walk a whole table. Lists that were handed in, the full-text index from where a search begins, and
/// results of other steps are none.
pub(crate) fn scans(plan: &[String]) -> Vec<&String> {
    const RESULTS: [&str; 8] = [
        "SCAN asked",
        "SCAN buckets",
        "SCAN floors",
        "SCAN named",
        "SCAN r",
        "SCAN ranked",
        "SCAN sends",
        "SCAN wanted",
    ];
    let harmless = |step: &&String| {
        step.contains(" VIRTUAL TABLE INDEX ")
            || step.starts_with("SCAN (subquery-")
            || *step == "SCAN CONSTANT ROW"
            || RESULTS.contains(&step.as_str())
    };
    plan.iter().filter(|step| step.starts_with("SCAN")).filter(|step| !harmless(step)).collect()
}
