//! Opening a database and bringing it up to date.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mongodb::bson::{Document, doc};
use parlance_domain::ports::{StorageError, Users};
use parlance_storage_mongo::{ConnectError, MongoStorage, Options};
use parlance_storage_testkit::race;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::database::Database;

fn one_line(error: &ConnectError) -> String {
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_start_at_once_migrate_once() {
    let database = Database::new();
    let made: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&made);
    let observer = move |command: &Document| {
        if let Ok(collection) = command.get_str("createIndexes") {
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(collection.to_owned());
        }
    };
    let options = Options { observer: Some(Arc::new(observer)), ..Options::default() };
    let starts = (0..3).map(|_| {
        let (url, options) = (database.url.clone(), options.clone());
        async move {
            let storage = MongoStorage::connect(&url, &options).await.expect("the server answers");
            storage.migrate().await.expect("it is brought up to date");
            storage.ping().await.expect("it answers");
        }
    });
    race(starts).await;
    let mut made = std::mem::take(&mut *made.lock().unwrap_or_else(PoisonError::into_inner));
    let all = made.len();
    made.sort();
    made.dedup();
    assert!(made.contains(&"messages".to_owned()), "{made:?}");
    assert_eq!(made.len(), all, "the indexes of each collection are made once");
    let look = database.look().await;
    let schema: Option<Document> = look.collection("schema").find_one(doc! {}).await.expect("answers");
    assert_eq!(schema, Some(doc! { "_id": "schema", "version": 2 }));
    assert_eq!(look.collection::<Document>("locks").count_documents(doc! {}).await.expect("answers"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_a_newer_release_is_refused() {
    let database = Database::new();
    let storage = database.open(&Options::default()).await;
    let schema = database.look().await.collection::<Document>("schema");
    schema.update_one(doc! {}, doc! { "$set": { "version": 99 } }).await.expect("answers");
    let opened = MongoStorage::connect(&database.url, &Options::default()).await;
    let error = opened.expect_err("it is newer");
    assert!(matches!(error, ConnectError::Newer { found: 99, known: 2 }), "got {error:?}");
    assert!(one_line(&error).contains("install that release or a later one"));
    assert!(matches!(storage.migrate().await, Err(ConnectError::Newer { .. })), "one that is open leaves it alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_said_so_in_time() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("a bound listener has an address");
    drop(listener);
    let options = Options { server_selection_timeout: Duration::from_millis(300), ..Options::default() };
    let begun = Instant::now();
    let error =
        MongoStorage::connect(&format!("mongodb://{address}/chat"), &options).await.expect_err("nobody is there");
    assert!(begun.elapsed() < Duration::from_secs(20), "it does not wait for ever");
    assert!(matches!(error, ConnectError::Unreachable { .. }), "got {error:?}");
    one_line(&error);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_storage_is_unavailable() {
    let database = Database::new();
    let storage = database.open(&Options::default()).await;
    storage.close().await;
    let ann = "ann".parse().expect("a valid id");
    for answer in [storage.ping().await, storage.find_user(&ann).await.map(drop)] {
        assert!(matches!(answer, Err(StorageError::Unavailable { .. })), "got {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_runs_is_finished_before_it_closes() {
    let database = Database::new();
    let asked = Arc::new(Notify::new());
    let begun = Arc::clone(&asked);
    let observer = move |command: &Document| {
        if command.get_str("find").is_ok_and(|collection| collection == "users") {
            begun.notify_one();
        }
    };
    let storage = database.open(&Options { observer: Some(Arc::new(observer)), ..Options::default() }).await;
    let runs = storage.clone();
    let running = tokio::spawn(async move { runs.find_user(&"ann".parse().expect("a valid id")).await });
    asked.notified().await;
    storage.close().await;
    assert_eq!(running.await.expect("no panic").expect("it is answered"), None);
}
