//! The cases. A case shows that something is *not* heard by what is heard after it.

use std::sync::Arc;
use std::time::Duration;

use parlance_domain::event::Event;
use parlance_domain::model::{CallId, ConversationId, NodeId, SessionId, UserId};
use parlance_domain::ports::{CallAnswer, CallAsk, Heard, Link, Topic, Word};
use tokio::time::{Instant, timeout};

use crate::network::Network;
use crate::samples::every_event;

const ONE: NodeId = NodeId(1);
const TWO: NodeId = NodeId(0xffff_fffe);
const THREE: NodeId = NodeId(3);
const ROOM: ConversationId = ConversationId::from_bytes([1; 12]);

fn user(name: &str) -> UserId {
    name.parse().expect("a valid id")
}

fn here(name: &str) -> Word {
    Word::Here(user(name))
}

fn say(link: &Arc<dyn Link>, topic: &Topic, name: &str) {
    link.say(topic, here(name));
}

/// `Topic::Everyone`.
pub async fn everyone_but_the_speaker_hears_what_is_said_to_everyone(network: impl Network) {
    let (mut one, mut two, mut three) = (network.join(ONE).await, network.join(TWO).await, network.join(THREE).await);
    say(&one.link, &Topic::Everyone, "a");
    say(&two.link, &Topic::Everyone, "b");
    assert_eq!(one.word().await, (TWO, here("b")), "not its own");
    assert_eq!(two.word().await, (ONE, here("a")));
    let mut heard = [three.word().await, three.word().await];
    heard.sort_unstable_by_key(|(node, _)| *node);
    assert_eq!(heard, [(ONE, here("a")), (TWO, here("b"))]);
}

/// `Topic::Node`.
pub async fn what_is_said_to_a_node_is_heard_by_it_alone(network: impl Network) {
    let (one, mut two, mut three) = (network.join(ONE).await, network.join(TWO).await, network.join(THREE).await);
    say(&one.link, &Topic::Node(TWO), "a");
    say(&one.link, &Topic::Everyone, "b");
    assert_eq!(two.word().await, (ONE, here("a")));
    assert_eq!(three.word().await, (ONE, here("b")));
}

/// `follow`: users and conversations.
pub async fn a_topic_is_heard_by_those_who_follow_it(network: impl Network) {
    let (one, mut two, mut three) = (network.join(ONE).await, network.join(TWO).await, network.join(THREE).await);
    two.link.follow(vec![Topic::User(user("ünal:*[a]")), Topic::User(user("bob"))]);
    three.link.follow(vec![Topic::Conversation(ROOM)]);
    two.link.settled().await;
    three.link.settled().await;
    say(&one.link, &Topic::User(user("ünal:*[a]")), "a");
    say(&one.link, &Topic::Conversation(ROOM), "b");
    say(&one.link, &Topic::Conversation(ConversationId::from_bytes([2; 12])), "c");
    say(&one.link, &Topic::User(user("ünal:*a")), "d");
    say(&one.link, &Topic::Everyone, "e");
    assert_eq!([two.word().await.1, two.word().await.1], [here("a"), here("e")]);
    assert_eq!([three.word().await.1, three.word().await.1], [here("b"), here("e")]);
}

/// `unfollow`.
pub async fn a_topic_that_is_no_longer_followed_is_not_heard(network: impl Network) {
    let (one, mut two) = (network.join(ONE).await, network.join(TWO).await);
    two.link.follow(vec![Topic::Conversation(ROOM), Topic::User(user("bob"))]);
    two.link.settled().await;
    two.link.unfollow(vec![Topic::Conversation(ROOM)]);
    two.link.settled().await;
    say(&one.link, &Topic::Conversation(ROOM), "a");
    say(&one.link, &Topic::User(user("bob")), "b");
    assert_eq!(two.word().await.1, here("b"));
}

/// `follow` is idempotent.
pub async fn following_twice_is_once(network: impl Network) {
    let (one, mut two) = (network.join(ONE).await, network.join(TWO).await);
    two.link.follow(vec![Topic::Conversation(ROOM), Topic::Conversation(ROOM)]);
    two.link.follow(vec![Topic::Conversation(ROOM)]);
    two.link.settled().await;
    say(&one.link, &Topic::Conversation(ROOM), "a");
    say(&one.link, &Topic::Conversation(ROOM), "b");
    assert_eq!([two.word().await.1, two.word().await.1], [here("a"), here("b")]);
}

/// `follow` after `unfollow`, without waiting between.
pub async fn what_is_followed_again_is_heard_again(network: impl Network) {
    let (one, mut two) = (network.join(ONE).await, network.join(TWO).await);
    let topic = || vec![Topic::Conversation(ROOM)];
    for n in 0..20 {
        two.link.follow(topic());
        two.link.unfollow(topic());
        two.link.follow(topic());
        two.link.settled().await;
        let name = n.to_string();
        say(&one.link, &Topic::Conversation(ROOM), &name);
        assert_eq!(two.word().await.1, here(&name));
        two.link.unfollow(topic());
    }
}

/// `say`: in order, across topics.
pub async fn words_come_in_the_order_in_which_they_were_said(network: impl Network) {
    let (one, mut two) = (network.join(ONE).await, network.join(TWO).await);
    two.link.follow(vec![Topic::Conversation(ROOM), Topic::User(user("bob"))]);
    two.link.settled().await;
    let topics = [Topic::Everyone, Topic::Conversation(ROOM), Topic::Node(TWO), Topic::User(user("bob"))];
    for n in 0..1_000 {
        say(&one.link, &topics[n % topics.len()], &n.to_string());
    }
    for n in 0..1_000 {
        assert_eq!(two.word().await, (ONE, here(&n.to_string())));
    }
}

/// `follow` with what somebody is in who is in much.
pub async fn many_topics_are_followed_at_once(network: impl Network) {
    let (one, mut two) = (network.join(ONE).await, network.join(TWO).await);
    let room = |n: u32| {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        Topic::Conversation(ConversationId::from_bytes(bytes))
    };
    two.link.follow((0..5_000).map(room).collect());
    two.link.settled().await;
    for n in [0, 999, 1_000, 4_999, 5_000] {
        say(&one.link, &room(n), &n.to_string());
    }
    say(&one.link, &Topic::Everyone, "end");
    for name in ["0", "999", "1000", "4999", "end"] {
        assert_eq!(two.word().await.1, here(name));
    }
}

/// Each kind of word.
pub async fn every_word_arrives_as_it_was_said(network: impl Network) {
    let (one, mut two) = (network.join(ONE).await, network.join(TWO).await);
    let words = [
        Word::Look,
        Word::Beat { users: 3, sum: u64::MAX },
        Word::Farewell,
        here("ünal"),
        Word::Gone(user("bob")),
        Word::WhoIsHere,
        Word::AllHere { users: (0..1_000).map(|n| user(&format!("user-{n}"))).collect(), more: true },
        Word::AllHere { users: Vec::new(), more: false },
        Word::Sent(vec![(user("bob"), 1), (user("ünal"), u32::MAX)]),
        Word::LookingAsked { number: 1, conversations: vec![ROOM, ConversationId::from_bytes([2; 12])] },
        Word::LookingAnswered { number: 1, looking: vec![(ROOM, vec![user("bob"), user("ünal")])], more: true },
        Word::LookingAnswered { number: u64::MAX, looking: Vec::new(), more: false },
    ];
    let (session, reason) = (SessionId(u64::MAX), Some("busy".to_owned()));
    let asks = [
        CallAsk::Accept { user: user("ann"), session },
        CallAsk::Reject { user: user("ann"), reason: reason.clone() },
        CallAsk::HangUp { user: user("ann"), reason: None },
        CallAsk::Signal { from: user("ann"), session, to: user("bob"), data: "{}".to_owned() },
        CallAsk::SocketGone { user: user("ann"), session },
    ];
    let answers = [CallAnswer::Done, CallAnswer::NotFound, CallAnswer::Conflict("no".to_owned()), CallAnswer::Failed];
    let call_id = CallId::new("c-1").expect("a valid id");
    let asked = asks.into_iter().map(|ask| Word::CallAsked { number: 7, call_id: call_id.clone(), ask });
    let answered = answers.into_iter().map(|answer| Word::CallAnswered { number: u64::MAX, answer });
    let words: Vec<Word> = words.into_iter().chain(asked).chain(answered).collect();
    for word in &words {
        one.link.say(&Topic::Everyone, word.clone());
    }
    for word in words {
        assert_eq!(two.word().await, (ONE, word));
    }
}

/// Each kind of event, with everything that it can carry. A socket on which a message came in is of no use elsewhere.
pub async fn every_event_arrives_as_it_was_said(network: impl Network) {
    let (one, mut two) = (network.join(ONE).await, network.join(TWO).await);
    for event in every_event() {
        one.link.say(&Topic::Node(TWO), Word::Event(Arc::new(event.clone())));
        let Word::Event(heard) = two.word().await.1 else { panic!("an event") };
        let expected = match event {
            Event::MessageNew { message, participants, origin: _ } => {
                Event::MessageNew { message, participants, origin: None }
            }
            event => event,
        };
        let heard = match &*heard {
            Event::MessageNew { message, participants, origin: _ } => {
                Event::MessageNew { message: message.clone(), participants: Arc::clone(participants), origin: None }
            }
            event => event.clone(),
        };
        assert_eq!(heard, expected);
    }
}

/// `say` never waits; somebody who does not listen is told that they missed something, and so is everybody who was not
/// reached.
pub async fn what_is_too_much_is_dropped_and_owned_up_to(network: impl Network) {
    const MANY: usize = 200_000;
    let (one, mut two) = (network.join(ONE).await, network.join(TWO).await);
    let start = Instant::now();
    for n in 0..MANY {
        say(&one.link, &Topic::Everyone, &n.to_string());
    }
    assert!(start.elapsed() < Duration::from_secs(20), "it does not wait for anybody");
    let mut heard = 0;
    let owned_up = async {
        loop {
            // Whoever missed something hears so with what comes after it.
            match timeout(Duration::from_millis(100), two.heard.recv()).await {
                Ok(Some(Heard::Lost | Heard::Word(_, Word::Look))) => return,
                Ok(Some(Heard::Word(..))) => heard += 1,
                Ok(None) => panic!("the link is open"),
                Err(_) => say(&one.link, &Topic::Everyone, "after"),
            }
        }
    };
    timeout(Duration::from_secs(30), owned_up).await.expect("it says that something is missing");
    assert!(heard < MANY, "a queue without an end");
}

/// `close`.
pub async fn what_was_said_before_closing_is_brought(network: impl Network) {
    let (one, mut two) = (network.join(ONE).await, network.join(TWO).await);
    for n in 0..500 {
        say(&one.link, &Topic::Everyone, &n.to_string());
    }
    one.link.say(&Topic::Everyone, Word::Farewell);
    one.link.close().await;
    drop(one);
    for n in 0..500 {
        assert_eq!(two.word().await.1, here(&n.to_string()));
    }
    assert_eq!(two.word().await.1, Word::Farewell);
}

/// `health`.
pub async fn a_link_is_up(network: impl Network) {
    let one = network.join(ONE).await;
    let mut health = one.link.health();
    timeout(Duration::from_secs(10), health.wait_for(|up| *up)).await.expect("it is up soon").expect("it is open");
}
