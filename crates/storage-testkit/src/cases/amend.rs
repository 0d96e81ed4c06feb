//! The promises of `Messages::amend`. Its races are in `races`.

use parlance_domain::error::Error;
use parlance_domain::model::{MediaLink, MediaType, Message, MessageKind, NewMessage, Reaction, Role};
use parlance_domain::rules::Limits;
use parlance_domain::rules::amending::Amendment;

use crate::World;
use crate::doing::emoji_of;

async fn find(world: &World, message: &Message) -> Message {
    let found = world.storage().find_message(message.id).await.expect("the storage answers");
    found.expect("a message that was sent is found")
}

/// An edit changes the text and what goes with it, and nothing else.
pub async fn an_edit_changes_the_text_alone(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let original = world.send(direct, &bob, "question").await;
    let new = NewMessage { reply_to: Some(original.id), ..world.marked(direct, &ann, "m1") };
    let sent = world.send_draft(new).await.message;
    world.send(direct, &bob, "later").await;
    let before = world.conversation(direct).await;

    let amended = world.edit(sent.id, &ann, "answer, better").await;
    let now = amended.message.updated_at;
    let expected =
        Message { text: Some("answer, better".into()), rev: 4, edited_at: Some(now), updated_at: now, ..sent.clone() };
    assert!(amended.changed && now > sent.created_at, "the edit changed something, at its moment");
    assert_eq!(amended.message, expected, "only the text, `rev` and the moments change");
    assert_eq!(amended.reply_to, Some(original), "`amend` answers with the message that is answered");
    assert_eq!(find(&world, &sent).await, expected, "what is answered is what is stored");
    let mut expected = before;
    expected.rev = 4;
    assert_eq!(world.conversation(direct).await, expected, "`rev` counts the change, nothing else moves");
}

/// A deletion leaves a tombstone in its place.
pub async fn a_deletion_leaves_a_tombstone(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let media = MediaLink {
        url: "https://x/y".into(),
        media_type: MediaType::Image,
        filename: None,
        size: Some(1),
        thumbnail_url: None,
    };
    let kind = MessageKind::Media(MediaType::Image);
    let sent =
        world.send_draft(NewMessage { kind, media: vec![media], ..world.marked(direct, &ann, "m") }).await.message;
    world.react(sent.id, &bob, "👍").await;
    let deleted = world.delete(sent.id, &ann).await;
    let now = deleted.message.updated_at;
    let expected =
        Message { text: None, media: vec![], rev: 3, deleted_at: Some(now), updated_at: now, ..sent.clone() };
    assert!(deleted.changed, "the deletion changed something");
    assert_eq!(deleted.message, expected, "a tombstone keeps its place and loses what it said");
    assert_eq!(find(&world, &sent).await, expected, "what is answered is what is stored");
    assert_eq!(world.entry(direct, &bob).await.last_message, Some(expected), "it stays the newest message");
    assert_eq!(world.conversation(direct).await.last_seq, 1, "its `seq` is not reused");
}

/// `changed` is false if there was nothing to change, and `rev` has not moved then.
pub async fn nothing_to_change_moves_nothing(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send(direct, &ann, "same").await;
    let stays = async |actor, amendment: Amendment| {
        let (before, rev) = (find(&world, &sent).await, world.conversation(direct).await.rev);
        let amended = world.try_amend(sent.id, actor, amendment.clone()).await.expect("no refusal");
        assert!(!amended.changed, "there is nothing to change: {amendment:?}");
        assert_eq!(amended.message, before, "the answer is the message as it is");
        assert_eq!(find(&world, &sent).await, before, "the message stays as it is: {amendment:?}");
        assert_eq!(world.conversation(direct).await.rev, rev, "`rev` does not move: {amendment:?}");
    };
    stays(&ann, Amendment::Edit("same".into())).await;
    stays(&bob, Amendment::Unreact(emoji_of("👍"))).await;
    assert!(world.react(sent.id, &bob, "👍").await.changed, "the first reaction is new");
    stays(&bob, Amendment::React(emoji_of("👍"))).await;
    assert!(world.delete(sent.id, &ann).await.changed, "the first deletion is new");
    stays(&ann, Amendment::Delete).await;
}

/// What the rule refuses changes nothing.
pub async fn refused_amendments_change_nothing(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send(direct, &ann, "mine").await;
    let gone = world.send(direct, &ann, "gone").await;
    world.delete(gone.id, &ann).await;
    let (before, rev) = (world.history(direct).await, world.conversation(direct).await.rev);
    let refused = [
        (&sent, &bob, Amendment::Edit("x".into())),
        (&sent, &bob, Amendment::Delete),
        (&gone, &ann, Amendment::Edit("x".into())),
        (&gone, &bob, Amendment::React(emoji_of("👍"))),
        (&gone, &bob, Amendment::Unreact(emoji_of("👍"))),
    ];
    for (message, actor, amendment) in refused {
        let verdict = world.try_amend(message.id, actor, amendment.clone()).await;
        let as_promised = if message.id == gone.id {
            matches!(verdict, Err(Error::Conflict(_)))
        } else {
            matches!(verdict, Err(Error::Forbidden(_)))
        };
        assert!(as_promised, "the rule refuses {amendment:?}, got {verdict:?}");
        assert_eq!(world.history(direct).await, before, "a refusal changes no message");
        assert_eq!(world.conversation(direct).await.rev, rev, "a refusal does not move `rev`");
    }
}

/// `MessageNotFound` where there is no such message or the actor is not in its conversation.
pub async fn outsiders_find_no_message(world: World) {
    let [ann, bob, cleo, eve] = world.people(["Ann", "Bob", "Cleo", "Eve"]).await;
    let group = world.group(&ann, &[&bob, &cleo]).await;
    let own = world.send(group, &cleo, "Cleo's").await;
    world.leave(group, &cleo).await;
    let before = world.history(group).await;
    for actor in [&eve, &cleo] {
        for amendment in [Amendment::Delete, Amendment::Edit("x".into()), Amendment::React(emoji_of("👍"))] {
            let verdict = world.try_amend(own.id, actor, amendment).await;
            assert_eq!(verdict, Err(Error::MessageNotFound), "only those in the conversation see its messages");
        }
    }
    assert_eq!(world.history(group).await, before, "nothing has changed");
    let verdict = world.try_amend(world.id(), &ann, Amendment::Delete).await;
    assert_eq!(verdict, Err(Error::MessageNotFound), "there is no such message");
}

/// The rule hears the actor's role and the conversation's kind.
pub async fn admins_of_groups_delete_any_message(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let group = world.group(&ann, &[&bob, &cleo]).await;
    let sent = world.send_many(group, &cleo, 2).await;
    let verdict = world.try_amend(sent[0].id, &bob, Amendment::Delete).await;
    assert!(matches!(verdict, Err(Error::Forbidden(_))), "a member does not moderate, got {verdict:?}");
    world.promote(group, &ann, &bob, Role::Admin).await;
    assert!(world.delete(sent[0].id, &bob).await.changed, "an admin does");
    assert!(world.delete(sent[1].id, &ann).await.changed, "the owner does");
    assert_eq!(find(&world, &sent[0]).await.sender_id, cleo, "a tombstone keeps its sender");
}

/// A deleted message stops counting as unread for those who had not read it.
pub async fn a_deletion_takes_the_message_off_the_unread_counts(world: World) {
    let [ann, bob, cleo, dan] = world.people(["Ann", "Bob", "Cleo", "Dan"]).await;
    let group = world.group(&ann, &[&bob, &cleo, &dan]).await;
    let sent = world.send_many(group, &ann, 4).await;
    world.read_up_to(&sent[1], &bob).await;
    world.read_each(group, &cleo, &[&sent[1], &sent[3]]).await;
    world.delete(sent[1].id, &ann).await;
    let unread =
        async || [world.unread(group, &bob).await, world.unread(group, &cleo).await, world.unread(group, &dan).await];
    assert_eq!(unread().await, [2, 2, 3], "it counted for Dan alone; Bob and Cleo had read it");
    world.delete(sent[3].id, &ann).await;
    assert_eq!(unread().await, [1, 2, 2], "it counted for Bob and Dan; Cleo had read it singly");
    world.delete(sent[3].id, &ann).await;
    assert_eq!(unread().await, [1, 2, 2], "a second deletion takes nothing off");
    assert_eq!(world.unread(group, &ann).await, 0, "the sender's own count is not concerned");
}

/// Edits and reactions leave unread counts as they are.
pub async fn edits_and_reactions_do_not_touch_the_unread_counts(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send_many(direct, &ann, 2).await;
    world.read_up_to(&sent[0], &bob).await;
    world.edit(sent[0].id, &ann, "edited").await;
    world.edit(sent[1].id, &ann, "edited").await;
    world.react(sent[1].id, &bob, "👍").await;
    assert_eq!(world.unread(direct, &bob).await, 1, "only the second is unread");
    assert_eq!(world.read_all(direct, &bob).await.newly_read.len(), 1, "an edited message is not read again");
}

/// Reactions: in order of first appearance, each user once, and gone when the last one takes theirs back.
pub async fn reactions_come_in_order_and_go(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let group = world.group(&ann, &[&bob, &cleo]).await;
    let sent = world.send(group, &ann, "x").await;
    let family = "👩🏽‍👩🏽‍👧🏽‍👦🏽";
    for (who, emoji) in [(&bob, "👍"), (&cleo, family), (&ann, "👍"), (&cleo, "'ok'"), (&bob, "👍🏽")] {
        world.react(sent.id, who, emoji).await;
    }
    let expected = |all: &[(&str, &[&_])]| -> Vec<Reaction> {
        let one = |(emoji, users): &(&str, &[&_])| Reaction {
            emoji: emoji_of(emoji),
            users: users.iter().map(|user| Clone::clone(*user)).collect(),
        };
        all.iter().map(one).collect()
    };
    let all = expected(&[("👍", &[&bob, &ann]), (family, &[&cleo]), ("'ok'", &[&cleo]), ("👍🏽", &[&bob])]);
    assert_eq!(find(&world, &sent).await.reactions, all, "in order of first appearance, users in the order they did");
    world.unreact(sent.id, &cleo, family).await;
    world.unreact(sent.id, &bob, "👍").await;
    let rest = expected(&[("👍", &[&ann]), ("'ok'", &[&cleo]), ("👍🏽", &[&bob])]);
    let found = find(&world, &sent).await;
    assert_eq!(found.reactions, rest, "an emoji without users is gone");
    assert_eq!((found.rev, found.edited_at), (8, None), "each reaction is a change, and no edit");
}

/// The limits that are handed in hold.
pub async fn the_limit_of_reactions_holds(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send(direct, &ann, "x").await;
    let limits = Limits { max_reactions: 2, ..Limits::default() };
    let react = async |who, emoji| {
        let amendment = Amendment::React(emoji_of(emoji));
        world.try_amend_within(&limits, sent.id, who, amendment).await.map(|amended| amended.message.reactions.len())
    };
    assert_eq!((react(&ann, "1").await, react(&ann, "2").await), (Ok(1), Ok(2)), "two different reactions fit");
    assert!(matches!(react(&bob, "3").await, Err(Error::Conflict(_))), "a third does not");
    assert_eq!(react(&bob, "2").await, Ok(2), "but one that is there already grows");
}
