//! The promises of `Messages::search_messages`.

use parlance_domain::model::{
    ConversationId, MediaLink, MediaType, Message, MessageId, MessageKind, NewMessage, Page, SearchCursor, UserId,
};
use parlance_domain::ports::SearchQuery;

use crate::World;
use crate::doing::ids;

fn query(user: &UserId, words: &[&str]) -> SearchQuery {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    SearchQuery { user_id: user.clone(), words, conversation_id: None, cursor: None, limit: 100 }
}

async fn search(world: &World, query: &SearchQuery) -> Page<Message, SearchCursor> {
    world.storage().search_messages(query).await.expect("the storage answers")
}

async fn found(world: &World, user: &UserId, words: &[&str]) -> Vec<MessageId> {
    ids(&search(world, &query(user, words)).await.items)
}

/// Ann's messages with these texts, and who searches them.
async fn said<const N: usize>(world: &World, texts: [&str; N]) -> (UserId, [MessageId; N]) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let mut sent = Vec::new();
    for text in texts {
        sent.push(world.send(direct, &ann, text).await.id);
    }
    (bob, sent.try_into().expect("as many messages as texts"))
}

/// Each word is the beginning of a word of the text.
pub async fn words_are_beginnings_of_words(world: World) {
    let (bob, [one, two]) = said(&world, ["The meeting is tomorrow", "No meet today, 4217 people"]).await;
    for (word, expected) in [
        ("meeting", vec![one]),
        ("meet", vec![two, one]),
        ("m", vec![two, one]),
        ("42", vec![two]),
        ("4217", vec![two]),
        ("eeting", vec![]),
        ("meetings", vec![]),
        ("17", vec![]),
    ] {
        assert_eq!(found(&world, &bob, &[word]).await, expected, "{word:?} begins a word, newest message first");
    }
}

/// All of the words must occur, in any order.
pub async fn all_words_must_occur(world: World) {
    let (bob, [one, two]) = said(&world, ["red green blue", "green yellow"]).await;
    for (words, expected) in [
        (vec!["green"], vec![two, one]),
        (vec!["blue", "green"], vec![one]),
        (vec!["gre", "ye"], vec![two]),
        (vec!["red", "yellow"], vec![]),
        (vec!["red", "red", "r"], vec![one]),
    ] {
        assert_eq!(found(&world, &bob, &words).await, expected, "{words:?} must all occur, in any order");
    }
}

/// Ignoring case and accents, on both sides, however they are written.
pub async fn case_and_accents_are_ignored(world: World) {
    let texts = ["Le CAFÉ crème", "cafe\u{301} noir", "Überraschung", "plain cafe"];
    let (bob, [one, two, three, four]) = said(&world, texts).await;
    for word in ["café", "cafe", "CAFE", "Cafe\u{301}"] {
        assert_eq!(found(&world, &bob, &[word]).await, [four, two, one], "{word:?} is the same word");
    }
    for word in ["uberr", "ÜBERR", "u\u{308}ber"] {
        assert_eq!(found(&world, &bob, &[word]).await, [three], "{word:?} begins the word");
    }
}

/// Words of any script.
pub async fn other_scripts_are_searched_too(world: World) {
    let texts = ["Привет, Мир", "Καλημέρα κόσμε", "你好世界", "مرحبا بالعالم", "नमस्ते दुनिया"];
    let (bob, [russian, greek, chinese, arabic, hindi]) = said(&world, texts).await;
    for (word, expected) in [
        ("привет", russian),
        ("МИ", russian),
        ("καλημερα", greek),
        ("ΚΑΛΗΜ", greek),
        ("你好", chinese),
        ("مرحبا", arabic),
        ("नमस्ते", hindi),
    ] {
        assert_eq!(found(&world, &bob, &[word]).await, [expected], "{word:?} begins a word of that text");
    }
}

/// Words are letters and digits; everything else separates them, and none of it is syntax.
pub async fn odd_characters_separate_words(world: World) {
    let texts = [
        "don't snake_case,kebab-case: user@example.com/path?a=b",
        "(\"quoted\") *star* ^up^ {brace} [x] 'or' 100% \\back",
        "🎉party🎉 timeless",
    ];
    let (bob, [one, two, three]) = said(&world, texts).await;
    for (word, expected) in [
        ("don", one),
        ("case", one),
        ("kebab", one),
        ("exam", one),
        ("path", one),
        ("quoted", two),
        ("star", two),
        ("back", two),
        ("100", two),
        ("brace", two),
        ("party", three),
    ] {
        assert_eq!(found(&world, &bob, &[word]).await, [expected], "{word:?} is a word of that text");
    }
}

/// Words that a query language might take for itself are words.
pub async fn no_word_is_an_operator(world: World) {
    let (bob, [one, two]) = said(&world, ["this AND that OR nothing", "NOT NEAR the text"]).await;
    for (words, expected) in [
        (vec!["AND"], vec![one]),
        (vec!["or"], vec![one]),
        (vec!["NOT"], vec![two, one]),
        (vec!["NOT", "NEAR"], vec![two]),
        (vec!["this", "OR", "text"], vec![]),
        (vec!["text", "NOT", "this"], vec![]),
        (vec!["NEAR", "AND", "OR", "NOT"], vec![]),
        (vec!["null"], vec![]),
    ] {
        assert_eq!(found(&world, &bob, &words).await, expected, "{words:?} are words, nothing else");
    }
}

/// Only conversations that they are in are looked at, and only the one that is named.
pub async fn only_ones_own_conversations_are_searched(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let (with_bob, with_cleo) = (world.direct(&ann, &bob).await, world.direct(&ann, &cleo).await);
    let group = world.group(&ann, &[&bob]).await;
    let one = world.send(with_bob, &ann, "secret one").await.id;
    let two = world.send(with_cleo, &ann, "secret two").await.id;
    let three = world.send(group, &bob, "secret three").await.id;
    assert_eq!(found(&world, &ann, &["secret"]).await, [three, two, one], "Ann is in all of them");
    assert_eq!(found(&world, &bob, &["secret"]).await, [three, one], "Bob is in two");
    assert_eq!(found(&world, &world.id_of_nobody(), &["secret"]).await, [], "nobody is in none");
    let inside = async |user: &UserId, id: ConversationId| {
        let query = SearchQuery { conversation_id: Some(id), ..query(user, &["secret"]) };
        ids(&search(&world, &query).await.items)
    };
    assert_eq!(inside(&ann, with_cleo).await, [two], "only in this conversation");
    assert_eq!(inside(&bob, with_cleo).await, [], "not in one that is not theirs");
    world.leave(group, &bob).await;
    assert_eq!(found(&world, &bob, &["secret"]).await, [one], "not in one that they have left");
    assert_eq!(inside(&bob, group).await, [], "not in one that they have left");
    world.add(group, &ann, &cleo).await;
    assert_eq!(inside(&cleo, group).await, [three], "those who come in see the history");
}

/// A deleted message is no longer found.
pub async fn deleted_messages_are_not_found(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = [world.send(direct, &ann, "needle one").await.id, world.send(direct, &ann, "needle two").await.id];
    world.delete(sent[0], &ann).await;
    for user in [&ann, &bob] {
        assert_eq!(found(&world, user, &["needle"]).await, sent[1..], "tombstones are never found");
    }
}

/// An edited message is found by its new text alone.
pub async fn edited_messages_are_found_by_their_new_text(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send(direct, &ann, "old common").await.id;
    world.edit(sent, &ann, "new common").await;
    world.react(sent, &bob, "👍").await;
    assert_eq!(found(&world, &bob, &["old"]).await, [], "not by the old text");
    assert_eq!(found(&world, &bob, &["new", "common"]).await, [sent], "by the new text");
    world.edit(sent, &ann, "newer").await;
    assert_eq!(found(&world, &bob, &["common"]).await, [], "however often it is edited");
    world.delete(sent, &ann).await;
    assert_eq!(found(&world, &bob, &["newer"]).await, [], "and not once it is deleted");
}

/// System messages are never found.
pub async fn system_messages_are_not_found(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let group = world.group(&ann, &[]).await;
    let system = world.add(group, &ann, &bob).await.message.expect("a system message tells of it");
    assert!(system.text.is_some_and(|text| text.contains("added")), "the text would match");
    assert_eq!(found(&world, &ann, &["added"]).await, [], "system messages are never found");
    assert_eq!(found(&world, &bob, &["bob"]).await, [], "system messages are never found");
}

/// The caption of a medium is its text.
pub async fn captions_are_found(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let media = vec![MediaLink {
        url: "https://hidden/url".into(),
        media_type: MediaType::Image,
        filename: Some("name.png".into()),
        size: None,
        thumbnail_url: None,
    }];
    let kind = MessageKind::Media(MediaType::Image);
    let bare = NewMessage { kind, media: media.clone(), text: None, ..world.draft(direct, &ann, "") };
    world.send_draft(bare).await;
    let sent = world.send_draft(NewMessage { kind, media, ..world.draft(direct, &ann, "holiday") }).await;
    assert_eq!(found(&world, &bob, &["holiday"]).await, [sent.message.id], "a caption is found");
    assert_eq!(found(&world, &bob, &["hidden"]).await, [], "only the text is searched");
}

/// Newest first, those of one moment by descending id, page by page.
pub async fn results_are_paged_from_the_newest(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let now = world.now();
    let mut batch: Vec<NewMessage> = (0..4).map(|_| world.draft(direct, &ann, "needle")).collect();
    for new in &mut batch[1..] {
        new.created_at = now;
    }
    // A later place in the conversation, but the lowest id of its moment.
    batch.rotate_left(1);
    let mut expected: Vec<_> = batch.iter().map(|new| (new.created_at, new.id)).collect();
    world.append(batch).await;
    expected.sort();
    expected.reverse();
    let expected: Vec<MessageId> = expected.into_iter().map(|(_, id)| id).collect();
    for limit in 1..=5 {
        let mut query = SearchQuery { limit, ..query(&bob, &["needle"]) };
        let mut results = Vec::new();
        loop {
            let page = search(&world, &query).await;
            assert!(page.items.len() <= limit, "at most `limit`");
            results.extend(ids(&page.items));
            if page.next.is_none() {
                break;
            }
            assert!(results.len() < expected.len(), "`next` only if there is more");
            query.cursor = page.next;
        }
        assert_eq!(results, expected, "in pages of {limit}: newest first, each once");
    }
}

/// What is found is the message as it is.
pub async fn what_is_found_is_the_message_as_it_is(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let original = world.send(direct, &bob, "question").await;
    let answer = NewMessage { reply_to: Some(original.id), ..world.marked(direct, &ann, "needle") };
    let sent = world.send_draft(answer).await.message;
    world.react(sent.id, &bob, "👍").await;
    let stored = world.storage().find_message(sent.id).await.expect("the storage answers");
    let found = search(&world, &query(&bob, &["needle"])).await.items.pop();
    assert_eq!(found, stored, "with its answer, mark and reactions");
}
