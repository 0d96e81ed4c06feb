//! The promises of reading messages back one by one and page by page.

use parlance_domain::model::{ConversationId, Message, MessageId, Page};

use crate::World;
use crate::doing::ids;

type HistoryPage = Page<Message, MessageId>;

async fn page(world: &World, id: ConversationId, before: Option<MessageId>, limit: usize) -> HistoryPage {
    let page = world.storage().list_history(id, before, limit).await.expect("the storage answers");
    page.expect("`before` is a message of the conversation")
}

/// The newest page before `before`, oldest first inside the page; `next` leads through all of it.
pub async fn history_is_paged_from_the_newest(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    let sent = ids(&world.send_many(direct, &ann, 7).await);
    let first = page(&world, direct, None, 3).await;
    assert_eq!(ids(&first.items), sent[4..], "the newest page, oldest first");
    assert_eq!(first.next, Some(sent[4]), "`next` is the oldest message on the page");
    let second = page(&world, direct, first.next, 3).await;
    assert_eq!((ids(&second.items), second.next), (sent[1..4].to_vec(), Some(sent[1])), "the page before");
    let third = page(&world, direct, second.next, 3).await;
    assert_eq!((ids(&third.items), third.next), (sent[..1].to_vec(), None), "the oldest page has no `next`");
    let nothing = page(&world, direct, Some(sent[0]), 3).await;
    assert_eq!((ids(&nothing.items), nothing.next), (vec![], None), "nothing is before the first message");
}

/// `next` only if there are older ones, also when the page is exactly full.
pub async fn a_page_that_ends_at_the_beginning_has_no_next(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    let empty = page(&world, direct, None, 5).await;
    assert_eq!(empty, Page { items: vec![], next: None }, "a conversation without messages has an empty page");
    let sent = ids(&world.send_many(direct, &ann, 4).await);
    for (before, limit) in [(None, 4), (None, 5), (Some(sent[2]), 2)] {
        assert_eq!(page(&world, direct, before, limit).await.next, None, "there are no older ones");
    }
    assert_eq!(page(&world, direct, None, 1).await.next, Some(sent[3]), "there are older ones");
}

/// `None` if `before` is not a message of the conversation.
pub async fn a_page_before_a_strange_message_is_none(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let (here, there) = (world.direct(&ann, &bob).await, world.direct(&ann, &cleo).await);
    world.send(here, &ann, "here").await;
    let elsewhere = world.send(there, &ann, "there").await;
    for stray in [elsewhere.id, world.id()] {
        let page = world.storage().list_history(here, Some(stray), 5).await.expect("the storage answers");
        assert_eq!(page, None, "`before` must be a message of the conversation");
    }
}

/// Tombstones are included, and lead on as `before`.
pub async fn history_includes_tombstones(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    let sent = ids(&world.send_many(direct, &ann, 4).await);
    world.delete(sent[1], &ann).await;
    world.delete(sent[2], &ann).await;
    assert_eq!(ids(&page(&world, direct, None, 10).await.items), sent, "tombstones keep their place");
    let older = page(&world, direct, Some(sent[2]), 10).await;
    assert_eq!(ids(&older.items), sent[..2], "a tombstone is a place like any other");
    assert!(older.items[1].is_tombstone(), "and says that it is one");
}

/// Paging back meets each message once, whatever comes meanwhile; what comes is on the newest page.
pub async fn paging_back_is_stable_while_messages_come(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let old = ids(&world.send_many(direct, &ann, 9).await);
    let mut read = Vec::new();
    let mut before = None;
    loop {
        let mut items = page(&world, direct, before, 2).await;
        let fresh = world.send(direct, &bob, "meanwhile").await;
        let newest = page(&world, direct, None, 1).await;
        assert_eq!(ids(&newest.items), [fresh.id], "what comes is on the newest page");
        items.items.reverse();
        read.extend(ids(&items.items));
        assert!(!items.items.is_empty() && read.len() <= old.len(), "each page leads on, no message comes twice");
        before = items.next;
        if before.is_none() {
            break;
        }
    }
    read.reverse();
    assert_eq!(read, old, "each message once, no gap at a page's edge");
}

/// `find_message` and `list_messages`: those that exist, each once.
pub async fn messages_are_found_by_id(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let (one, two) = (world.direct(&ann, &bob).await, world.direct(&ann, &cleo).await);
    let first = world.send(one, &ann, "1").await;
    let second = world.send(two, &cleo, "2").await;
    let tombstone = world.delete(second.id, &cleo).await.message;
    let asked = [tombstone.id, first.id, world.id(), tombstone.id];
    let mut found = world.storage().list_messages(&asked).await.expect("the storage answers");
    found.sort_by_key(|message| message.id);
    assert_eq!(found, [first, tombstone], "those that exist, each once, tombstones too");
    assert_eq!(world.storage().list_messages(&[]).await.expect("the storage answers"), [], "none were asked for");
    assert_eq!(world.storage().find_message(world.id()).await.expect("the storage answers"), None, "there is none");
}

/// `find_last_seq`: 0 if there is no message or no such conversation.
pub async fn the_last_seq_of_nothing_is_zero(world: World) {
    let (_, _, direct) = world.ann_and_bob().await;
    for id in [direct, world.id()] {
        assert_eq!(world.storage().find_last_seq(id).await.expect("the storage answers"), 0, "there is no message");
    }
}
