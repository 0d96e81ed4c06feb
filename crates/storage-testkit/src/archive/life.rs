//! A life that leaves something of every kind in a storage: what a copy must carry. The same people, ids and moments
//! each time, so that two storages can live on in the same way.

use parlance_domain::model::{
    ClaimedProfile, ConversationId, Dimensions, MediaType, Medium, Message, MessageKind, NewMessage, PreferencesChange,
    ProfileChange, Role, Thumbnail, UserId,
};
use parlance_domain::ports::{ConversationQuery, GroupChange, NewNotification, ReadTarget};
use parlance_domain::rules::amending::Amendment;
use parlance_domain::rules::membership::MembershipChange;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::World;

/// Everybody there is, by the names that make their ids.
pub(super) const NAMES: [&str; 6] = ["Ann", "Bob", "Cleo", "Dan", "Eve", "Flo"];

/// A world in which something of everything has happened.
pub(super) async fn live(world: &World) {
    let people = world.people(NAMES).await;
    let [ann, bob, cleo, dan, eve, flo] = &people;
    present_themselves(world, ann, bob, cleo).await;
    let direct = world.direct(bob, ann).await;
    world.direct(eve, dan).await;
    let group = world.group_called("Größe \u{1F600}", ann, &[bob, cleo, dan]).await;
    let odd = odd_people(world).await;
    let quiet = world.group(flo, &odd.iter().collect::<Vec<_>>()).await;
    say_everything(world, direct, ann, bob).await;
    come_and_go(world, group, &people).await;
    world.send_many(quiet, flo, 3).await;
    for (blocker, blocked) in [(bob, eve), (bob, ann), (bob, cleo), (dan, ann)] {
        world.block(blocker, blocked).await;
    }
    for blocker in &odd {
        world.block(blocker, flo).await;
        world.tell_one(blocker).await;
    }
    world.unblock(bob, ann).await;
    be_told(world, direct, &people).await;
}

/// Goes on for some random steps. With the same seed the same happens, also in another storage with the same content.
pub(super) async fn live_on(world: &World, seed: u64, steps: usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let people = NAMES.map(|name| name.to_lowercase().parse::<UserId>().expect("a valid id"));
    let mut homes: Vec<ConversationId> = Vec::new();
    for person in &people {
        homes.extend(conversations_of(world, person).await);
    }
    homes.sort();
    homes.dedup();
    for step in 0..steps {
        let user = &people[random.random_range(0..people.len())];
        let home = homes[random.random_range(0..homes.len())];
        let other = &people[random.random_range(0..people.len())];
        let history = world.history(home).await;
        if history.is_empty() {
            drop(world.try_send(world.draft(home, user, "first")).await);
            continue;
        }
        let said = &history[random.random_range(0..history.len())];
        // Refusals are as much a part of life as success: both storages must refuse the same.
        match random.random_range(0..9) {
            0 | 1 => drop(world.try_send(world.draft(home, user, &format!("word{step} again"))).await),
            2 => drop(world.try_send(world.marked(home, user, &format!("mark {}", step % 5))).await),
            3 => drop(world.try_read(home, user, &ReadTarget::Messages(vec![said.id])).await),
            4 => drop(world.try_read(home, user, &ReadTarget::UpTo(said.id)).await),
            5 => drop(world.deliver(user).await),
            6 => drop(world.try_amend(said.id, user, Amendment::Delete).await),
            7 => {
                let change = MembershipChange::Add(vec![other.clone()]);
                drop(world.try_change(home, user, change).await);
            }
            _ => drop(world.note(said, &[other, user]).await),
        }
    }
}

/// People whose ids no two orders but that of bytes sort alike.
async fn odd_people(world: &World) -> Vec<UserId> {
    let mut odd = Vec::new();
    for id in ["Zed", "a b", "ünal", "_x", "ANN", "anne", "\u{1F600}"] {
        let id: UserId = id.parse().expect("a valid id");
        let made = world.storage().record_claims(&id, &ClaimedProfile::default(), true, world.now()).await;
        odd.push(made.expect("the storage answers").expect("somebody unknown is made").id);
    }
    odd
}

/// Names, claims and pictures: what tokens say, and what people say themselves.
async fn present_themselves(world: &World, ann: &UserId, bob: &UserId, cleo: &UserId) {
    let picture = upload(world, ann).await;
    let claims = ClaimedProfile { name: Some("Bobby".into()), picture: Some(picture.url("/media/")) };
    world.storage().record_claims(bob, &claims, true, world.now()).await.expect("the storage answers");
    let own = ProfileChange { name: Some("Robert \"B\"".into()), picture: None };
    world.storage().update_profile(bob, &own).await.expect("the storage answers");
    let own = ProfileChange { name: None, picture: Some(Some(upload(world, cleo).await.url("/media/"))) };
    world.storage().update_profile(cleo, &own).await.expect("the storage answers");
    let own = ProfileChange { name: None, picture: Some(Some("https://elsewhere.example/a.png".into())) };
    world.storage().update_profile(ann, &own).await.expect("the storage answers");
    // Nothing uses this one.
    upload(world, ann).await;
}

/// Messages of all kinds, changed in all ways, read here and there.
async fn say_everything(world: &World, direct: ConversationId, ann: &UserId, bob: &UserId) {
    let first = world.send_draft(world.marked(direct, ann, "mark 1")).await.message;
    let medium = upload(world, ann).await;
    let mut shown = world.draft(direct, ann, "Le Café\nde la gare \u{1F4F7}");
    shown.media = vec![medium.link("/media/")];
    shown.kind = MessageKind::Media(MediaType::Image);
    let shown = world.send_draft(shown).await.message;
    let bare = NewMessage { text: None, media: shown.media.clone(), kind: shown.kind, ..world.draft(direct, bob, "") };
    world.send_draft(bare).await;
    let answer = NewMessage { reply_to: Some(first.id), ..world.draft(direct, bob, "an answer") };
    let answer = world.send_draft(answer).await.message;
    let many = world.send_many(direct, ann, 12).await;
    world.edit(answer.id, bob, "another answer").await;
    for (user, emoji) in [(ann, "👍"), (bob, "👍"), (bob, "👨‍👩‍👧‍👦"), (ann, "x")] {
        world.react(many[2].id, user, emoji).await;
    }
    world.unreact(many[2].id, ann, "x").await;
    for gone in [3, 7, 8] {
        world.delete(many[gone].id, ann).await;
    }
    world.read_up_to(&many[1], bob).await;
    world.read_each(direct, bob, &[&many[4], &many[5], &many[8], &many[10]]).await;
    world.deliver(bob).await;
    world.send_many(direct, ann, 2).await;
}

/// A group whose people come, go, come again and change roles.
async fn come_and_go(world: &World, group: ConversationId, people: &[UserId; 6]) {
    let [ann, bob, cleo, dan, eve, flo] = people;
    let photo = GroupChange::Image(Some(upload(world, ann).await.url("/media/")));
    let changed = world.storage().update_group(group, ann, &photo, world.now()).await.expect("the storage answers");
    changed.expect("an owner may change the photo");
    world.send_many(group, ann, 4).await;
    world.promote(group, ann, bob, Role::Admin).await;
    world.add(group, bob, eve).await;
    let said = world.send_many(group, cleo, 5).await;
    world.read_each(group, dan, &[&said[1], &said[3]]).await;
    world.deliver(dan).await;
    world.leave(group, dan).await;
    world.send_many(group, cleo, 3).await;
    world.delete(said[4].id, bob).await;
    world.remove(group, ann, eve).await;
    world.add(group, ann, flo).await;
    world.add(group, ann, dan).await;
    world.read_up_to(&said[2], bob).await;
    world.send_many(group, bob, 2).await;
}

/// Notifications of all kinds, read and unread, and what people want to be told.
async fn be_told(world: &World, direct: ConversationId, people: &[UserId; 6]) {
    let [ann, bob, cleo, dan, eve, _] = people;
    let newest = world.history(direct).await.pop().expect("something was said");
    world.note(&newest, &[bob, cleo]).await;
    for user in [ann, bob, dan] {
        world.tell_one(user).await;
    }
    let read = world.tell_one(ann).await;
    world.mark_told(ann, read.id).await;
    let gone = world.tell_one(dan).await;
    world.forget_told(dan, gone.id).await;
    let full = NewNotification {
        link: Some("/jobs/1?a=%20b".into()),
        data: Some(r#"{"n":[1,null,"ß"]}"#.into()),
        ..world.notice_of("acme:offer.new", bob)
    };
    world.tell(vec![full]).await;
    for (user, change) in [
        (bob, PreferencesChange { email: Some(false), ..PreferencesChange::default() }),
        (eve, PreferencesChange { chat: Some(false), job_match: Some(false), ..PreferencesChange::default() }),
    ] {
        world.storage().update_preferences(user, change).await.expect("the storage answers");
    }
}

async fn upload(world: &World, user: &UserId) -> Medium {
    let size = Dimensions { width: 640, height: 480 };
    let thumbnail = Thumbnail { content_type: "image/webp".into(), bytes: 12, dimensions: size };
    let medium = Medium { dimensions: Some(size), thumbnail: Some(thumbnail), ..world.medium(user) };
    world.storage().insert_medium(&medium).await.expect("the storage answers");
    medium
}

/// The conversations that somebody is in.
pub(super) async fn conversations_of(world: &World, user: &UserId) -> Vec<ConversationId> {
    let query = ConversationQuery { limit: 1_000, ..ConversationQuery::default() };
    let page = world.storage().list_entries(user, &query).await.expect("the storage answers");
    page.items.into_iter().map(|entry| entry.conversation.id).collect()
}

/// The newest message of a conversation.
pub(super) async fn newest(world: &World, home: ConversationId) -> Message {
    world.history(home).await.pop().expect("something was said")
}
