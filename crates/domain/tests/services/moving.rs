//! Moving records between two storages: how a copy stops, goes on, is refused, and what the comparison finds.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use parlance_domain::model::{
    Attendance, ClaimedProfile, ContentHash, Conversation, ConversationId, ConversationKind, ConversationRecord,
    Message, MessageId, MessageKind, ParticipantRecord, Place, Preferences, ReadState, Record, RecordCounts, Role,
    Timestamp, User, UserId, UserRecord,
};
use parlance_domain::ports::{
    Archive, Begun, RecordReader, RecordSource, RecordTarget, StorageError, StorageResult, UnfinishedCopy,
};
use parlance_domain::rules::tally::Subject;
use parlance_domain::services::{MoveError, Moved, Moving, Progress, Side, Stage, Stored};
use parlance_storage_memory::MemoryStorage;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn home(number: u8) -> ConversationId {
    ConversationId::from_bytes([number; 12])
}

fn user(name: &str) -> UserId {
    name.parse().expect("a valid id")
}

fn said(conversation: u8, seq: u64, text: &str) -> Record {
    let mut id = [conversation; 12];
    id[4..].copy_from_slice(&seq.to_be_bytes());
    Record::Message(Message {
        id: MessageId::from_bytes(id),
        conversation_id: home(conversation),
        seq,
        rev: seq,
        sender_id: user("ann"),
        kind: MessageKind::Text,
        text: Some(text.to_owned()),
        media: Vec::new(),
        reply_to: None,
        client_message_id: None,
        reactions: Vec::new(),
        created_at: NOW,
        edited_at: None,
        deleted_at: None,
        updated_at: NOW,
    })
}

/// Two people, and direct conversations with these many messages; the first records are the same for all sizes.
fn records(messages: &[u64]) -> Vec<Record> {
    let people = ["ann", "bob"].map(user);
    let mut all: Vec<Record> = people
        .iter()
        .map(|id| {
            Record::User(UserRecord {
                user: User::nameless(id.clone()),
                claimed: ClaimedProfile::default(),
                preferences: Preferences::default(),
                created_at: NOW,
                revoked_before: None,
            })
        })
        .collect();
    for (number, count) in (1..).zip(messages) {
        let conversation = Conversation {
            id: home(number),
            kind: ConversationKind::Group,
            title: None,
            image: None,
            last_seq: *count,
            rev: *count,
            created_at: NOW,
            updated_at: NOW,
            active_at: NOW,
        };
        all.push(Record::Conversation(ConversationRecord { conversation, pair: None }));
        all.extend((1..=*count).map(|seq| said(number, seq, &format!("message {seq}"))));
        all.extend(people.iter().map(|user| {
            Record::Participant(ParticipantRecord {
                conversation_id: home(number),
                user_id: user.clone(),
                attendance: Some(Attendance { role: Role::Member, joined_at: NOW, floor: 0 }),
                read: ReadState::default(),
                delivered: 0,
            })
        }));
    }
    all
}

async fn holding(records: &[Record]) -> Arc<MemoryStorage> {
    let storage = Arc::new(MemoryStorage::new());
    storage.begin_copy(ContentHash::from_bytes([9; 32])).await.expect("memory answers");
    storage.take_in(records).await.expect("memory answers");
    storage.finish_copy().await.expect("memory answers");
    storage
}

async fn content(storage: &MemoryStorage) -> Vec<Record> {
    let mut all = Vec::new();
    for beginning in [Place::Users(None), Place::Conversations(None), Place::Messages(None), Place::Participants(None)]
    {
        all.extend(storage.list_records(&beginning, 1_000_000).await.expect("memory answers"));
    }
    all
}

async fn moved(source: &Arc<MemoryStorage>, target: &Arc<dyn RecordTarget>) -> Result<Moved, MoveError> {
    Moving::new(Arc::new(Stored::new(source.clone())), target.clone()).run(&|_| {}).await
}

fn target(storage: &Arc<MemoryStorage>) -> Arc<dyn RecordTarget> {
    Arc::new(Stored::new(storage.clone()))
}

/// A target that fails once after some batches, or hands another record on than it was given.
struct Flawed {
    inner: Stored,
    batches_left: AtomicI64,
    change: fn(&mut Record),
}

impl Flawed {
    fn target(storage: &Arc<MemoryStorage>, batches: i64, change: fn(&mut Record)) -> Arc<dyn RecordTarget> {
        let inner = Stored::new(storage.clone());
        Arc::new(Self { inner, batches_left: AtomicI64::new(batches), change })
    }
}

#[async_trait]
impl RecordSource for Flawed {
    async fn check_whole(&self) -> StorageResult<()> {
        self.inner.check_whole().await
    }

    async fn count_records(&self) -> StorageResult<RecordCounts> {
        self.inner.count_records().await
    }

    async fn read_records(&self, after: Option<&Place>) -> StorageResult<Box<dyn RecordReader>> {
        self.inner.read_records(after).await
    }
}

#[async_trait]
impl RecordTarget for Flawed {
    async fn begin_copy(&self, source: ContentHash, counts: &RecordCounts) -> StorageResult<Begun> {
        self.inner.begin_copy(source, counts).await
    }

    async fn take_in(&self, records: &[Record]) -> StorageResult<()> {
        if self.batches_left.fetch_sub(1, Ordering::Relaxed) == 0 {
            return Err(StorageError::Unavailable { source: "the disk is full".into() });
        }
        let mut records = records.to_vec();
        for record in &mut records {
            (self.change)(record);
        }
        self.inner.take_in(&records).await
    }

    async fn finish_copy(&self) -> StorageResult<()> {
        self.inner.finish_copy().await
    }
}

#[tokio::test]
async fn everything_is_moved_and_progress_rises_to_the_end() {
    let (source, copy) = (holding(&records(&[2_500, 3, 0])).await, holding(&[]).await);
    let told = Mutex::new(Vec::<Progress>::new());
    let moving = Moving::new(Arc::new(Stored::new(source.clone())), target(&copy));
    let moved = moving.run(&|progress| told.lock().expect("no panic").push(progress)).await.expect("a copy");
    assert_eq!(moved.counts.messages, 2_503);
    assert!(!moved.resumed);
    assert_eq!(content(&copy).await, content(&source).await);
    let told = told.into_inner().expect("no panic");
    for stage in [Stage::Copying, Stage::Verifying] {
        let done: Vec<u64> = told.iter().filter(|one| one.stage == stage).map(|one| one.done).collect();
        assert!(done.is_sorted(), "{done:?}");
        assert_eq!(done.last(), Some(&moved.counts.total()), "{stage:?}");
    }
}

#[tokio::test]
async fn a_copy_that_failed_goes_on_where_it_was() {
    let (source, copy) = (holding(&records(&[5_000])).await, holding(&[]).await);
    let flawed = Flawed::target(&copy, 3, |_| {});
    let failed = moved(&source, &flawed).await;
    assert!(matches!(failed, Err(MoveError::Failed { side: Side::Target, .. })), "{failed:?}");
    assert_eq!(copy.count_records().await.expect("memory answers").total(), 3_000, "three batches came in");
    let moved = moved(&source, &flawed).await.expect("it goes on");
    assert!(moved.resumed);
    assert_eq!(content(&copy).await, content(&source).await);
}

#[tokio::test]
async fn both_ways_give_the_same_hash() {
    let (source, copy, other) = (holding(&records(&[1_500, 7])).await, holding(&[]).await, holding(&[]).await);
    let there = moved(&source, &target(&copy)).await.expect("a copy");
    let on = moved(&copy, &target(&other)).await.expect("a copy of the copy");
    assert_eq!((there.hash, there.counts), (on.hash, on.counts));
    let less = moved(&holding(&records(&[1_500, 6])).await, &target(&holding(&[]).await)).await.expect("a copy");
    assert_ne!(less.hash, there.hash);
}

#[tokio::test]
async fn a_target_that_is_not_empty_is_refused() {
    let (source, other) = (holding(&records(&[3])).await, holding(&records(&[1])).await);
    let before = content(&other).await;
    assert!(matches!(moved(&source, &target(&other)).await, Err(MoveError::Occupied)));
    assert_eq!(content(&other).await, before, "nothing has changed");
    let copy = holding(&[]).await;
    moved(&source, &target(&copy)).await.expect("a copy");
    assert!(matches!(moved(&source, &target(&copy)).await, Err(MoveError::Occupied)), "a finished copy is not empty");
}

#[tokio::test]
async fn an_unfinished_copy_is_gone_on_with_by_its_own_source_alone() {
    let copy = holding(&[]).await;
    let flawed = Flawed::target(&copy, 1, |_| {});
    assert!(moved(&holding(&records(&[2_000])).await, &flawed).await.is_err());
    // The same server after another message: it is not the source that was being copied.
    let grown = holding(&records(&[2_001])).await;
    assert!(matches!(moved(&grown, &target(&copy)).await, Err(MoveError::Foreign)));
    let same = holding(&records(&[2_000])).await;
    assert!(moved(&same, &target(&copy)).await.expect("its own source").resumed);
}

#[tokio::test]
async fn an_unfinished_copy_is_no_source() {
    let copy = holding(&[]).await;
    assert!(moved(&holding(&records(&[2_000])).await, &Flawed::target(&copy, 1, |_| {})).await.is_err());
    let refused = moved(&copy, &target(&holding(&[]).await)).await;
    let Err(MoveError::Failed { side: Side::Source, source: StorageError::Corrupt { source } }) = refused else {
        panic!("{refused:?}")
    };
    assert!(source.to_string().contains("not been finished"), "{source}");
}

#[tokio::test]
async fn what_differs_is_named_by_its_conversation() {
    let (source, copy) = (holding(&records(&[5, 5, 5])).await, holding(&[]).await);
    let flawed = Flawed::target(&copy, i64::MAX, |record| {
        if let Record::Message(message) = record
            && message.conversation_id == home(2)
            && message.seq == 4
        {
            message.text = Some("something else".to_owned());
        }
    });
    let differs = moved(&source, &flawed).await;
    let Err(MoveError::Differs { count: 1, first }) = &differs else { panic!("{differs:?}") };
    assert_eq!(first.subject, Subject::Conversation(home(2)));
    assert!(first.to_string().contains("8 records on both sides"), "{first}");
    let found = copy.find_copy().await.expect("memory answers");
    assert!(found.is_some(), "what is not verified is not finished");
}

#[tokio::test]
async fn a_source_that_changes_behind_the_copy_is_noticed() {
    let (source, copy) = (holding(&records(&[1_500, 5])).await, holding(&[]).await);
    let flawed = Flawed::target(&copy, 1, |_| {});
    assert!(moved(&source, &flawed).await.is_err());
    // As many records as before and the same first ones, but another text in what was copied already.
    let mut changed = records(&[1_500, 5]);
    changed[500] = said(1, 498, "edited meanwhile");
    let differs = moved(&holding(&changed).await, &target(&copy)).await;
    let Err(MoveError::Differs { count: 1, first }) = &differs else { panic!("{differs:?}") };
    assert_eq!(first.subject, Subject::Conversation(home(1)));
}

/// A storage that counts how many records are asked for, and handed in, at once.
struct Measured {
    inner: Arc<MemoryStorage>,
    most: AtomicUsize,
}

#[async_trait]
impl Archive for Measured {
    async fn count_records(&self) -> StorageResult<RecordCounts> {
        self.inner.count_records().await
    }

    async fn list_records(&self, after: &Place, limit: usize) -> StorageResult<Vec<Record>> {
        self.most.fetch_max(limit, Ordering::Relaxed);
        self.inner.list_records(after, limit).await
    }

    async fn find_copy(&self) -> StorageResult<Option<UnfinishedCopy>> {
        self.inner.find_copy().await
    }

    async fn begin_copy(&self, source: ContentHash) -> StorageResult<Begun> {
        self.inner.begin_copy(source).await
    }

    async fn take_in(&self, records: &[Record]) -> StorageResult<()> {
        self.most.fetch_max(records.len(), Ordering::Relaxed);
        self.inner.take_in(records).await
    }

    async fn finish_copy(&self) -> StorageResult<()> {
        self.inner.finish_copy().await
    }
}

#[tokio::test]
async fn no_more_than_a_page_is_moved_at_once() {
    let source = Arc::new(Measured { inner: holding(&records(&[4_000; 3])).await, most: AtomicUsize::new(0) });
    let copy = Arc::new(Measured { inner: holding(&[]).await, most: AtomicUsize::new(0) });
    let moving = Moving::new(Arc::new(Stored::new(source.clone())), Arc::new(Stored::new(copy.clone())));
    moving.run(&|_| {}).await.expect("a copy");
    for side in [source, copy] {
        assert_eq!(side.most.load(Ordering::Relaxed), 1_000);
    }
}
