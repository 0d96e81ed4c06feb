//! The promises of the `Conversations` port but for `list_entries`, which is in `listing`.

use parlance_domain::error::{Attempt, Error};
use parlance_domain::model::{Conversation, ConversationId, ConversationKind, Participant, Role, Title, UserId};
use parlance_domain::ports::{GroupChange, Head, NewConversation, Started};

use crate::{World, race};

fn direct(id: ConversationId, starter: &UserId, other: &UserId) -> NewConversation {
    NewConversation::Direct { id, starter: starter.clone(), other: other.clone() }
}

fn title(text: &str) -> Title {
    Title::new(text).expect("a valid title")
}

async fn update(
    world: &World,
    id: ConversationId,
    actor: &UserId,
    change: &GroupChange,
) -> parlance_domain::Result<Conversation> {
    world.storage().update_group(id, actor, change, world.now()).await.expect("the storage answers")
}

async fn contacts(world: &World, user: &UserId) -> Vec<UserId> {
    let mut contacts = world.storage().list_contacts(user).await.expect("the storage answers");
    contacts.sort();
    contacts
}

/// `start_conversation`: a direct conversation starts empty, with its id, between the two.
pub async fn a_direct_conversation_starts_empty(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let (id, now) = (world.id(), world.now());
    let started = world.storage().start_conversation(&direct(id, &bob, &ann), now).await.expect("the storage answers");
    let conversation = Conversation {
        id,
        kind: ConversationKind::Direct,
        title: None,
        image: None,
        last_seq: 0,
        rev: 0,
        created_at: now,
        updated_at: now,
        active_at: now,
    };
    assert_eq!(started, Started { conversation: conversation.clone(), created: true }, "it is new and empty");
    assert_eq!(world.conversation(id).await, conversation, "what is answered is what is stored");
    let member = |user: &UserId| Participant { user_id: user.clone(), role: Role::Member, joined_at: now };
    let entry = world.entry(id, &ann).await;
    assert_eq!(entry.participants, [member(&ann), member(&bob)], "two members, those of one moment in id order");
    assert_eq!((entry.last_message, entry.unread), (None, 0), "nothing has been said");
}

/// `start_conversation`: two people have one conversation, whoever starts it.
pub async fn two_people_have_one_conversation(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let first = world.start(&direct(world.id(), &ann, &bob)).await;
    world.send(first.conversation.id, &ann, "x").await;
    let known = world.conversation(first.conversation.id).await;
    for (starter, other) in [(&ann, &bob), (&bob, &ann)] {
        let id = world.id();
        let again = world.start(&direct(id, starter, other)).await;
        let expected = Started { conversation: known.clone(), created: false };
        assert_eq!(again, expected, "the one that they have is found, as it is now");
        let none = world.storage().find_conversation(id).await.expect("the storage answers");
        assert_eq!(none, None, "the new id is not used");
    }
    assert!(world.start(&direct(world.id(), &ann, &cleo)).await.created, "another pair has another conversation");
}

/// `start_conversation`: however many start at once, in either direction, one is made and one is told `created`.
pub async fn starts_from_both_sides_at_once_make_one_conversation(world: World) {
    let ann = world.person("Ann").await;
    for round in 0..6 {
        let other = world.person(&format!("Other-{round}")).await;
        let starts = (0..6).map(|n| {
            let (world, ann, other) = (world.clone(), ann.clone(), other.clone());
            let new = if n % 2 == 0 { direct(world.id(), &ann, &other) } else { direct(world.id(), &other, &ann) };
            async move { world.start(&new).await }
        });
        let started = race(starts).await;
        let first = started[0].conversation.id;
        assert!(started.iter().all(|one| one.conversation.id == first), "all get the one conversation");
        assert_eq!(started.iter().filter(|one| one.created).count(), 1, "exactly one is told `created`");
        let mut expected = vec![ann.clone(), other];
        expected.sort();
        assert_eq!(world.roster(first).await, expected, "the two are in it, once");
    }
}

/// `start_conversation`: a group starts with its owner and members.
pub async fn a_group_starts_with_its_people(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let (id, now) = (world.id(), world.now());
    let name = "L'équipe \"A\" 🚀 100%";
    let new =
        NewConversation::Group { id, title: title(name), owner: bob.clone(), members: vec![cleo.clone(), ann.clone()] };
    let started = world.storage().start_conversation(&new, now).await.expect("the storage answers");
    assert!(started.created, "a group is always new");
    let found = world.conversation(id).await;
    assert_eq!(found, started.conversation, "what is answered is what is stored");
    assert_eq!((found.kind, found.title, found.image), (ConversationKind::Group, Some(title(name)), None), "its looks");
    assert_eq!((found.last_seq, found.rev), (0, 0), "nothing has happened");
    let participant = |user: &UserId, role| Participant { user_id: user.clone(), role, joined_at: now };
    let everybody = [participant(&ann, Role::Member), participant(&bob, Role::Owner), participant(&cleo, Role::Member)];
    assert_eq!(world.participants(id, &cleo).await, everybody, "one owner; those of one moment in id order");
    let again = NewConversation::Group { id: world.id(), title: title(name), owner: bob, members: vec![] };
    assert!(world.start(&again).await.created, "groups of the same name are different groups");
}

/// `find_*`: `None` where there is nothing, or it is not theirs.
pub async fn what_is_not_there_is_none(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let eve = world.person("Eve").await;
    let storage = world.storage();
    let nowhere = world.id();
    assert_eq!(storage.find_conversation(nowhere).await.expect("the storage answers"), None, "there is none");
    assert_eq!(storage.find_roster(nowhere).await.expect("the storage answers"), None, "there is none");
    assert_eq!(storage.find_entry(nowhere, &ann).await.expect("the storage answers"), None, "there is none");
    assert_eq!(storage.find_entry(direct, &eve).await.expect("the storage answers"), None, "Eve is not in it");
    let roster = storage.find_roster(direct).await.expect("the storage answers").expect("it is there");
    assert_eq!((roster.kind, roster.users().to_vec()), (ConversationKind::Direct, vec![ann, bob]), "who is in it");
}

/// `find_entry`: participants longest-serving first, and the newest message.
pub async fn an_entry_shows_the_people_and_the_newest_message(world: World) {
    let [ann, bob, cleo, dan] = world.people(["Ann", "Bob", "Cleo", "Dan"]).await;
    let group = world.group(&dan, &[&cleo]).await;
    world.add(group, &dan, &bob).await;
    world.add(group, &dan, &ann).await;
    let last = world.send(group, &cleo, "newest").await;
    let entry = world.entry(group, &bob).await;
    assert_eq!(entry.conversation, world.conversation(group).await, "the conversation is as it is");
    let order: Vec<UserId> = entry.participants.into_iter().map(|participant| participant.user_id).collect();
    assert_eq!(order, [cleo, dan.clone(), bob.clone(), ann], "longest-serving first, not in id order");
    assert_eq!(entry.last_message, Some(last), "the newest message");
    assert_eq!(entry.unread, 3, "two system messages and one more");
}

/// `update_group`: changes title or photo and sets `updated_at`; `rev` and activity do not move.
pub async fn a_group_changes_its_looks(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let group = world.group(&ann, &[&bob]).await;
    world.promote(group, &ann, &bob, Role::Admin).await;
    let mut expected = world.conversation(group).await;
    let image = Some("https://x/y.png?a='b'".to_owned());
    let steps = [
        (&ann, GroupChange::Title(title("Größe"))),
        (&bob, GroupChange::Image(image)),
        (&ann, GroupChange::Title(title("Other"))),
        (&bob, GroupChange::Image(None)),
    ];
    for (actor, change) in steps {
        let before = expected.updated_at;
        let now = update(&world, group, actor, &change).await.expect("the owner and admins may");
        match change {
            GroupChange::Title(title) => expected.title = Some(title),
            GroupChange::Image(image) => expected.image = image,
        }
        expected.updated_at = now.updated_at;
        assert!(now.updated_at > before, "`updated_at` is set");
        assert_eq!(now, expected, "nothing else changes");
        assert_eq!(world.conversation(group).await, expected, "what is answered is what is stored");
    }
}

/// `update_group`: refusals change nothing.
pub async fn refused_changes_of_looks_change_nothing(world: World) {
    let [ann, bob, eve] = world.people(["Ann", "Bob", "Eve"]).await;
    let group = world.group(&ann, &[&bob]).await;
    let direct = world.direct(&ann, &bob).await;
    let before = (world.conversation(group).await, world.conversation(direct).await);
    for change in [GroupChange::Title(title("X")), GroupChange::Image(Some("https://x/y".into()))] {
        let verdict = update(&world, group, &bob, &change).await;
        assert!(matches!(verdict, Err(Error::Forbidden(_))), "members may not, got {verdict:?}");
        let outsider = Err(Error::NotParticipant(Attempt::Access));
        assert_eq!(update(&world, group, &eve, &change).await, outsider, "outsiders may not");
        let verdict = update(&world, direct, &ann, &change).await;
        assert!(matches!(verdict, Err(Error::Conflict(_))), "direct conversations have no looks, got {verdict:?}");
        assert_eq!(update(&world, world.id(), &ann, &change).await, Err(Error::ConversationNotFound), "there is none");
    }
    let after = (world.conversation(group).await, world.conversation(direct).await);
    assert_eq!(after, before, "a refusal changes nothing");
}

/// `list_conversations`: those that exist, each once, as they are.
pub async fn listing_gives_each_existing_conversation_once(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let group = world.group(&ann, &[&bob]).await;
    world.group_called("Not asked for", &ann, &[]).await;
    world.send(direct, &ann, "x").await;
    let mut ids = vec![direct, world.id(), group, direct];
    let mut listed = world.storage().list_conversations(&ids).await.expect("the storage answers");
    listed.sort_by_key(|conversation| conversation.id);
    ids = vec![direct, group];
    ids.sort();
    let mut expected = Vec::new();
    for id in ids {
        expected.push(world.conversation(id).await);
    }
    assert_eq!(listed, expected, "each once, as it is found alone");
    assert_eq!(world.storage().list_conversations(&[]).await.expect("the storage answers"), [], "none of none");
}

/// `list_contacts`: everybody who shares a conversation, each once, without oneself.
pub async fn contacts_are_those_who_share_a_conversation(world: World) {
    let [ann, bob, cleo, dan, eve] = world.people(["Ann", "Bob", "Cleo", "Dan", "Eve"]).await;
    world.direct(&ann, &bob).await;
    let group = world.group(&cleo, &[&ann, &bob]).await;
    world.direct(&dan, &eve).await;
    assert_eq!(contacts(&world, &ann).await, [bob.clone(), cleo.clone()], "each once, without oneself and strangers");
    world.remove(group, &cleo, &ann).await;
    assert_eq!(contacts(&world, &ann).await, [bob], "who shares nothing any more is no contact");
    assert_eq!(contacts(&world, &cleo).await.len(), 1, "in both directions");
    assert_eq!(contacts(&world, &world.id_of_nobody()).await, [], "nobody has no contacts");
}

/// `list_contacts`: save those who block the user or whom the user blocks.
pub async fn contacts_exclude_blocks_of_either_direction(world: World) {
    let [ann, bob, cleo, dan] = world.people(["Ann", "Bob", "Cleo", "Dan"]).await;
    world.group(&ann, &[&bob, &cleo, &dan]).await;
    world.block(&ann, &bob).await;
    world.block(&cleo, &ann).await;
    assert_eq!(contacts(&world, &ann).await, vec![dan.clone()], "blocks of either direction exclude");
    assert_eq!(contacts(&world, &bob).await, [cleo.clone(), dan.clone()], "also for the one who is blocked");
    assert_eq!(contacts(&world, &dan).await, [ann.clone(), bob.clone(), cleo], "others' blocks do not concern Dan");
    world.unblock(&ann, &bob).await;
    assert_eq!(contacts(&world, &ann).await, [bob, dan], "without the block they are contacts again");
}

/// `list_heads`: one for each of the users and each conversation that they are in.
pub async fn heads_say_how_far_each_ones_conversations_have_come(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let direct = world.direct(&ann, &bob).await;
    let group = world.group(&cleo, &[&ann, &bob]).await;
    world.direct(&bob, &cleo).await;
    let first = world.send(direct, &ann, "one").await;
    world.send(direct, &bob, "two").await;
    world.edit(first.id, &ann, "One").await;
    let heads = async |users: &[UserId]| {
        let mut heads = world.storage().list_heads(users).await.expect("the storage answers");
        heads.sort();
        heads
    };
    let head =
        |user: &UserId, conversation_id, last_seq, rev| Head { user_id: user.clone(), conversation_id, last_seq, rev };
    let mut expected = vec![head(&ann, direct, 2, 3), head(&ann, group, 0, 0)];
    expected.sort();
    assert_eq!(heads(std::slice::from_ref(&ann)).await, expected);
    assert_eq!(heads(&[ann.clone(), cleo.clone(), world.id_of_nobody()]).await.len(), 4, "of all of them");
    world.remove(group, &cleo, &ann).await;
    assert_eq!(heads(std::slice::from_ref(&ann)).await, [head(&ann, direct, 2, 3)], "she is no longer in it");
    assert_eq!(heads(&[]).await, [], "nobody has none");
}
