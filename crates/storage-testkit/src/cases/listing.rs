//! The promises of `Conversations::list_entries`.

use parlance_domain::model::{ConversationCursor, ConversationId, Page, ProfileChange, TimeCursor, Timestamp, UserId};
use parlance_domain::ports::{ConversationEntry, ConversationQuery, NewConversation};

use crate::World;

type EntryPage = Page<ConversationEntry, ConversationCursor>;

async fn page(world: &World, viewer: &UserId, query: &ConversationQuery) -> EntryPage {
    world.storage().list_entries(viewer, query).await.expect("the storage answers")
}

fn ids(page: &EntryPage) -> Vec<ConversationId> {
    page.items.iter().map(|entry| entry.conversation.id).collect()
}

async fn all(world: &World, viewer: &UserId) -> Vec<ConversationId> {
    ids(&page(world, viewer, &ConversationQuery { limit: 100, ..Default::default() }).await)
}

async fn found(world: &World, viewer: &UserId, text: &str) -> Vec<ConversationId> {
    let query = ConversationQuery { search: Some(text.to_owned()), limit: 100, ..Default::default() };
    let mut found = ids(&page(world, viewer, &query).await);
    found.sort();
    found
}

/// Ann's conversations with so many others, oldest first.
async fn conversations(world: &World, ann: &UserId, count: usize) -> Vec<ConversationId> {
    let mut all = Vec::new();
    for n in 0..count {
        let other = world.person(&format!("Other-{n}")).await;
        all.push(world.direct(ann, &other).await);
    }
    all
}

/// The conversations that `viewer` is in, latest activity first; starting counts as activity.
pub async fn the_list_is_by_latest_activity(world: World) {
    let ann = world.person("Ann").await;
    let made = conversations(&world, &ann, 3).await;
    let (one, two, three) = (made[0], made[1], made[2]);
    assert_eq!(all(&world, &ann).await, [three, two, one], "the one that was started last comes first");
    let sent = world.send(one, &ann, "x").await;
    assert_eq!(all(&world, &ann).await, [one, three, two], "something was written in the first");
    world.send(two, &ann, "y").await;
    world.edit(sent.id, &ann, "edited").await;
    world.read_all(one, &ann).await;
    assert_eq!(all(&world, &ann).await, [two, one, three], "an edit or a mark is no activity");
    let entry = page(&world, &ann, &ConversationQuery { limit: 2, ..Default::default() }).await.items.remove(1);
    assert_eq!(entry, world.entry(one, &ann).await, "an entry is what `find_entry` says");
}

/// Those of one moment by descending id, across the edge of a page too.
pub async fn those_of_one_moment_are_by_descending_id(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let now = world.now();
    let mut made = Vec::new();
    for _ in 0..5 {
        let title = parlance_domain::model::Title::new("Same moment").expect("a valid title");
        let id = world.id();
        let new = NewConversation::Group { id, title, owner: ann.clone(), members: vec![bob.clone()] };
        world.storage().start_conversation(&new, now).await.expect("the storage answers");
        made.push(id);
    }
    made.sort();
    made.reverse();
    assert_eq!(all(&world, &ann).await, made, "by descending id");
    let first = page(&world, &ann, &ConversationQuery { limit: 2, ..Default::default() }).await;
    let rest = ConversationQuery { limit: 10, cursor: first.next, search: None };
    assert_eq!(ids(&page(&world, &ann, &rest).await), made[2..], "the cursor tells those of one moment apart");
}

/// `next` leads from page to page and is `None` at the end, also when the last page is exactly full.
pub async fn pages_cover_the_list(world: World) {
    let ann = world.person("Ann").await;
    let mut made = conversations(&world, &ann, 6).await;
    made.reverse();
    for limit in 1..=7 {
        let mut query = ConversationQuery { limit, ..Default::default() };
        let mut listed = Vec::new();
        loop {
            let page = page(&world, &ann, &query).await;
            assert!(page.items.len() <= limit, "at most `limit`");
            listed.extend(ids(&page));
            if page.next.is_none() {
                break;
            }
            assert!(!page.items.is_empty() && listed.len() < made.len(), "`next` only if there is more");
            query.cursor = page.next;
        }
        assert_eq!(listed, made, "pages of {limit} hold each conversation once");
    }
    let end = TimeCursor { at: Timestamp::from_millis(0), id: made[0] };
    let query = ConversationQuery { limit: 3, cursor: Some(end), search: None };
    assert_eq!(page(&world, &ann, &query).await, Page { items: vec![], next: None }, "nothing is that old");
}

/// Paging on while there is activity repeats nothing, and misses nothing that stays where it is.
pub async fn a_cursor_stays_good_under_activity(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let mut made = conversations(&world, &ann, 6).await;
    made.reverse();
    let first = page(&world, &ann, &ConversationQuery { limit: 2, ..Default::default() }).await;
    assert_eq!(ids(&first), made[..2], "the first page");
    world.send(made[1], &ann, "the page's last item, where the cursor stands, moves up").await;
    world.send(made[3], &ann, "one that was still to come moves up").await;
    world.group(&bob, &[&ann]).await;
    let rest = ConversationQuery { limit: 10, cursor: first.next, search: None };
    let rest = page(&world, &ann, &rest).await;
    assert_eq!(ids(&rest), [made[2], made[4], made[5]], "no repetition, and what did not move is there");
}

/// Only conversations that `viewer` is in.
pub async fn the_list_is_the_viewers_own(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let direct = world.direct(&bob, &cleo).await;
    let group = world.group(&bob, &[&ann]).await;
    assert_eq!(all(&world, &ann).await, [group], "not what is between others");
    world.leave(group, &ann).await;
    assert_eq!(all(&world, &ann).await, [], "not what was left");
    world.add(group, &bob, &ann).await;
    assert_eq!(all(&world, &ann).await, [group], "but what was come back to");
    assert_eq!(all(&world, &cleo).await, [direct], "each their own");
}

/// Search: the title, or *another* participant's name, contains the text, ignoring case.
pub async fn a_search_looks_at_titles_and_others_names(world: World) {
    let [ann, bob, cleo] = world.people(["Ann Stone", "Bob Hill", "Cleo Stone"]).await;
    let (with_bob, with_cleo) = (world.direct(&ann, &bob).await, world.direct(&ann, &cleo).await);
    let group = world.group_called("Hill walkers", &cleo, &[&ann]).await;
    let other = world.group_called("Chess", &ann, &[]).await;
    assert_eq!(found(&world, &ann, "HILL").await, [with_bob, group], "a name or a title, whatever the case");
    assert_eq!(found(&world, &ann, "stone").await, [with_cleo, group], "others' names, not the viewer's own");
    assert_eq!(found(&world, &bob, "stone").await, [with_bob], "for Bob, Ann is another");
    assert_eq!(found(&world, &ann, "ess").await, [other], "a part of the title is enough");
    assert_eq!(found(&world, &ann, "nothing").await, [], "nothing is called so");
    let change = ProfileChange { name: Some("Robert".into()), picture: None };
    world.storage().update_profile(&bob, &change).await.expect("the storage answers");
    assert_eq!(found(&world, &ann, "robert").await, [with_bob], "people are found by their present name");
    world.leave(group, &cleo).await;
    assert_eq!(found(&world, &ann, "stone").await, [with_cleo], "who has left is not in it any more");
}

/// Search: `%` and `_` mean themselves, and other odd characters do no harm.
pub async fn a_search_takes_the_text_literally(world: World) {
    let ann = world.person("Ann").await;
    let percent = world.group_called("100% us", &ann, &[]).await;
    let underscore = world.group_called("our_team", &ann, &[]).await;
    let quotes = world.group_called("it's \"ours\" \\ [a-z]* ?", &ann, &[]).await;
    let expected =
        [("%", percent), ("_", underscore), ("'s \"", quotes), ("\\", quotes), ("[a-z]*", quotes), ("?", quotes)];
    for (text, group) in expected {
        assert_eq!(found(&world, &ann, text).await, [group], "{text:?} means itself");
    }
}

/// Search and cursor together.
pub async fn a_search_is_paged_like_the_list(world: World) {
    let ann = world.person("Ann").await;
    let mut made = Vec::new();
    for n in 0..6 {
        let group = world.group_called(&format!("{} {n}", if n % 2 == 0 { "even" } else { "odd" }), &ann, &[]).await;
        made.push(group);
    }
    let search = Some("even".to_owned());
    let first = page(&world, &ann, &ConversationQuery { search: search.clone(), cursor: None, limit: 2 }).await;
    assert_eq!(ids(&first), [made[4], made[2]], "the latest two that match");
    let rest = page(&world, &ann, &ConversationQuery { search, cursor: first.next, limit: 2 }).await;
    assert_eq!((ids(&rest), rest.next), (vec![made[0]], None), "the rest that match");
}
