//! The promises of the `Notifications` port. What happens when two write at once is in `notification_races`.

use parlance_domain::model::{
    ConversationId, NotificationBody, NotificationId, NotificationKind, Preferences, PreferencesChange, UserId,
};
use parlance_domain::ports::NewNotification;

use crate::World;
use crate::telling::stands_for;

/// `insert_notifications` answers with what was stored, and it is listed as it was sent.
pub async fn a_notice_comes_back_as_it_was_sent(world: World) {
    let ann = world.person("Ann").await;
    let plain = world.notice_of("system", &ann);
    let full = NewNotification {
        title: "Größe \"x\" \u{1F600}".to_owned(),
        message: String::new(),
        link: Some("/jobs/1?a=%20b".to_owned()),
        data: Some(r#"{"n":[1,null,"ß"]}"#.to_owned()),
        ..world.notice_of("acme:offer.new", &ann)
    };
    let stored = world.tell(vec![plain.clone(), full.clone()]).await;
    assert_eq!(stored.len(), 2, "both are stored");
    for (counted, new) in stored.iter().zip([plain, full]) {
        let NewNotification { id, user_id, kind, title, message, link, data, created_at } = new;
        let told = &counted.value;
        assert_eq!((told.id, &told.user_id, &told.kind), (id, &user_id, &kind), "in the order that they were sent");
        assert_eq!(told.body, NotificationBody::Text { title, message, link, data }, "with what they say");
        assert_eq!((told.read, told.created_at), (false, created_at), "unread, at their moment");
        assert_eq!(counted.unread, 2, "the count is that after all of them");
    }
    let expected: Vec<_> = stored.into_iter().rev().map(|counted| counted.value).collect();
    assert_eq!(world.told(&ann).await, expected, "newest first");
}

/// Notices whose user does not exist or does not want their type are left out, the others stored.
pub async fn notices_that_nobody_wants_are_left_out(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let change = PreferencesChange { job_match: Some(false), ..PreferencesChange::default() };
    world.storage().update_preferences(&bob, change).await.expect("the storage answers");
    let notices = vec![
        world.notice_of("job_match", &ann),
        world.notice_of("job_match", &bob),
        world.notice_of("system", &world.id_of_nobody()),
        world.notice_of("system", &bob),
    ];
    let expected = vec![(notices[0].id, 1), (notices[3].id, 1)];
    let stored = world.tell(notices).await;
    let stored: Vec<(NotificationId, u64)> = stored.iter().map(|told| (told.value.id, told.unread)).collect();
    assert_eq!(stored, expected, "those that are wanted, in order");
    assert_eq!(world.told(&bob).await.len(), 1, "Bob was told what he wants");
    let nobody = vec![world.notice_of("job_match", &bob), world.notice_of("system", &world.id_of_nobody())];
    assert_eq!(world.tell(nobody).await, [], "nothing is stored of nothing wanted");
    assert_eq!(world.tell(Vec::new()).await, [], "nor of nothing");
}

/// A thousand notices at once are all stored, each counted.
pub async fn many_notices_at_once_are_all_stored(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let notices = (0..1_000).map(|n| world.notice_of("system", if n % 4 == 0 { &ann } else { &bob })).collect();
    let told = world.tell(notices).await;
    assert_eq!(told.len(), 1_000, "all are stored");
    assert!(told.iter().all(|one| one.unread == if one.value.user_id == ann { 250 } else { 750 }), "and counted");
    assert_eq!((world.told(&ann).await.len(), world.told(&bob).await.len()), (250, 750), "each by its user");
}

/// `note_message` makes one unread notification per conversation and user; further messages find it standing.
pub async fn a_conversation_has_one_unread_notification(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let group = world.group(&ann, &[&bob, &cleo]).await;
    let other = world.direct(&ann, &bob).await;
    let first = world.send(group, &ann, "one").await;
    let noted = world.note(&first, &[&bob]).await;
    assert_eq!((noted.made.len(), noted.standing.len()), (1, 0), "Bob is told");
    let made = &noted.made[0];
    let chat = NotificationBody::Chat { conversation_id: group, message_id: first.id };
    assert_eq!((&made.value.user_id, &made.value.body, made.value.read), (&bob, &chat, false), "of the message");
    assert_eq!((&made.value.kind, made.unread), (&NotificationKind::chat_message(), 1), "and counts it");

    let second = world.send(group, &ann, "two").await;
    let noted = world.note(&second, &[&bob, &cleo]).await;
    let made: Vec<&UserId> = noted.made.iter().map(|made| &made.value.user_id).collect();
    assert_eq!((made, noted.standing), (vec![&cleo], vec![bob.clone()]), "Bob's stands, Cleo's is made");
    assert_eq!(world.told(&bob).await.len(), 1, "there is one");

    let elsewhere = world.send(other, &ann, "three").await;
    world.note_one(&elsewhere, &bob).await;
    assert_eq!(world.untold(&bob).await, 2, "another conversation has its own");
    assert_eq!(world.told(&ann).await, [], "and the sender none");
}

/// `list_standing_notifications` names every place where one stands, and no place that it was not asked for.
pub async fn what_stands_is_named(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let group = world.group(&ann, &[&bob]).await;
    let asked = [(ann.clone(), direct), (bob.clone(), group), (bob.clone(), direct)];
    let standing = || async { world.storage().list_standing_notifications(&asked).await.expect("the storage answers") };
    let message = world.send(direct, &ann, "x").await;
    world.note_one(&message, &bob).await;
    let named = standing().await;
    assert!(named.contains(&asked[2]), "Bob's of the direct conversation stands");
    assert!(named.iter().all(|place| asked.contains(place)), "nothing else is named");
    world.mark_noted(&bob, direct).await.expect("there is one");
    let later = world.send(group, &ann, "y").await;
    world.note_one(&later, &bob).await;
    assert!(standing().await.contains(&asked[1]), "now that of the group does");
    let nothing = world.storage().list_standing_notifications(&[]).await.expect("the storage answers");
    assert_eq!(nothing, [], "nothing is asked");
}

/// Somebody who is named twice is told once.
pub async fn somebody_named_twice_is_told_once(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let message = world.send(direct, &ann, "x").await;
    let noted = world.note(&message, &[&bob, &bob]).await;
    assert_eq!((noted.made.len(), noted.standing.len()), (1, 0), "one is made");
    assert_eq!(world.told(&bob).await.len(), 1, "and there is one");
    assert_eq!(world.note(&message, &[]).await.made, [], "nobody is told of nothing");
}

/// Nobody is told who has read the message, sent it, does not want to be told or is not in the conversation.
pub async fn those_who_need_not_be_told_are_not(world: World) {
    let [ann, bob, cleo, dan, eve, fay] = world.people(["Ann", "Bob", "Cleo", "Dan", "Eve", "Fay"]).await;
    let group = world.group(&ann, &[&bob, &cleo, &dan]).await;
    let message = world.send(group, &ann, "x").await;
    world.read_all(group, &bob).await;
    world.want_chat(&cleo, false).await;
    world.remove(group, &ann, &dan).await;
    world.add(group, &ann, &eve).await;
    let everybody = [&ann, &bob, &cleo, &dan, &eve, &fay, &world.id_of_nobody()];
    let noted = world.note(&message, &everybody).await;
    assert_eq!((noted.made, noted.standing), (vec![], vec![]), "for each there is a reason");
    for user in everybody {
        assert_eq!(world.told(user).await, [], "{user} was told nothing");
    }
    world.want_chat(&cleo, true).await;
    world.note_one(&message, &cleo).await;
    let later = world.send(group, &ann, "y").await;
    world.note_one(&later, &eve).await;
}

/// A single read of the message counts, single reads of others do not.
pub async fn a_single_read_of_the_message_counts(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let group = world.group(&ann, &[&bob, &cleo]).await;
    let sent = world.send_many(group, &ann, 5).await;
    world.read_each(group, &bob, &[&sent[2], &sent[4]]).await;
    world.read_each(group, &cleo, &[&sent[1], &sent[3]]).await;
    let noted = world.note(&sent[4], &[&bob, &cleo]).await;
    let made: Vec<UserId> = noted.made.into_iter().map(|made| made.value.user_id).collect();
    assert_eq!(made, [cleo], "Bob has read it, Cleo has not");
}

/// A message that is not in the conversation tells nobody.
pub async fn a_strange_message_tells_nobody(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let group = world.group(&ann, &[&bob]).await;
    let elsewhere = world.send(group, &ann, "x").await;
    for (conversation, message) in [(direct, elsewhere.id), (direct, world.id()), (world.id(), elsewhere.id)] {
        assert_eq!(world.note_as(conversation, message, &[&bob]).await.made, [], "there is nothing to tell");
    }
    assert_eq!(world.told(&bob).await, [], "and nothing was told");
}

/// An unread chat notification stands for the newest message, and for that one from when it is read.
pub async fn reading_freezes_what_a_notification_stands_for(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let ways: [&str; 3] = ["one", "all", "conversation"];
    for way in ways {
        let group = world.group_called(way, &ann, &[&bob]).await;
        let first = world.send(group, &ann, "one").await;
        let made = world.note_one(&first, &bob).await;
        assert_eq!(stands_for(&made), first.id, "it stands for the newest message");
        let second = world.send(group, &ann, "two").await;
        assert_eq!(stands_for(&world.told(&bob).await[0]), second.id, "also when another one comes, by {way}");
        match way {
            "one" => {
                let marked = world.mark_told(&bob, made.id).await.expect("it is Bob's");
                assert!(marked.value.1 && marked.value.0.read, "it was unread and is read");
                assert_eq!((stands_for(&marked.value.0), marked.unread), (second.id, 0), "and answered as it is");
            }
            "all" => {
                assert_eq!(world.mark_all_told(&bob).await.value, 1, "one was unread");
            }
            _ => {
                let marked = world.mark_noted(&bob, group).await.expect("there is one");
                assert_eq!((marked.value, marked.unread), (made.id, 0), "it is named and counted off");
            }
        }
        let third = world.send(group, &ann, "three").await;
        assert_eq!(stands_for(&world.told(&bob).await[0]), second.id, "reading has fixed it, by {way}");
        let next = world.note_one(&third, &bob).await;
        assert_ne!(next.id, made.id, "the next message is told anew");
        assert_eq!((stands_for(&next), world.untold(&bob).await), (third.id, 1), "and stands for itself");
        world.mark_all_told(&bob).await;
    }
}

/// Its user's own messages are none that it stands for: an answer reads it, and leaves it at what was answered.
pub async fn ones_own_answer_is_no_notification(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    for group in [world.direct(&ann, &bob).await, world.group(&ann, &[&bob]).await] {
        let asked = world.send(group, &ann, "When?").await;
        let made = world.note_one(&asked, &bob).await;
        world.send(group, &bob, "At noon.").await;
        world.send(group, &bob, "Or at one.").await;
        assert_eq!(stands_for(&world.told(&bob).await[0]), asked.id, "while it is unread");
        world.mark_noted(&bob, group).await.expect("there is one");
        assert_eq!(stands_for(&world.told(&bob).await[0]), asked.id, "and when it is read");
        world.send(group, &ann, "Fine.").await;
        assert_eq!(stands_for(&world.told(&bob).await[0]), asked.id, "and then for good");
        world.forget_told(&bob, made.id).await.expect("it is Bob's");
    }
}

/// A note of an older message stands for the newest one all the same.
pub async fn a_late_note_stands_for_the_newest_message(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send_many(direct, &ann, 3).await;
    let made = world.note_one(&sent[0], &bob).await;
    assert_eq!(stands_for(&made), sent[2].id, "it stands for the newest");
    world.delete(sent[2].id, &ann).await;
    assert_eq!(stands_for(&world.told(&bob).await[0]), sent[2].id, "also when that is a tombstone");
}

/// Who is no longer in a conversation is not told on of it: their notification stands for what it was made for.
pub async fn who_has_left_is_not_told_on(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let group = world.group(&ann, &[&bob, &cleo]).await;
    let first = world.send(group, &ann, "for Bob and Cleo").await;
    let made = world.note_one(&first, &bob).await;
    world.note_one(&first, &cleo).await;
    world.remove(group, &ann, &bob).await;
    world.remove(group, &ann, &cleo).await;
    let secret = world.send(group, &ann, "not for Bob").await;
    assert_eq!(stands_for(&world.told(&bob).await[0]), first.id, "Bob learns nothing of what comes after");
    assert_eq!(world.note(&secret, &[&bob]).await.made, [], "and is told nothing new");
    assert_eq!(world.untold(&bob).await, 1, "what he was told stays");
    world.mark_told(&bob, made.id).await.expect("it is Bob's");
    assert_eq!(stands_for(&world.told(&bob).await[0]), first.id, "nor when he reads it");

    world.add(group, &ann, &cleo).await;
    let newest = world.send(group, &ann, "for Cleo again").await;
    assert_eq!(world.note(&newest, &[&cleo]).await.standing, std::slice::from_ref(&cleo), "Cleo's still stands");
    assert_eq!(stands_for(&world.told(&cleo).await[0]), newest.id, "for the newest, as she is back");
}

/// Lists are newest first, those of one moment by descending id, and pages cover them.
pub async fn pages_cover_the_notifications(world: World) {
    let ann = world.person("Ann").await;
    let moment = world.now();
    let mut notices: Vec<NewNotification> = (0..12).map(|_| world.notice_of("system", &ann)).collect();
    for notice in &mut notices[2..6] {
        notice.created_at = moment;
    }
    let mut expected: Vec<_> = notices.iter().map(|new| (new.created_at, new.id)).collect();
    expected.sort_by(|one, other| other.cmp(one));
    world.tell(notices).await;
    let all = world.told(&ann).await;
    assert_eq!(all.iter().map(|told| (told.created_at, told.id)).collect::<Vec<_>>(), expected, "newest first");
    for read in [&all[1], &all[7], &all[8]] {
        world.mark_told(&ann, read.id).await.expect("it is Ann's");
    }
    for (unread_only, total) in [(false, 12), (true, 9)] {
        let whole = world.storage().list_notifications(&ann, unread_only, 0, 100).await.expect("the storage answers");
        let mut pages = Vec::new();
        for offset in (0..total).step_by(5) {
            let page = world.storage().list_notifications(&ann, unread_only, offset, 5).await;
            let page = page.expect("the storage answers");
            assert_eq!(page.total, total, "every page knows the total");
            assert!(page.items.len() <= 5, "a page has at most `limit`");
            pages.extend(page.items);
        }
        assert_eq!(pages, whole.items, "the pages are the list");
        for offset in [total, total + 1, u64::MAX] {
            let page = world.storage().list_notifications(&ann, unread_only, offset, 5).await;
            let page = page.expect("the storage answers");
            assert_eq!((page.items, page.total), (vec![], total), "behind the last there is nothing");
        }
    }
}

/// Somebody who was never told anything has nothing.
pub async fn who_was_never_told_has_nothing(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    for user in [&ann, &world.id_of_nobody()] {
        assert_eq!(world.told(user).await, [], "no notifications");
        assert_eq!(world.mark_told(user, world.id()).await, None, "none to mark");
        assert_eq!(world.forget_told(user, world.id()).await, None, "none to remove");
        assert_eq!(world.mark_noted(user, direct).await, None, "none of a conversation");
        let marked = world.mark_all_told(user).await;
        assert_eq!((marked.value, marked.unread), (0, 0), "none at all");
    }
}

/// Somebody else's notification is as if it were not there.
pub async fn others_notifications_are_not_there(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let message = world.send(direct, &ann, "x").await;
    let (told, noted) = (world.tell_one(&bob).await, world.note_one(&message, &bob).await);
    world.tell_one(&ann).await;
    for id in [told.id, noted.id] {
        assert_eq!(world.mark_told(&ann, id).await, None, "Ann marks no notification of Bob's");
        assert_eq!(world.forget_told(&ann, id).await, None, "and removes none");
        assert_eq!(world.find_told(&ann, id).await, None, "nor finds one");
    }
    assert_eq!(
        world.find_told(&bob, noted.id).await,
        world.told(&bob).await.into_iter().find(|told| told.id == noted.id)
    );
    assert_eq!(world.forget_told(&bob, told.id).await.map(|gone| gone.value), Some(true));
    assert_eq!(world.find_told(&bob, told.id).await, None, "what is removed is not found");
    let told = world.tell_one(&bob).await;
    assert_eq!(world.find_told(&bob, told.id).await, Some(told), "Bob finds his own");
    assert_eq!(world.mark_noted(&ann, direct).await, None, "nor that of the conversation");
    assert_eq!(world.mark_all_told(&ann).await.value, 1, "all of Ann's are Ann's");
    assert_eq!(world.untold(&bob).await, 2, "Bob's are as they were");
}

/// A second mark changes nothing and says so.
pub async fn a_second_mark_of_a_notification_changes_nothing(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let message = world.send(direct, &ann, "x").await;
    let (told, noted) = (world.tell_one(&bob).await, world.note_one(&message, &bob).await);
    let first = world.mark_told(&bob, told.id).await.expect("it is Bob's");
    assert_eq!((first.value.1, first.unread), (true, 1), "the first mark reads it");
    let second = world.mark_told(&bob, told.id).await.expect("it is Bob's");
    assert_eq!((second.value.1, second.unread), (false, 1), "the second does not");
    assert_eq!(first.value.0, second.value.0, "both answer with the notification");
    let marked = world.mark_noted(&bob, direct).await.expect("there is one");
    assert_eq!((marked.value, marked.unread), (noted.id, 0), "reading the conversation reads its notification");
    assert_eq!(world.mark_noted(&bob, direct).await, None, "once");
    assert_eq!(world.mark_all_told(&bob).await.value, 0, "nothing is left");
    assert_eq!(world.told(&bob).await.len(), 2, "and what is read stays");
}

/// Marking all reads all, and says how many were not read.
pub async fn marking_all_reads_all(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let message = world.send(direct, &ann, "x").await;
    for _ in 0..4 {
        world.tell_one(&bob).await;
    }
    world.note_one(&message, &bob).await;
    let read = world.told(&bob).await[2].id;
    world.mark_told(&bob, read).await.expect("it is Bob's");
    let marked = world.mark_all_told(&bob).await;
    assert_eq!((marked.value, marked.unread), (4, 0), "four were unread");
    assert!(world.told(&bob).await.iter().all(|told| told.read), "all are read");
    world.tell_one(&bob).await;
    assert_eq!(world.untold(&bob).await, 1, "what comes later is unread");
}

/// Removing says whether it was unread, and takes it off the counts.
pub async fn a_removed_notification_is_gone(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let message = world.send(direct, &ann, "x").await;
    let (told, noted) = (world.tell_one(&bob).await, world.note_one(&message, &bob).await);
    world.mark_told(&bob, told.id).await.expect("it is Bob's");
    let removed = world.forget_told(&bob, told.id).await.expect("it is Bob's");
    assert_eq!((removed.value, removed.unread), (false, 1), "a read one was removed");
    let removed = world.forget_told(&bob, noted.id).await.expect("it is Bob's");
    assert_eq!((removed.value, removed.unread), (true, 0), "an unread one was removed");
    for id in [told.id, noted.id] {
        assert_eq!(world.forget_told(&bob, id).await, None, "it is gone");
        assert_eq!(world.mark_told(&bob, id).await, None, "and cannot be marked");
    }
    assert_eq!(world.told(&bob).await, [], "nothing is left");
    let again = world.note_one(&message, &bob).await;
    assert_eq!(stands_for(&again), message.id, "a message that is still unread can be told again");
}

/// Preferences are the defaults until they are changed, each on its own, by each user.
pub async fn preferences_change_one_by_one(world: World) {
    async fn wanted(world: &World, user: &UserId) -> Preferences {
        world.storage().find_preferences(user).await.expect("the storage answers")
    }
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    assert_eq!(wanted(&world, &ann).await, Preferences::default(), "the defaults at first");
    let nothing = PreferencesChange::default();
    let mut expected = Preferences::default();
    for (change, next) in [
        (PreferencesChange { email: Some(false), ..nothing }, Preferences { email: false, ..expected }),
        (nothing, Preferences { email: false, ..expected }),
        (
            PreferencesChange { push: Some(false), chat: Some(false), ..nothing },
            Preferences { email: false, push: false, chat: false, ..expected },
        ),
        (
            PreferencesChange { email: Some(true), job_match: Some(false), ..nothing },
            Preferences { push: false, chat: false, job_match: false, ..expected },
        ),
    ] {
        let answer = world.storage().update_preferences(&ann, change).await.expect("the storage answers");
        assert_eq!(answer, next, "what is not named stays");
        expected = wanted(&world, &ann).await;
        assert_eq!(expected, next, "and is found so");
        expected = Preferences::default();
    }
    assert_eq!(wanted(&world, &bob).await, expected, "Bob's are Bob's");
    assert_eq!(wanted(&world, &world.id_of_nobody()).await, expected, "nobody has the defaults");
    assert_eq!(world.told(&ann).await, [], "who has preferences has no notifications by that");
}

/// Preferences concern what comes; what somebody was told before stays, and stands.
pub async fn preferences_leave_what_was_told(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let group: ConversationId = world.group(&ann, &[&bob]).await;
    let message = world.send(direct, &ann, "x").await;
    let noted = world.note_one(&message, &bob).await;
    world.want_chat(&bob, false).await;
    let second = world.send(direct, &ann, "y").await;
    assert_eq!(world.note(&second, &[&bob]).await.standing, std::slice::from_ref(&bob), "it stands");
    assert_eq!(stands_for(&world.told(&bob).await[0]), second.id, "for the newest message");
    let elsewhere = world.send(group, &ann, "z").await;
    assert_eq!(world.note(&elsewhere, &[&bob]).await.made, [], "no other is made");
    assert_eq!(world.told(&bob).await.iter().map(|told| told.id).collect::<Vec<_>>(), [noted.id], "there is one");
}
