//! What reading costs when there is much: a conversation with 100,000 messages, a user with 1,000
//! conversations. Each call runs a fixed number of statements, and none of them scans or sorts messages.

use crate::support::{Bench, id, plan, scans};
use parlance_domain::model::{ConversationId, MessageId, UserId};
use parlance_domain::ports::{ConversationQuery, Conversations, Messages, ReadTarget, Receipts, SearchQuery};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

const MESSAGES: u64 = 100_000;
const CONVERSATIONS: u64 = 1_000;

/// Ann talks with 1,000 people; in the first conversation there are 100,000 messages, all Bob's.
async fn much(bench: &Bench) -> (UserId, ConversationId, DatabaseConnection) {
    let ann = bench.user("ann").await;
    let look = bench.look().await;
    for (text, count) in FILL {
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, *text, [(*count).into()]);
        look.execute_raw(statement).await.expect("the database takes the rows");
    }
    (ann, id(1), look)
}

const FILL: &[(&str, u64)] = &[
    (
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?) \
         INSERT INTO users (id, name, created_at) SELECT 'user-' || n, 'User ' || n, 1 FROM n",
        CONVERSATIONS,
    ),
    (
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?) \
         INSERT INTO conversations (id, kind, direct_key, last_seq, rev, created_at, updated_at, active_at) \
         SELECT unhex(printf('%024x', n)), 0, n, 1, 1, 1, 1, n FROM n",
        CONVERSATIONS,
    ),
    (
        "INSERT INTO participants \
             (conversation_id, user_id, role, joined_at, floor_seq, read_position, delivered_position) \
         SELECT id, 'ann', 0, 1, 0, 0, 0 FROM conversations \
         UNION ALL SELECT id, 'user-' || direct_key, 0, 1, 0, 1, 0 FROM conversations WHERE ?",
        1,
    ),
    (
        "INSERT INTO messages (place, id, conversation_id, seq, rev, sender_id, kind, text, created_at, updated_at) \
         SELECT 1000 - direct_key, unhex(printf('%012x%012x', 7, direct_key)), id, 1, 1, 'user-' || direct_key, 0, \
             'greetings', 0, 0 FROM conversations WHERE direct_key <> ?",
        1,
    ),
    (
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?) \
         INSERT INTO messages (place, id, conversation_id, seq, rev, sender_id, kind, text, created_at, updated_at) \
         SELECT n << 20, unhex(printf('%024x', n)), unhex(printf('%024x', 1)), n, n, 'user-1', 0, \
             'message number' || n || iif(n % 10000, '', ' rare'), n, n FROM n",
        MESSAGES,
    ),
    (
        "INSERT INTO message_search (rowid, words) \
         SELECT place, lower(hex(conversation_id)) || replace(text, ' ', ' ' || lower(hex(conversation_id))) \
         FROM messages WHERE ?",
        1,
    ),
    ("UPDATE conversations SET last_seq = ?1, rev = ?1 WHERE direct_key = 1", MESSAGES),
    ("UPDATE participants SET read_position = ? WHERE user_id = 'user-1'", MESSAGES),
];

/// Asserts how many statements ran and that none scans a table, and returns their plans.
async fn plans(bench: &Bench, look: &DatabaseConnection, statements: usize) -> Vec<Vec<String>> {
    let ran = bench.statements();
    assert_eq!(ran.len(), statements, "statements that ran: {ran:#?}");
    let mut plans = Vec::new();
    for statement in ran {
        let plan = plan(look, &statement).await;
        assert_eq!(scans(&plan), [""; 0], "{plan:#?} of {statement}");
        plans.push(plan);
    }
    plans
}

fn sorts(plan: &[String]) -> usize {
    plan.iter().filter(|step| step.contains("TEMP B-TREE")).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_much_scans_and_sorts_no_messages() {
    let bench = Bench::new().await;
    let (ann, long, look) = much(&bench).await;
    let storage = &bench.storage;
    bench.statements();

    // A page deep in the past: where it begins, and the page.
    let page = storage.list_history(long, Some(id::<MessageId>(50_000)), 50).await.expect("answers").expect("there");
    assert_eq!((page.items[0].seq, page.items[49].seq), (49_950, 49_999));
    for plan in plans(&bench, &look, 2).await {
        assert_eq!(sorts(&plan), 0, "{plan:#?}");
    }

    let changes = storage.list_changes(long, 99_000, 200).await.expect("answers").expect("there");
    assert_eq!((changes.messages.len(), changes.rev, changes.has_more), (200, 99_200, true));
    for plan in plans(&bench, &look, 2).await {
        assert_eq!(sorts(&plan), 0, "{plan:#?}");
    }

    // The viewer's own rows are sorted by activity, the people of each conversation by when they came.
    let query = ConversationQuery { limit: 20, ..ConversationQuery::default() };
    let list = storage.list_entries(&ann, &query).await.expect("answers");
    assert_eq!(list.items.len(), 20);
    assert_eq!((list.items[0].conversation.id, list.items[0].unread), (id(CONVERSATIONS), 1));
    let listed = plans(&bench, &look, 3).await;
    assert!(listed[0].iter().any(|step| step.contains("participants_by_user")), "{listed:#?}");
    assert!(listed[0].iter().all(|step| !step.contains("messages")), "unread counts look at no message: {listed:#?}");
    assert_eq!(sorts(&listed[2]), 0, "{listed:#?}");

    let unread = storage.list_unread(&ann).await.expect("answers");
    assert_eq!(unread.len(), 1_000);
    assert!(unread.contains(&(long, MESSAGES)));
    for plan in plans(&bench, &look, 1).await {
        assert!(sorts(&plan) == 0 && plan.iter().all(|step| !step.contains("messages")), "{plan:#?}");
    }

    // Everywhere and in one conversation; every message matches the first, ten match the second.
    for (words, conversation_id, found) in
        [(vec!["mess"], None, 20), (vec!["number1", "rar"], None, 2), (vec!["mess"], Some(long), 20)]
    {
        let words = words.into_iter().map(str::to_owned).collect();
        let query = SearchQuery { user_id: ann.clone(), words, conversation_id, cursor: None, limit: 20 };
        let page = storage.search_messages(&query).await.expect("answers");
        assert_eq!(page.items.len(), found);
        assert!(page.items.is_sorted_by_key(|message| std::cmp::Reverse(message.created_at)));
        let searched = plans(&bench, &look, 1).await.remove(0);
        // The user's conversations are gathered in buckets; matches are walked in the order of the index.
        let sorted: Vec<&String> = searched.iter().filter(|step| step.contains("FOR ORDER BY")).collect();
        assert_eq!(sorted, [""; 0], "{searched:#?}");
        assert!(searched.iter().any(|step| step.contains("m USING INTEGER PRIMARY KEY")), "{searched:#?}");
    }

    // Reading 100,000 messages names the newest 500 and touches no others.
    let marked = storage.mark_read(long, &ann, &ReadTarget::All).await.expect("answers").expect("a participant");
    assert_eq!((marked.newly_read.len(), marked.unread), (500, 0));
    let ran = plans(&bench, &look, 4).await;
    assert!(ran[2].iter().any(|step| step.contains("messages_by_seq")), "{ran:#?}");

    let delivered = storage.mark_delivered(&ann).await.expect("answers");
    assert_eq!(delivered.len(), 999, "one was read, in the others one message each waited");
    plans(&bench, &look, 5).await;
}
