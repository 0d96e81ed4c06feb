//! Calls on the storage in memory: who hears what, who may, and how calls end. Time is paused: it moves only when
//! everything waits.

use std::time::Duration;

use crate::support::World;
use parlance_domain::Error;
use parlance_domain::event::{CallAudience, CallEvent, CallStep, Event};
use parlance_domain::model::{CallId, CallMedia, ConversationId, MessageKind, SessionId, User, UserId};
use parlance_domain::services::{Invitation, MAX_SIGNAL_BYTES};
use tokio::time::{Instant, sleep};

const ANN: SessionId = SessionId(10);
const BOB: SessionId = SessionId(20);
const BOBS_OTHER: SessionId = SessionId(21);
const CEM: SessionId = SessionId(30);

fn call(name: &str) -> CallId {
    CallId::new(name).expect("a valid id")
}

fn invitation(conversation_id: ConversationId, name: &str) -> Invitation {
    Invitation { conversation_id, call_id: call(name), media: CallMedia::Video, data: Some("{\"hd\":true}".into()) }
}

/// An event of a call in words: what happened, and who hears of it.
fn words(event: &Event) -> Option<String> {
    let Event::Call { call_id: _, what, to } = event else { return None };
    let step = |name: &str, CallStep { user_id, reason, .. }: &CallStep| {
        let reason = reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("{user_id} {name}{reason}")
    };
    let what = match what {
        CallEvent::Invited { from, .. } => format!("{from} rings"),
        CallEvent::Accepted(by) => step("accepts", by),
        CallEvent::Rejected(by) => step("rejects", by),
        CallEvent::HungUp(by) => step("hangs up", by),
        CallEvent::Signal { from, data } => format!("{from} says {data}"),
    };
    let to = match to {
        CallAudience::Users(users) => {
            let mut users: Vec<&str> = users.iter().map(UserId::as_str).collect();
            users.sort_unstable();
            users.join(" ")
        }
        CallAudience::Socket(session) => format!("socket {}", session.0),
    };
    Some(format!("{what} → {to}"))
}

/// The next event of a call.
async fn heard(world: &mut World) -> String {
    loop {
        if let Some(words) = words(&*world.event().await) {
            return words;
        }
    }
}

/// Nothing happens to calls in the next two minutes.
async fn silence(world: &mut World) -> bool {
    sleep(Duration::from_mins(2)).await;
    world.rest().iter().all(|event| words(event).is_none())
}

struct Pair {
    world: World,
    ann: User,
    bob: User,
    room: ConversationId,
}

impl Pair {
    async fn new() -> Self {
        let mut world = World::new();
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let room = world.direct(&ann, &bob).await;
        Self { world, ann, bob, room }
    }

    /// Ann rings at Bob.
    async fn ringing() -> Self {
        let mut pair = Self::new().await;
        pair.world.services.calling.invite(&pair.ann.id, ANN, invitation(pair.room, "c")).await.expect("a call");
        assert_eq!(heard(&mut pair.world).await, "ann rings → bob");
        pair
    }

    /// Ann and Bob talk.
    async fn talking() -> Self {
        let mut pair = Self::ringing().await;
        pair.world.services.calling.accept(&pair.bob.id, BOB, &call("c")).await.expect("an answer");
        assert_eq!(heard(&mut pair.world).await, "bob accepts → ann bob");
        pair
    }
}

#[tokio::test(start_paused = true)]
async fn an_invitation_carries_what_the_caller_sent() {
    let mut pair = Pair::new().await;
    let calling = pair.world.services.calling.clone();
    calling.invite(&pair.ann.id, ANN, invitation(pair.room, "c")).await.expect("a call");
    let event = pair.world.event().await;
    let Event::Call { call_id, what: CallEvent::Invited { conversation_id, media, data, from }, .. } = &*event else {
        panic!("{event:?}")
    };
    assert_eq!((call_id, conversation_id, from), (&call("c"), &pair.room, &pair.ann.id));
    assert_eq!((media, data.as_deref()), (&CallMedia::Video, Some("{\"hd\":true}")));
}

#[tokio::test(start_paused = true)]
async fn an_answer_stops_the_ringing_everywhere_and_hanging_up_ends_it() {
    let Pair { mut world, ann, bob, .. } = Pair::talking().await;
    let calling = world.services.calling.clone();
    assert!(silence(&mut world).await, "an answered call does not ring out");
    calling.hang_up(&ann.id, &call("c"), Some("x".repeat(300))).await.expect("hanging up");
    assert_eq!(heard(&mut world).await, format!("ann hangs up ({}) → ann bob", "x".repeat(200)));
    for late in [calling.accept(&bob.id, BOB, &call("c")).await, calling.hang_up(&bob.id, &call("c"), None).await] {
        assert_eq!(late, Err(Error::Conflict("The call is over")));
    }
    assert!(world.nobody_is_told().await, "nobody missed it");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_nobody_takes_rings_out_and_is_noted_as_missed() {
    let Pair { mut world, bob, room, .. } = Pair::ringing().await;
    let began = Instant::now();
    assert_eq!(heard(&mut world).await, "ann hangs up (timeout) → ann bob");
    assert_eq!(began.elapsed(), Duration::from_secs(45));
    let event = world.event().await;
    let Event::MessageNew { message, .. } = &*event else { panic!("{event:?}") };
    let message = &message.message;
    assert_eq!((message.kind, message.text.as_deref()), (MessageKind::System, Some("Missed video call")));
    assert_eq!((message.conversation_id, message.sender_id.as_str()), (room, "ann"));
    assert_eq!(world.told().await, r#"bob: missed_call "Missed video call" "ANN called you", 1 unread"#);
    assert!(world.nobody_is_told().await, "no second notification for the message itself");
    let page = world.services.notifying.list(&bob.id, false, 1, 20).await.expect("a page");
    assert_eq!(page.notifications[0].data, Some(format!(r#"{{"conversationId":"{room}"}}"#)));
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_gives_up_leaves_a_missed_call_and_a_rejected_one_leaves_none() {
    let Pair { mut world, ann, bob, room } = Pair::ringing().await;
    let calling = world.services.calling.clone();
    calling.hang_up(&ann.id, &call("c"), None).await.expect("hanging up");
    assert_eq!(heard(&mut world).await, "ann hangs up → ann bob");
    assert_eq!(world.told().await, r#"bob: missed_call "Missed video call" "ANN called you", 1 unread"#);

    calling.invite(&ann.id, ANN, invitation(room, "d")).await.expect("a call");
    assert_eq!(heard(&mut world).await, "ann rings → bob");
    calling.reject(&bob.id, &call("d"), Some("later".into())).await.expect("no");
    assert_eq!(heard(&mut world).await, "bob rejects (later) → ann bob");
    assert!(world.nobody_is_told().await && silence(&mut world).await);
}

#[tokio::test(start_paused = true)]
async fn who_is_in_a_call_is_busy() {
    let Pair { mut world, ann, bob, room } = Pair::talking().await;
    let cem = world.user("cem").await;
    let other = world.direct(&cem, &bob).await;
    let calling = world.services.calling.clone();
    calling.invite(&cem.id, CEM, invitation(other, "d")).await.expect("a call");
    assert_eq!(heard(&mut world).await, "bob rejects (busy) → cem");
    assert_eq!(world.told().await, r#"bob: missed_call "Missed video call" "CEM called you", 1 unread"#);
    let twice = calling.invite(&bob.id, BOB, invitation(other, "e")).await;
    assert_eq!(twice, Err(Error::Conflict("You are in another call")));
    let taken = calling.invite(&cem.id, CEM, invitation(other, "c")).await;
    assert_eq!(taken, Err(Error::Conflict("There is a call with this id already")));
    calling.hang_up(&ann.id, &call("c"), None).await.expect("hanging up");
    assert_eq!(heard(&mut world).await, "ann hangs up → ann bob");
    calling.invite(&bob.id, BOB, invitation(room, "f")).await.expect("nobody is busy any more");
    assert_eq!(heard(&mut world).await, "bob rings → ann");
}

#[tokio::test(start_paused = true)]
async fn strangers_and_the_blocked_cannot_ring() {
    let Pair { mut world, ann, bob, room } = Pair::new().await;
    let cem = world.user("cem").await;
    let calling = world.services.calling.clone();
    let stranger = calling.invite(&cem.id, CEM, invitation(room, "c")).await;
    assert!(matches!(stranger, Err(Error::NotParticipant(_))), "{stranger:?}");
    world.services.blocking.block(&bob, &ann.id).await.expect("a block");
    assert_eq!(calling.invite(&ann.id, ANN, invitation(room, "c")).await, Err(Error::Blocked));
    assert_eq!(calling.invite(&bob.id, BOB, invitation(room, "c")).await, Err(Error::BlockedByYou));
    world.services.blocking.unblock(&bob, &ann.id).await.expect("no block");
    calling.invite(&ann.id, ANN, invitation(room, "c")).await.expect("a call");
    assert_eq!(heard(&mut world).await, "ann rings → bob");
    for outcome in [
        calling.accept(&cem.id, CEM, &call("c")).await,
        calling.reject(&cem.id, &call("c"), None).await,
        calling.hang_up(&cem.id, &call("c"), None).await,
        calling.accept(&bob.id, BOB, &call("unknown")).await,
    ] {
        assert_eq!(outcome, Err(Error::NotFound("Call not found")));
    }
    assert_eq!(calling.hang_up(&bob.id, &call("c"), None).await, Err(Error::Conflict("You are not in the call")));
}

#[tokio::test(start_paused = true)]
async fn a_word_reaches_the_socket_that_is_in_the_call_and_no_other() {
    let Pair { mut world, ann, bob, .. } = Pair::ringing().await;
    let cem = world.user("cem").await;
    let calling = world.services.calling.clone();
    let word = || "{\"sdp\":\"v=0\"}".to_owned();
    let early = calling.signal(&ann.id, ANN, &call("c"), &bob.id, word()).await;
    assert_eq!(early, Err(Error::Conflict("They are not in the call")));
    let outside = calling.signal(&bob.id, BOB, &call("c"), &ann.id, word()).await;
    assert_eq!(outside, Err(Error::Conflict("You are not in the call")));
    calling.accept(&bob.id, BOB, &call("c")).await.expect("an answer");
    assert_eq!(heard(&mut world).await, "bob accepts → ann bob");
    calling.signal(&ann.id, ANN, &call("c"), &bob.id, word()).await.expect("a word");
    assert_eq!(heard(&mut world).await, r#"ann says {"sdp":"v=0"} → socket 20"#);
    calling.signal(&bob.id, BOB, &call("c"), &ann.id, word()).await.expect("a word");
    assert_eq!(heard(&mut world).await, r#"bob says {"sdp":"v=0"} → socket 10"#);
    let stranger = calling.signal(&cem.id, CEM, &call("c"), &ann.id, word()).await;
    assert_eq!(stranger, Err(Error::NotFound("Call not found")));
    let to_stranger = calling.signal(&ann.id, ANN, &call("c"), &cem.id, word()).await;
    assert_eq!(to_stranger, Err(Error::Conflict("They are not in the call")));
    calling.signal(&ann.id, ANN, &call("c"), &bob.id, "x".repeat(MAX_SIGNAL_BYTES)).await.expect("just short enough");
    let long = calling.signal(&ann.id, ANN, &call("c"), &bob.id, "x".repeat(MAX_SIGNAL_BYTES + 1)).await;
    assert!(matches!(&long, Err(Error::Validation { field, .. }) if field == "data"), "{long:?}");
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_comes_back_within_ten_seconds_keeps_the_call() {
    let Pair { mut world, ann, bob, .. } = Pair::talking().await;
    let calling = world.services.calling.clone();
    calling.socket_gone(&bob.id, BOB);
    sleep(Duration::from_millis(9_900)).await;
    calling.accept(&bob.id, BOBS_OTHER, &call("c")).await.expect("back in time");
    assert!(silence(&mut world).await, "nobody needs to hear of it");
    calling.signal(&ann.id, ANN, &call("c"), &bob.id, "1".into()).await.expect("a word");
    assert_eq!(heard(&mut world).await, "ann says 1 → socket 21");
    // A word from the new socket says so as well.
    calling.socket_gone(&ann.id, ANN);
    calling.signal(&ann.id, SessionId(11), &call("c"), &bob.id, "2".into()).await.expect("a word");
    assert_eq!(heard(&mut world).await, "ann says 2 → socket 21");
    calling.socket_gone(&bob.id, BOB);
    assert!(silence(&mut world).await, "that socket was no longer in the call");
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_stays_away_ends_the_call() {
    for who in ["caller", "callee"] {
        let Pair { mut world, ann, bob, .. } = Pair::talking().await;
        let (user, socket) = if who == "caller" { (&ann, ANN) } else { (&bob, BOB) };
        let gone = Instant::now();
        world.services.calling.socket_gone(&user.id, socket);
        assert_eq!(heard(&mut world).await, format!("{} hangs up (disconnected) → ann bob", user.id));
        assert_eq!(gone.elapsed(), Duration::from_secs(10));
        assert!(silence(&mut world).await);
    }
    let Pair { mut world, ann, .. } = Pair::ringing().await;
    world.services.calling.socket_gone(&ann.id, ANN);
    assert_eq!(heard(&mut world).await, "ann hangs up (disconnected) → ann bob");
    assert_eq!(world.told().await, r#"bob: missed_call "Missed video call" "ANN called you", 1 unread"#);
}

#[tokio::test(start_paused = true)]
async fn a_group_call_goes_on_with_those_who_came() {
    let mut world = World::new();
    let (ann, bob) = (world.user("ann").await, world.user("bob").await);
    let (cem, dee) = (world.user("cem").await, world.user("dee").await);
    let room = world.group(&ann, &[&bob, &cem, &dee]).await;
    let calling = world.services.calling.clone();
    calling.invite(&ann.id, ANN, invitation(room, "c")).await.expect("a call");
    assert_eq!(heard(&mut world).await, "ann rings → bob cem dee");
    calling.accept(&bob.id, BOB, &call("c")).await.expect("an answer");
    assert_eq!(heard(&mut world).await, "bob accepts → ann bob cem dee");
    calling.reject(&cem.id, &call("c"), None).await.expect("no");
    assert_eq!(heard(&mut world).await, "cem rejects → ann bob cem dee");
    assert_eq!(heard(&mut world).await, "ann hangs up (timeout) → dee", "it rings no longer, and goes on");
    assert_eq!(world.told().await, r#"dee: missed_call "Missed video call" "ANN called you", 1 unread"#);
    calling.hang_up(&ann.id, &call("c"), None).await.expect("hanging up");
    assert_eq!(heard(&mut world).await, "ann hangs up → ann bob cem dee");
    calling.accept(&cem.id, CEM, &call("c")).await.expect("changed their mind");
    assert_eq!(heard(&mut world).await, "cem accepts → ann bob cem dee");
    for user in [&bob, &cem] {
        calling.hang_up(&user.id, &call("c"), None).await.expect("hanging up");
        assert_eq!(heard(&mut world).await, format!("{} hangs up → ann bob cem dee", user.id));
    }
    assert_eq!(calling.accept(&dee.id, SessionId(40), &call("c")).await, Err(Error::Conflict("The call is over")));
    assert!(silence(&mut world).await);
}

#[tokio::test(start_paused = true)]
async fn who_was_still_rung_at_when_a_group_call_ended_missed_it() {
    let mut world = World::new();
    let (ann, bob, cem) = (world.user("ann").await, world.user("bob").await, world.user("cem").await);
    let room = world.group(&ann, &[&bob, &cem]).await;
    let calling = world.services.calling.clone();
    calling.invite(&ann.id, ANN, invitation(room, "c")).await.expect("a call");
    calling.accept(&bob.id, BOB, &call("c")).await.expect("an answer");
    calling.hang_up(&ann.id, &call("c"), None).await.expect("hanging up");
    calling.hang_up(&bob.id, &call("c"), None).await.expect("hanging up");
    assert_eq!(world.told().await, r#"cem: missed_call "Missed video call" "ANN called you", 1 unread"#);
    let written = world.rest().iter().any(|event| matches!(&**event, Event::MessageNew { .. }));
    assert!(!written, "somebody took it");
}
