//! The promises of the `Outbox` port.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use parlance_domain::model::{
    CallId, CallMedia, ConversationId, EndedCall, Message, MessageId, NewWebhook, NotificationId, Role, Title, UserId,
    WebhookKind, WebhookSubject,
};
use parlance_domain::ports::{ClaimedLane, GroupChange, NewConversation, SettledLane, StorageError};
use parlance_domain::rules::retrying::{GIVE_UP_AFTER, give_up_at};

use super::Office;
use super::office::{bury, delivered, ids, told};
use crate::race;

fn of_message(message: &Message) -> WebhookSubject {
    WebhookSubject::Message { conversation_id: message.conversation_id, message_id: message.id }
}

/// Every change writes its event beside it, in the order of its lane; what changes nothing, fails, or is not wanted, writes
/// none.
pub async fn changes_write_their_events_and_nothing_else_does(office: Office) {
    let world = &office.world;
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let before = world.direct(&ann, &cleo).await;
    world.send(before, &ann, "nobody wants to know").await;
    assert_eq!(office.counts().await, (0, 0), "nothing is wanted at first");
    assert_eq!(office.claim_all().await, []);
    office.want_all();

    let direct = world.direct(&ann, &bob).await;
    world.direct(&bob, &ann).await;
    let batch =
        vec![world.marked(direct, &ann, "one"), world.marked(direct, &cleo, "x"), world.marked(direct, &bob, "two")];
    let again = batch[0].clone();
    let said: Vec<Message> = world.append(batch).await.into_iter().flatten().map(|sent| sent.message).collect();
    assert!(world.send_draft(again).await.duplicate);
    world.edit(said[0].id, &ann, "other words").await;
    world.edit(said[0].id, &ann, "other words").await;
    world.react(said[0].id, &bob, "👍").await;
    world.delete(said[0].id, &ann).await;

    let group = world.group(&ann, &[&bob]).await;
    let change = GroupChange::Title(Title::new("Team B").expect("a valid title"));
    let renamed = world.storage().update_group(group, &ann, &change, world.now()).await.expect("the storage answers");
    renamed.expect("the owner may rename");
    let refused = world.storage().update_group(group, &bob, &change, world.now()).await.expect("the storage answers");
    refused.expect_err("a member may not");
    let came = world.add(group, &ann, &cleo).await.message.expect("it is told");
    world.add(group, &ann, &cleo).await;
    world.promote(group, &ann, &bob, Role::Admin).await;

    let nobody = NewConversation::Group {
        id: world.id(),
        title: Title::new("Ghosts").expect("a valid title"),
        owner: ann.clone(),
        members: vec![world.id_of_nobody()],
    };
    let failed = world.storage().start_conversation(&nobody, world.now()).await;
    assert!(matches!(failed, Err(StorageError::Corrupt { .. })), "everybody in a conversation must exist");

    let notice = world.tell_one(&bob).await;
    let chat = world.note_one(&said[1], &ann).await;
    world.tell(vec![world.notice_of("system", &world.id_of_nobody())]).await;
    let gone =
        NewWebhook { kind: WebhookKind::UserOffline, subject: WebhookSubject::User(bob.clone()), at: world.now() };
    let ended = EndedCall {
        call_id: CallId::new("call 1").expect("a valid id"),
        conversation_id: direct,
        caller: bob.clone(),
        media: CallMedia::Video,
        answered: true,
        reason: Some("said \"bye\"\nand went \u{1F600}".to_owned()),
    };
    let ended = NewWebhook { kind: WebhookKind::CallEnded, subject: WebhookSubject::Call(ended), at: world.now() };
    office.outbox().add(vec![gone.clone(), ended.clone()]).await.expect("the storage answers");

    let claimed = office.claim_all().await;
    let found: BTreeMap<&str, _> = claimed.iter().map(|lane| (lane.lane.as_str(), told(&lane.events))).collect();
    let note = |user_id: &UserId, notification_id: NotificationId| {
        let subject = WebhookSubject::Notification { user_id: user_id.clone(), notification_id };
        (WebhookKind::NotificationCreated, subject)
    };
    let lane = |id: ConversationId| WebhookSubject::Conversation(id).lane();
    let of_user = |user: &UserId| WebhookSubject::User(user.clone()).lane();
    let (of_direct, of_group, of_ann, of_bob) = (lane(direct), lane(group), of_user(&ann), of_user(&bob));
    let expected = BTreeMap::from([
        (
            of_direct.as_str(),
            vec![
                (WebhookKind::ConversationCreated, WebhookSubject::Conversation(direct)),
                (WebhookKind::MessageCreated, of_message(&said[0])),
                (WebhookKind::MessageCreated, of_message(&said[1])),
                (WebhookKind::MessageEdited, of_message(&said[0])),
                (WebhookKind::MessageDeleted, of_message(&said[0])),
                (WebhookKind::CallEnded, ended.subject.clone()),
            ],
        ),
        (
            of_group.as_str(),
            vec![
                (WebhookKind::ConversationCreated, WebhookSubject::Conversation(group)),
                (WebhookKind::ConversationUpdated, WebhookSubject::Conversation(group)),
                (WebhookKind::MessageCreated, of_message(&came)),
                (WebhookKind::ConversationUpdated, WebhookSubject::Conversation(group)),
                (WebhookKind::ConversationUpdated, WebhookSubject::Conversation(group)),
            ],
        ),
        (of_ann.as_str(), vec![note(&ann, chat.id)]),
        (of_bob.as_str(), vec![note(&bob, notice.id), (WebhookKind::UserOffline, gone.subject.clone())]),
    ]);
    assert_eq!(found, expected);
    let events: Vec<_> = claimed.iter().flat_map(|lane| &lane.events).collect();
    let distinct: BTreeSet<_> = events.iter().map(|event| event.id).collect();
    assert_eq!((distinct.len(), office.counts().await), (events.len(), (events.len() as u64, 0)), "each has an id");
    for event in events {
        assert_eq!(event.give_up_at, give_up_at(event.at), "each is tried for a day");
    }
    let made = claimed.iter().flat_map(|lane| &lane.events).find(|event| event.subject == of_message(&said[1]));
    assert_eq!(made.map(|event| event.at), Some(said[1].created_at), "each has its moment");
}

/// A claimed lane is nobody else's until it is settled, or the claim ends; a claim that ended has no more to say.
pub async fn a_lane_is_one_claims_until_that_is_settled_or_ends(office: Office) {
    let world = &office.world;
    office.want_all();
    let (ann, bob, direct) = world.ann_and_bob().await;
    world.group(&ann, &[&bob]).await;
    for text in ["one", "two"] {
        world.send(direct, &ann, text).await;
    }
    let now = world.now();
    let at_once = (0..4).map(|_| {
        let office = office.clone();
        async move { office.claim_at(now, 1, 2).await }
    });
    let claims: Vec<ClaimedLane> = race(at_once).await.into_iter().flatten().collect();
    let names: BTreeSet<&str> = claims.iter().map(|lane| lane.lane.as_str()).collect();
    assert!(claims.len() <= 2 && names.len() == claims.len(), "each lane is one claim's: {claims:?}");
    let rest = office.claim_at(now, 10, 2).await;
    let claims: Vec<ClaimedLane> = claims.into_iter().chain(rest).collect();
    assert_eq!(claims.len(), 2, "both are claimed");
    assert_eq!(office.claim_at(now, 10, 2).await, [], "and nothing is left");
    let of = |claims: &[ClaimedLane], id: ConversationId| {
        let lane = WebhookSubject::Conversation(id).lane();
        claims.iter().find(|claimed| claimed.lane == lane).cloned().expect("it is claimed")
    };
    let first = of(&claims, direct);
    assert_eq!((first.events.len(), first.failures), (2, 0), "as many as were asked for, the oldest");
    world.send(direct, &bob, "three").await;
    assert_eq!(office.claim_all().await, [], "an event does not end a claim");

    // Whoever had it is gone: the claim ends, and others have it.
    let late = now.plus(Office::LEASE);
    let second = of(&office.claim_at(late, 10, 2).await, direct);
    assert_eq!(second.events, first.events, "nothing of it was settled");
    office.settle(vec![delivered(&first, 2, now)]).await;
    assert_eq!(office.claim_at(late, 10, 2).await, [], "who had it has nothing more to say");
    assert_eq!(office.counts().await.0, 5);

    // One was delivered, and the next has failed.
    let due = late.plus(Duration::from_mins(1));
    let settled = SettledLane { failures: 3, ..delivered(&second, 1, due) };
    office.settle(vec![settled.clone()]).await;
    office.settle(vec![SettledLane { delivered: ids(&second.events), ..settled }]).await;
    assert_eq!(office.counts().await.0, 4, "a claim is settled once");
    world.send(direct, &bob, "four").await;
    let early = late.plus(Duration::from_secs(59));
    assert_eq!(office.claim_at(early, 10, 2).await, [], "it waits until its moment");
    assert_eq!(office.claim_at(due, 10, 2).await.len(), 1, "and is due then");
    office.outbox().wake(due, true).await.expect("the storage answers");
    let third = office.claim_at(due, 10, 10).await;
    assert_eq!(third.len(), 2, "waking ends claims where it shall");
    let third = of(&third, direct);
    assert_eq!((third.failures, third.events[0].id), (3, second.events[1].id), "failures are kept");
    assert_eq!(third.events.len(), 4);

    let rests = SettledLane { failures: 4, ..delivered(&third, 0, due.plus(Duration::from_mins(1))) };
    office.settle(vec![rests]).await;
    office.outbox().wake(due, false).await.expect("the storage answers");
    let woken = office.claim_at(due, 10, 10).await;
    assert_eq!(woken.len(), 1, "waking leaves claims where it shall");
    assert_eq!((woken[0].failures, &woken[0].events), (4, &third.events));
    let whole = delivered(&woken[0], 4, due);
    office.settle(vec![whole]).await;
    assert_eq!(office.counts().await.0, 1, "what was delivered is gone");
    let said = world.send(direct, &ann, "five").await;
    let again = of(&office.claim_at(due, 10, 10).await, direct);
    assert_eq!(told(&again.events), [(WebhookKind::MessageCreated, of_message(&said))], "an empty lane begins anew");
    assert_eq!(again.failures, 0);
}

/// What is given up is kept, and on demand comes back before the rest of its lane, or goes.
pub async fn what_is_given_up_comes_back_before_the_rest(office: Office) {
    let world = &office.world;
    let (ann, _, direct) = world.ann_and_bob().await;
    office.want_all();
    let said = world.send_many(direct, &ann, 4).await;
    let claimed = office.claim_all().await.pop().expect("there is a lane");
    let now = world.now();
    let buried = claimed.events[..3].iter().map(|event| bury(event, now)).collect();
    office.settle(vec![SettledLane { buried, ..delivered(&claimed, 0, now) }]).await;
    assert_eq!(office.counts().await, (1, 3));
    let dead = office.dead_letters().await;
    assert_eq!(dead.iter().map(|letter| letter.event.clone()).collect::<Vec<_>>(), claimed.events[..3]);
    for letter in &dead {
        assert_eq!((letter.buried_at, letter.failures), (now, 7));
        assert_eq!(letter.problem, "the receiver said \"no\"");
    }

    let ids: Vec<_> = dead.iter().map(|letter| letter.event.id).collect();
    let strange = world.id();
    assert_eq!(office.outbox().drop_dead_letters(&[ids[2], strange]).await.expect("answers"), 1);
    let later = world.now();
    let at_once = (0..3).map(|_| {
        let (office, ids) = (office.clone(), vec![strange, ids[0], ids[1], ids[2]]);
        async move { office.outbox().retry_dead_letters(&ids, later).await.expect("the storage answers") }
    });
    assert_eq!(race(at_once).await.into_iter().sum::<u64>(), 2, "each comes back once");
    assert_eq!((office.dead_letters().await, office.counts().await), (Vec::new(), (3, 0)));
    let back = office.claim_all().await.pop().expect("there is a lane");
    let expected: Vec<_> = [0, 1, 3].map(|at: usize| (WebhookKind::MessageCreated, of_message(&said[at]))).into();
    assert_eq!(told(&back.events), expected, "what comes back comes first");
    assert_eq!(back.events[0].id, ids[0], "and is what it was");
    assert_eq!(back.events[0].give_up_at, later.plus(GIVE_UP_AFTER), "it is tried for another day");
    assert_eq!(back.events[2], claimed.events[3]);
    office.settle(vec![delivered(&back, 3, world.now())]).await;

    // Also where nothing else is left of its lane.
    world.send(direct, &ann, "more").await;
    let claimed = office.claim_all().await.pop().expect("there is a lane");
    let buried = vec![bury(&claimed.events[0], world.now())];
    office.settle(vec![SettledLane { buried, ..delivered(&claimed, 0, now) }]).await;
    assert_eq!(office.claim_all().await, []);
    let id = claimed.events[0].id;
    assert_eq!(office.outbox().retry_dead_letters(&[id], world.now()).await.expect("answers"), 1);
    world.send(direct, &ann, "and more").await;
    let back = office.claim_all().await.pop().expect("there is a lane");
    assert_eq!((back.events.len(), back.events[0].id), (2, id));
    office.settle(vec![delivered(&back, 2, world.now())]).await;
    assert_eq!(office.counts().await, (0, 0));
}

/// While people write into conversations, their lanes are claimed, emptied and settled: nothing is lost, doubled or out of
/// its order.
pub async fn events_that_come_while_others_are_settled_are_delivered_once_and_in_order(office: Office) {
    const SENDS: usize = 12;
    let world = &office.world;
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let rooms = [world.direct(&ann, &bob).await, world.group(&ann, &[&bob]).await];
    office.want_all();
    let writers = [(rooms[0], &ann), (rooms[0], &bob), (rooms[1], &ann)].map(|(room, sender)| {
        let (world, sender) = (world.clone(), sender.clone());
        tokio::spawn(async move {
            for n in 0..SENDS {
                world.send(room, &sender, &n.to_string()).await;
            }
        })
    });
    let mut heard: BTreeMap<ConversationId, Vec<MessageId>> = BTreeMap::new();
    let mut count = 0;
    while count < 3 * SENDS {
        let done = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let claimed = office.claim_at(world.now(), 2, 2).await;
        assert!(!claimed.is_empty() || !done, "{count} of {} were heard", 3 * SENDS);
        for lane in &claimed {
            for event in &lane.events {
                let WebhookSubject::Message { conversation_id, message_id } = event.subject else { continue };
                heard.entry(conversation_id).or_default().push(message_id);
                count += 1;
            }
        }
        let due = world.now();
        office.settle(claimed.iter().map(|lane| delivered(lane, lane.events.len(), due)).collect()).await;
    }
    for writer in writers {
        writer.await.expect("nobody fails");
    }
    assert_eq!(office.counts().await, (0, 0), "nothing is left");
    for room in rooms {
        let said: Vec<MessageId> = world.history(room).await.iter().map(|message| message.id).collect();
        assert_eq!(heard[&room], said, "each once, in the order of the conversation");
    }
}
