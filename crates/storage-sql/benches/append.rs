//! How many sends a second a storage takes, in batches of 1, 10, 100 and 300: on a new SQLite file and, if
//! `BENCH_POSTGRES_URL` names an empty database, on PostgreSQL. Every batch is committed to the disk.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use parlance_domain::model::{
    ClaimedProfile, ClientMessageId, ConversationId, MessageKind, NewMessage, ObjectId, Timestamp, UserId,
};
use parlance_domain::ports::{Conversations, Messages, NewConversation, Users};
use parlance_storage_sql::{Options, SqlStorage};
use tokio::runtime::Runtime;

const CONVERSATIONS: u64 = 50;

/// A storage in which everybody talks with the same person, and what the next send is called.
struct World {
    storage: SqlStorage,
    people: Vec<(ConversationId, UserId)>,
    next: u64,
}

impl World {
    async fn at(url: &str) -> Self {
        let storage = SqlStorage::connect(url, &Options::default()).await.expect("the database opens");
        storage.migrate().await.expect("the database is migrated");
        let ann = user(&storage, "ann").await;
        let mut people = Vec::new();
        for number in 0..CONVERSATIONS {
            let other = user(&storage, &format!("user-{number}")).await;
            let new = NewConversation::Direct { id: id(number), starter: ann.clone(), other: other.clone() };
            let started =
                storage.start_conversation(&new, Timestamp::from_millis(0)).await.expect("the storage answers");
            people.push((started.conversation.id, other));
        }
        Self { storage, people, next: 1 << 20 }
    }

    fn batch(&mut self, size: u64) -> Vec<NewMessage> {
        let first = self.next;
        self.next += size;
        (first..self.next).map(|number| self.draft(number)).collect()
    }

    fn draft(&self, number: u64) -> NewMessage {
        let which = usize::try_from(number % CONVERSATIONS).expect("a small number");
        let (conversation_id, sender_id) = self.people[which].clone();
        NewMessage {
            id: id(number),
            conversation_id,
            sender_id,
            kind: MessageKind::Text,
            text: Some(format!("Message number {number} says that lunch is at twelve, as it was yesterday")),
            media: Vec::new(),
            reply_to: None,
            client_message_id: Some(ClientMessageId::new(&format!("mark-{number}")).expect("a valid mark")),
            created_at: Timestamp::from_millis(i64::try_from(number).expect("a small number")),
            delivered_to: None,
        }
    }
}

async fn user(storage: &SqlStorage, name: &str) -> UserId {
    let id: UserId = name.parse().expect("a valid id");
    let made = storage.record_claims(&id, &ClaimedProfile::default(), true, Timestamp::from_millis(0)).await;
    made.expect("the storage answers");
    id
}

fn id<T: From<ObjectId>>(number: u64) -> T {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    ObjectId::from_bytes(bytes).into()
}

fn append(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut databases = vec![("sqlite", format!("sqlite://{}", folder.path().join("chat.db").display()))];
    databases.extend(std::env::var("BENCH_POSTGRES_URL").ok().map(|url| ("postgres", url)));
    for (engine, url) in databases {
        let mut world = runtime.block_on(World::at(&url));
        let mut group = criterion.benchmark_group(format!("append/{engine}"));
        for size in [1, 10, 100, 300] {
            group.throughput(Throughput::Elements(size));
            group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
                let storage = world.storage.clone();
                let mut prepare = || world.batch(size);
                bencher.iter_batched(
                    &mut prepare,
                    |batch| {
                        let sent = runtime.block_on(storage.append(batch)).expect("the storage answers");
                        assert!(sent.iter().all(Result::is_ok), "everything is stored");
                    },
                    BatchSize::PerIteration,
                );
            });
        }
        group.finish();
    }
}

criterion_group!(benches, append);
criterion_main!(benches);
