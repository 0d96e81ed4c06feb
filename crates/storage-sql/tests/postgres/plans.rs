//! What calls cost when there is much: a conversation with 20,000 messages, a user with 200 conversations
//! of 20,200. The
//! server counts the rows that it looks at; a call looks at as many as its page has, and scans no table.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::database::{run, session};
use crate::support::{Bench, draft, id};
use parlance_domain::model::{MessageId, UserId};
use parlance_domain::ports::{
    ConversationQuery, Conversations, Messages, Notifications, ReadTarget, Receipts, SearchQuery,
};
use parlance_storage_sql::{Options, SqlStorage};
use sqlx::postgres::PgConnection;

const MESSAGES: i64 = 20_000;

/// As often as the server needs to settle for one plan for all values of a statement, and then some.
const REPETITIONS: i64 = 8;

/// Ann talks with 200 people; in the first conversation there are 20,000 messages, all of `user-1`. She has 20,000
/// notifications. Others talk with each other in 20,000 conversations.
const FILL: &[&str] = &[
    "SET session_replication_role = replica",
    "INSERT INTO users (id, name, created_at) SELECT 'user-' || n, 'User ' || n, 1 FROM generate_series(1, 20201) n",
    "INSERT INTO conversations (id, kind, direct_key, last_seq, rev, created_at, updated_at, active_at)
     SELECT decode(lpad(to_hex(n), 24, '0'), 'hex'), 0, n::text, 1, 1, 1, 1, n FROM generate_series(1, 20200) n",
    "INSERT INTO participants (conversation_id, user_id, role, joined_at, floor_seq, read_position, delivered_position)
     SELECT id, CASE WHEN direct_key::bigint <= 200 THEN 'ann' ELSE 'user-' || (direct_key::bigint + 1) END,
         0, 1, 0, 0, 0 FROM conversations
     UNION ALL SELECT id, 'user-' || direct_key, 0, 1, 0, 1, 0 FROM conversations",
    "INSERT INTO messages (id, conversation_id, seq, rev, sender_id, kind, text, created_at, updated_at)
     SELECT decode('000000000007' || lpad(to_hex(direct_key::bigint), 12, '0'), 'hex'), id, 1, 1, 'user-' || direct_key,
         0, 'greetings', 0, 0 FROM conversations WHERE direct_key <> '1'",
    "INSERT INTO messages (id, conversation_id, seq, rev, sender_id, kind, text, created_at, updated_at)
     SELECT decode(lpad(to_hex(n), 24, '0'), 'hex'), decode(lpad('1', 24, '0'), 'hex'), n, n, 'user-1', 0,
         'message number' || n || CASE WHEN n % 2000 = 0 THEN ' rare' ELSE '' END, n, n
     FROM generate_series(1, 20000) n",
    "INSERT INTO message_search (conversation_id, created_at, message_id, words)
     SELECT conversation_id, created_at, id,
         (encode(conversation_id, 'hex') || replace(text, ' ', ' ' || encode(conversation_id, 'hex')))::tsvector
     FROM messages",
    "UPDATE conversations SET last_seq = 20000, rev = 20000 WHERE direct_key = '1'",
    "UPDATE participants SET read_position = 20000 WHERE user_id = 'user-1'",
    "INSERT INTO inboxes (user_id, total, unread) VALUES ('ann', 20000, 10000)",
    "INSERT INTO notifications (id, user_id, kind, title, message, read, created_at)
     SELECT decode('000000000009' || lpad(to_hex(n), 12, '0'), 'hex'), 'ann', 'system', 'Title', 'Message', n % 2, n
     FROM generate_series(1, 20000) n",
    "ANALYZE",
];

/// Scans of tables, and rows and index entries looked at, by table.
type Cost = BTreeMap<String, (i64, i64)>;

async fn counted(look: &mut PgConnection) -> Cost {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT t.relname::text, t.seq_scan, (t.seq_tup_read + coalesce(t.idx_tup_fetch, 0) + (
             SELECT coalesce(sum(i.idx_tup_read), 0) FROM pg_stat_user_indexes i WHERE i.relid = t.relid))::bigint
         FROM pg_stat_user_tables t",
    )
    .fetch_all(look)
    .await
    .expect("the server has counted");
    rows.into_iter().map(|(table, scans, rows)| (table, (scans, rows))).collect()
}

/// What `call` costs, on a storage of its own.
async fn cost(bench: &Bench, call: impl AsyncFnOnce(&SqlStorage)) -> Cost {
    let mut look = session(&bench.database.url).await;
    let before = counted(&mut look).await;
    let options = Options { max_connections: 1, ..Options::default() };
    let storage = SqlStorage::connect(&bench.database.url, &options).await.expect("opens");
    call(&storage).await;
    storage.close().await.expect("closes");
    // A session hands in what it has counted when it ends.
    let ended = async {
        let sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()";
        while sqlx::query_scalar::<_, i64>(sessions).fetch_one(&mut look).await.expect("the server answers") > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), ended).await.expect("the storage's sessions end");
    let mut cost = counted(&mut look).await;
    for (table, (scans, rows)) in &mut cost {
        let (scans_before, rows_before) = before.get(table).copied().unwrap_or_default();
        (*scans, *rows) = (*scans - scans_before, *rows - rows_before);
    }
    cost.retain(|_, spent| *spent != (0, 0));
    cost
}

/// Asserts that no table was scanned, and that of each table at most so many rows and index entries were looked at;
/// none of those that are not named.
fn within(cost: &Cost, times: i64, most: &[(&str, i64)]) {
    for (table, (scans, rows)) in cost {
        if table == "seaql_migrations" {
            continue;
        }
        assert_eq!(*scans, 0, "a scan of {table}: {cost:?}");
        let most = most.iter().find(|(name, _)| name == table).map_or(0, |(_, most)| most * times);
        assert!(*rows <= most, "{rows} rows of {table}, at most {most}: {cost:?}");
    }
}

async fn much() -> (Bench, UserId) {
    let bench = Bench::new().await;
    let ann = bench.user("ann").await;
    let mut look = bench.look().await;
    for statement in FILL {
        run(&mut look, statement).await;
    }
    drop(look);
    bench.storage.close().await.expect("closes");
    (bench, ann)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_look_at_what_their_page_holds() {
    let (bench, ann) = much().await;
    let long = id(1);

    let history = cost(&bench, async |storage: &SqlStorage| {
        for _ in 0..REPETITIONS {
            let page = storage.list_history(long, Some(id::<MessageId>(10_000)), 50).await.expect("answers");
            assert_eq!(page.expect("there").items[0].seq, 9_950);
        }
    })
    .await;
    within(&history, REPETITIONS, &[("messages", 2 * 52)]);

    let changes = cost(&bench, async |storage: &SqlStorage| {
        for _ in 0..REPETITIONS {
            let changes = storage.list_changes(long, 19_000, 200).await.expect("answers").expect("there");
            assert_eq!((changes.messages.len(), changes.has_more), (200, true));
        }
    })
    .await;
    within(&changes, REPETITIONS, &[("messages", 2 * 201), ("conversations", 2)]);

    let list = cost(&bench, async |storage: &SqlStorage| {
        for _ in 0..REPETITIONS {
            let query = ConversationQuery { limit: 20, ..ConversationQuery::default() };
            let list = storage.list_entries(&ann, &query).await.expect("answers");
            assert_eq!((list.items.len(), list.items[0].unread), (20, 1));
        }
    })
    .await;
    // The viewer's own conversations are sorted; of messages only the page's newest are looked at.
    let own = ("participants", 2 * 210 + 2 * 42);
    within(&list, REPETITIONS, &[own, ("conversations", 2 * 210), ("messages", 2 * 21)]);

    let unread = cost(&bench, async |storage: &SqlStorage| {
        for _ in 0..REPETITIONS {
            assert_eq!(storage.list_unread(&ann).await.expect("answers").len(), 200);
        }
    })
    .await;
    within(&unread, REPETITIONS, &[("participants", 2 * 210), ("conversations", 2 * 210)]);

    let notifications = cost(&bench, async |storage: &SqlStorage| {
        for _ in 0..REPETITIONS {
            assert_eq!(storage.list_notifications(&ann, true, 0, 20).await.expect("answers").items.len(), 20);
            assert_eq!(storage.list_notifications(&ann, false, 0, 20).await.expect("answers").items.len(), 20);
            assert_eq!(storage.count_unread_notifications(&ann).await.expect("answers"), 10_000);
        }
    })
    .await;
    within(&notifications, REPETITIONS, &[("notifications", 2 * 2 * 21), ("inboxes", 2 * 3)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_looks_at_what_it_finds_and_a_bounded_number_of_the_newest() {
    let (bench, ann) = much().await;
    // Of each conversation its newest message, and of 32 up to 64.
    let walk = 2 * (200 + 64 + 31) + 64;
    for (words, conversation_id, found, rows) in [
        // What every message has.
        (vec!["mess"], Some(id(1)), 20, 2 * 66),
        (vec!["mess"], None, 20, walk),
        // What ten of 20,000 have, of which the newest messages show none.
        (vec!["rar"], None, 10, walk + 2 * 10),
        (vec!["number1", "rar"], Some(id(1)), 5, 2 * 66 + 2 * 5),
    ] {
        let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        let searched = cost(&bench, async |storage: &SqlStorage| {
            for _ in 0..REPETITIONS {
                let query = SearchQuery {
                    user_id: ann.clone(),
                    words: words.clone(),
                    conversation_id,
                    cursor: None,
                    limit: 20,
                };
                let page = storage.search_messages(&query).await.expect("answers");
                assert_eq!(page.items.len(), found, "{words:?}");
                assert!(page.items.is_sorted_by_key(|message| std::cmp::Reverse(message.created_at)));
            }
        })
        .await;
        let own = ("participants", 2 * 2 * 200);
        within(&searched, REPETITIONS, &[own, ("message_search", rows), ("messages", 2 * 21)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_look_at_what_they_change() {
    let (bench, ann) = much().await;
    let long = id(1);
    let other: UserId = "user-1".parse().expect("a valid id");
    let reading = cost(&bench, async |storage: &SqlStorage| {
        let marked = storage.mark_read(long, &ann, &ReadTarget::All).await.expect("answers").expect("a participant");
        assert_eq!((marked.newly_read.len(), marked.unread), (500, 0));
    })
    .await;
    within(&reading, 1, &[("messages", 2 * 501), ("conversations", 2 * 3), ("participants", 2 * 5)]);

    let delivering = cost(&bench, async |storage: &SqlStorage| {
        assert_eq!(storage.mark_delivered(&ann).await.expect("answers").len(), 199, "one conversation is read");
    })
    .await;
    // Each of 200 conversations is looked up, locked and moved; each has one message that waits.
    let each = 2 * 200 * 8;
    let most = [("messages", 2 * 200), ("conversations", each), ("participants", each), ("former_participants", 0)];
    within(&delivering, 1, &most);

    let appending = cost(&bench, async |storage: &SqlStorage| {
        for round in 0..8 {
            let batch = (0..10).map(|n| draft(1_000_000 + round * 10 + n, long, &other, "new")).collect();
            let sent = storage.append(batch).await.expect("answers");
            assert!(sent.iter().all(Result::is_ok));
            assert!(storage.find_last_seq(long).await.expect("answers") > u64::try_from(MESSAGES).expect("positive"));
        }
    })
    .await;
    // Rows that were updated in the same place are found through their index once for each statement that asks.
    let each = 8 * 100;
    within(&appending, 1, &[("messages", each), ("conversations", each), ("participants", each)]);
}
