//! What reading costs when there is much: a conversation with 1,000 messages, a user with 200 conversations. Each call
//! has a fixed number of queries, each is served by an index, and what is looked at is bounded by the page or by what
//! the user is in, never by the history.

use std::sync::{Arc, Mutex, PoisonError};

use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, Document, doc};
use parlance_domain::model::{ConversationId, MessageId, UserId};
use parlance_domain::ports::{ConversationQuery, Conversations, Messages, Receipts, SearchQuery};
use parlance_storage_mongo::{MongoStorage, Options};

use crate::database::Database;

const MESSAGES: i32 = 1_000;
const CONVERSATIONS: i32 = 200;

/// A database in which there is much, and an ear on what it is asked.
struct Much {
    storage: MongoStorage,
    ann: UserId,
    long: ConversationId,
    heard: Arc<Mutex<Vec<Document>>>,
    look: mongodb::Database,
    _database: Database,
}

/// What a query looked at.
#[derive(Debug)]
struct Looked {
    collection: String,
    index: String,
    documents: i64,
}

fn id(kind: u8, number: i32) -> ObjectId {
    let mut bytes = [kind; 12];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    ObjectId::from_bytes(bytes)
}

impl Much {
    /// Ann talks with 200 people; in the first conversation there are `messages`, all of one other's.
    async fn new(messages: i32) -> Self {
        let database = Database::new();
        let heard: Arc<Mutex<Vec<Document>>> = Arc::default();
        let ear = Arc::clone(&heard);
        let observer = move |command: &Document| {
            if command.contains_key("find") {
                ear.lock().unwrap_or_else(PoisonError::into_inner).push(command.clone());
            }
        };
        let options = Options { observer: Some(Arc::new(observer)), ..Options::default() };
        let storage = database.open(&options).await;
        let look = database.look().await;
        let at = |number: i32| DateTime::from_millis(i64::from(number));
        let conversation = |number: i32| {
            let (last_seq, active_at) = if number == 1 { (messages, messages.max(CONVERSATIONS)) } else { (0, number) };
            let person = |user: String| doc! { "user": user, "role": 0, "joined_at": at(1) };
            doc! {
                "_id": id(1, number), "kind": 0, "last_seq": i64::from(last_seq), "rev": i64::from(last_seq),
                "last_message": id(7, last_seq), "created_at": at(1), "updated_at": at(1), "active_at": at(active_at),
                "people": [person("ann".to_owned()), person(format!("user-{number}"))],
            }
        };
        let position = |number: i32| {
            let conversation = ConversationId::from_bytes(id(1, number).bytes());
            doc! {
                "_id": format!("{conversation}/ann"), "conversation": id(1, number), "user": "ann", "present": true,
                "floor": 0_i64, "read": 0_i64, "delivered": 0_i64, "ahead_count": 0_i64, "dead": 0_i64,
            }
        };
        let message = |number: i32| {
            let rare = match number {
                ..=3 => "first",
                _ if number % 50 == 0 => "rare",
                _ => "common",
            };
            doc! {
                "_id": id(7, number), "conversation": id(1, 1), "seq": i64::from(number), "rev": i64::from(number),
                "sender": "user-1", "kind": 0, "text": format!("message {rare}"), "words": ["message", rare],
                "created_at": at(number), "updated_at": at(number),
            }
        };
        let filled: [(&str, Vec<Document>); 3] = [
            ("conversations", (1..=CONVERSATIONS).map(conversation).collect()),
            ("positions", (1..=CONVERSATIONS).map(position).collect()),
            ("messages", (1..=messages).map(message).collect()),
        ];
        for (collection, documents) in filled {
            look.collection::<Document>(collection).insert_many(documents).await.expect("the server takes them");
        }
        let much = Self {
            storage,
            ann: "ann".parse().expect("a valid id"),
            long: ConversationId::from_bytes(id(1, 1).bytes()),
            heard,
            look,
            _database: database,
        };
        much.queries();
        much
    }

    /// The queries since the last look at them.
    fn heard(&self) -> Vec<Document> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same, and from here on those that follow.
    fn queries(&self) -> Vec<Document> {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How the server ran them.
    async fn looked(&self) -> Vec<Looked> {
        let mut all = Vec::new();
        for mut query in self.queries() {
            for noise in ["lsid", "$clusterTime", "$db", "readConcern", "$readPreference", "txnNumber"] {
                query.remove(noise);
            }
            let collection = query.get_str("find").expect("a query").to_owned();
            let explain = doc! { "explain": query.clone(), "verbosity": "executionStats" };
            let explained = self.look.run_command(explain).await.expect("a query that ran can be explained");
            let plan = explained.get_document("queryPlanner").and_then(|plan| plan.get_document("winningPlan"));
            let index = index_of(plan.expect("a plan"));
            assert!(index.is_some(), "no index for {query}: {explained}");
            let stats = explained.get_document("executionStats").expect("executed");
            let documents = number(stats, "totalDocsExamined");
            all.push(Looked { collection, index: index.unwrap_or_default(), documents });
        }
        all
    }
}

fn number(document: &Document, field: &str) -> i64 {
    document.get_i64(field).or_else(|_| document.get_i32(field).map(i64::from)).expect("a number")
}

/// The index that a plan walks.
fn index_of(stage: &Document) -> Option<String> {
    match stage.get_str("stage") {
        Ok("IXSCAN") => Some(stage.get_str("indexName").expect("its name").to_owned()),
        Ok("IDHACK") => Some("_id_".to_owned()),
        _ => index_of(stage.get_document("inputStage").ok()?),
    }
}

/// Asserts by which indexes a call found its answer, and how many documents it looked at.
fn assert_looked(looked: &[Looked], expected: &[(&str, &str, i64)]) {
    let found: Vec<(&str, &str)> = looked.iter().map(|one| (one.collection.as_str(), one.index.as_str())).collect();
    let wanted: Vec<(&str, &str)> = expected.iter().map(|(collection, index, _)| (*collection, *index)).collect();
    assert_eq!(found, wanted, "{looked:?}");
    for (one, (_, _, most)) in looked.iter().zip(expected) {
        assert!(one.documents <= *most, "at most {most}: {one:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_much_looks_at_little() {
    let much = Much::new(MESSAGES).await;
    let Much { storage, ann, long, .. } = &much;
    let all = i64::from(CONVERSATIONS);

    // A page deep in the past: where it begins, and the page.
    let before = MessageId::from_bytes(id(7, 500).bytes());
    let page = storage.list_history(*long, Some(before), 50).await.expect("answers").expect("there");
    assert_eq!((page.items[0].seq, page.items[49].seq), (450, 499));
    assert_looked(&much.looked().await, &[("messages", "_id_", 1), ("messages", "by_seq", 50)]);

    let page = storage.list_history(*long, None, 50).await.expect("answers").expect("there");
    assert_eq!((page.items[0].seq, page.items[49].seq), (951, 1_000));
    assert_looked(&much.looked().await, &[("conversations", "_id_", 1), ("messages", "by_seq", 50)]);

    // The server of the tests counts before the limit: what is asked for ends where the conversation does.
    let changes = storage.list_changes(*long, 900, 200).await.expect("answers").expect("there");
    assert_eq!((changes.messages.len(), changes.rev, changes.has_more), (100, 1_000, false));
    assert_looked(&much.looked().await, &[("conversations", "_id_", 1), ("messages", "by_rev", 100)]);

    let changes = storage.list_changes(*long, 100, 200).await.expect("answers").expect("there");
    assert_eq!((changes.messages.len(), changes.rev, changes.has_more), (200, 300, true));
    assert_eq!(number(&much.heard()[1], "limit"), 201, "a page, and whether there is more");
    assert_looked(&much.looked().await, &[("conversations", "_id_", 1), ("messages", "by_rev", 900)]);

    // The viewer's own conversations are sorted by activity; of messages only the newest are fetched.
    let query = ConversationQuery { limit: 20, ..ConversationQuery::default() };
    let list = storage.list_entries(ann, &query).await.expect("answers");
    assert_eq!((list.items.len(), list.items[0].conversation.active_at.millis()), (20, i64::from(MESSAGES)));
    assert_looked(
        &much.looked().await,
        &[("conversations", "by_user", all), ("positions", "_id_", 20), ("messages", "_id_", 20)],
    );

    let unread = storage.list_unread(ann).await.expect("answers");
    assert_eq!(unread, [(*long, 1_000)]);
    assert_looked(&much.looked().await, &[("positions", "by_user", all), ("conversations", "_id_", all)]);
}

/// What a search asks for and finds: its words, where, and how many there are.
type Asked = (&'static [&'static str], bool, usize);

async fn search(much: &Much, (words, in_one, found): Asked) {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let conversation_id = in_one.then_some(much.long);
    let query = SearchQuery { user_id: much.ann.clone(), words, conversation_id, cursor: None, limit: 20 };
    let page = much.storage.search_messages(&query).await.expect("answers");
    assert_eq!(page.items.len(), found);
    assert!(page.items.is_sorted_by_key(|message| std::cmp::Reverse(message.created_at)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_looks_through_the_newest_messages() {
    let much = Much::new(1_500).await;
    let scope = ("conversations", "by_user", i64::from(CONVERSATIONS));
    for asked in [(&["mess"][..], false, 20), (&["mess", "comm"], true, 20), (&["rare"], true, 20)] {
        search(&much, asked).await;
        let queries = much.heard();
        let [_, beyond, walk] = queries.as_slice() else { panic!("the scope, the horizon, the walk: {queries:?}") };
        // How far it goes is counted in the index; the server of the tests counts what comes after it as well.
        assert_eq!((number(beyond, "skip"), number(beyond, "limit")), (1_024, 1), "{beyond}");
        assert_eq!(number(walk, "limit"), 21);
        let (_, in_one, _) = asked;
        if in_one {
            // The server of the tests explains the id with the user beside it as a scan.
            assert!(much.queries()[0].get_document("filter").is_ok_and(|filter| filter.contains_key("_id")));
        } else {
            let looked = much.looked().await;
            assert_looked(&looked, &[scope, ("messages", "by_time", 1_500), ("messages", "by_time", 1_024)]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_for_what_is_rare_asks_the_index_of_words() {
    let much = Much::new(1_500).await;
    // The three oldest: the newest messages do not have them.
    for asked in [(&["first", "mess"][..], false, 3), (&["first"], true, 3)] {
        search(&much, asked).await;
        let queries = much.queries();
        assert_eq!(queries.len(), 4, "the scope, the horizon, the walk, the index: {queries:?}");
        let matching = queries[3].get_document("filter").expect("a filter");
        // Both are equality or range on the fields of the index `by_word`, in its order.
        let fields: Vec<&String> = matching.keys().collect();
        assert_eq!(fields, ["conversation", "words"], "{matching}");
        assert!(!matching.to_string().contains("$regex"), "nothing that was typed is a pattern: {matching}");
        let longest = matching.to_string();
        assert!(longest.find("first") < longest.find("mess").or(Some(usize::MAX)), "the rarest word first: {matching}");
    }
}
