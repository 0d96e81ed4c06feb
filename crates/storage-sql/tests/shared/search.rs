//! Search where there is much to be confused by: many messages of one moment, many conversations, and words that
//! would be syntax if they got through.

use parlance_domain::model::{MessageId, NewMessage, Timestamp};
use parlance_domain::ports::{Messages, SearchQuery};

use crate::support::{Bench, SEARCH_STATEMENTS, draft, id};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_exact_also_among_messages_of_one_moment() {
    let bench = Bench::new().await;
    let (ann, bob) = (bench.user("ann").await, bench.user("bob").await);
    let direct = bench.direct(1, &ann, &bob).await;
    let mut expected = Vec::new();
    let mut batch = Vec::new();
    for number in 0..200_u64 {
        // Three moments, and ids that do not rise with the order of storing.
        let at = Timestamp::from_millis(1_700_000_000_000 + i64::try_from(number % 3).expect("small"));
        let id: MessageId = id(1_000 + (number * 77) % 200);
        let text = if number % 5 == 0 { "other" } else { "needle" };
        if number % 5 != 0 {
            expected.push((at, id));
        }
        batch.push(NewMessage { id, created_at: at, ..draft(number, direct, &ann, text) });
    }
    expected.sort_unstable_by(|one, other| other.cmp(one));
    bench.storage.append(batch).await.expect("answers");
    for limit in [1, 7, 160, 500] {
        let mut query = SearchQuery {
            user_id: bob.clone(),
            words: vec!["need".to_owned()],
            conversation_id: None,
            cursor: None,
            limit,
        };
        let mut found = Vec::new();
        loop {
            let page = bench.storage.search_messages(&query).await.expect("answers");
            assert!(page.items.len() <= limit);
            found.extend(page.items.iter().map(|message| (message.created_at, message.id)));
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(found, expected, "in pages of {limit}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_conversations_cost_no_further_statements() {
    let bench = Bench::new().await;
    let ann = bench.user("ann").await;
    let mut batch = Vec::new();
    for number in 1..=300 {
        let other = bench.user(&format!("other-{number}")).await;
        let direct = bench.direct(number, &ann, &other).await;
        batch.push(draft(number, direct, &other, if number % 100 == 0 { "the needle" } else { "hay" }));
    }
    let stranger = (bench.user("x").await, bench.user("y").await);
    let elsewhere = bench.direct(999, &stranger.0, &stranger.1).await;
    batch.push(draft(999, elsewhere, &stranger.0, "needle of strangers"));
    bench.storage.append(batch).await.expect("answers");
    bench.statements();
    let words = vec!["need".to_owned(), "the".to_owned()];
    let query = SearchQuery { user_id: ann, words, conversation_id: None, cursor: None, limit: 10 };
    let page = bench.storage.search_messages(&query).await.expect("answers");
    assert_eq!(page.items.iter().map(|message| message.id).collect::<Vec<_>>(), [id(300), id(200), id(100)]);
    assert_eq!(bench.statements().len(), SEARCH_STATEMENTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_input_reaches_the_syntax() {
    let bench = Bench::new().await;
    let (ann, bob) = (bench.user("ann").await, bench.user("bob").await);
    let direct = bench.direct(1, &ann, &bob).await;
    bench.storage.append(vec![draft(1, direct, &ann, "plain text")]).await.expect("answers");
    for odd in [
        "\"",
        "\"\"",
        "*",
        "text\"",
        "text*",
        "te xt",
        "words:text",
        "^text",
        "-text",
        "(text)",
        "text OR 1",
        "\0",
        "\u{1}",
        "text\0",
        "{",
        "'",
        "+",
        "\u{301}",
        "",
    ] {
        for words in [vec![odd.to_owned()], vec!["plain".to_owned(), odd.to_owned()]] {
            let query = SearchQuery {
                user_id: ann.clone(),
                words: words.clone(),
                conversation_id: None,
                cursor: None,
                limit: 10,
            };
            let page = bench.storage.search_messages(&query).await;
            assert!(page.is_ok_and(|page| page.items.len() <= 1), "{words:?}");
        }
    }
}
