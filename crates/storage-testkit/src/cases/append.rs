//! The promises of `Messages::append`. Its races are in `races`.

use parlance_domain::error::{Attempt, Error};
use parlance_domain::model::{
    MediaLink, MediaType, Message, MessageId, MessageKind, MessageStatus, NewMessage, Seq, Timestamp,
};
use parlance_domain::ports::ReadMessage;

use crate::World;
use crate::doing::{ids, ids_of};

fn seqs(messages: &[Message]) -> Vec<Seq> {
    messages.iter().map(|message| message.seq).collect()
}

/// What is appended is stored whole, and `find_message` answers with it.
pub async fn a_message_comes_back_as_it_was_sent(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let original = world.send(direct, &ann, "first").await;
    let link = |url: &str, media_type, filename: Option<&str>, size, thumbnail_url: Option<&str>| MediaLink {
        url: url.into(),
        media_type,
        filename: filename.map(str::to_owned),
        size,
        thumbnail_url: thumbnail_url.map(str::to_owned),
    };
    let new = NewMessage {
        kind: MessageKind::Media(MediaType::Video),
        text: Some("it's \"odd\" – 😀 \\ % _ \u{202e} \n\t𝔘".into()),
        media: vec![
            link("https://x/a?b=c&d='e'", MediaType::Video, Some("ein film.mp4"), Some(u64::from(u32::MAX) + 1), None),
            link("/media/1/b.png", MediaType::Image, None, None, Some("/media/1/b-small.png")),
            link("/media/2/c", MediaType::File, Some("ü"), Some(0), None),
        ],
        reply_to: Some(original.id),
        ..world.marked(direct, &bob, "mark-1")
    };
    let sent = world.send_draft(new.clone()).await;
    let expected = Message {
        id: new.id,
        conversation_id: direct,
        seq: 2,
        rev: 2,
        sender_id: bob,
        kind: new.kind,
        text: new.text,
        media: new.media,
        reply_to: Some(original.id),
        client_message_id: new.client_message_id,
        reactions: vec![],
        created_at: new.created_at,
        edited_at: None,
        deleted_at: None,
        updated_at: new.created_at,
    };
    assert_eq!(sent.message, expected, "a message is stored as it was sent");
    assert_eq!(sent.reply_to, Some(original), "`append` answers with the message that is answered");
    assert!(!sent.duplicate, "a first send is no repetition");
    let found = world.storage().find_message(new.id).await.expect("the storage answers");
    assert_eq!(found, Some(expected), "`find_message` answers with what `append` did");
}

/// A medium without a caption has no text.
pub async fn a_message_without_text_has_none(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    let media = MediaLink {
        url: "https://x/y".into(),
        media_type: MediaType::File,
        filename: None,
        size: None,
        thumbnail_url: None,
    };
    let kind = MessageKind::Media(MediaType::File);
    let new = NewMessage { kind, text: None, media: vec![media], ..world.draft(direct, &ann, "") };
    world.send_draft(new).await;
    assert_eq!(world.history(direct).await[0].text, None, "a missing text stays missing");
}

/// Per conversation `seq` and `rev` count 1, 2, 3 ….
pub async fn seq_and_rev_count_from_one_in_each_conversation(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let (one, two) = (world.direct(&ann, &bob).await, world.direct(&ann, &cleo).await);
    for (conversation, seq) in [(one, 1), (two, 1), (one, 2), (one, 3), (two, 2)] {
        let message = world.send(conversation, &ann, "x").await;
        assert_eq!((message.seq, message.rev), (seq, seq), "`seq` and `rev` count per conversation");
        let now = world.conversation(conversation).await;
        assert_eq!((now.last_seq, now.rev), (seq, seq), "the conversation knows its newest `seq` and `rev`");
        let last = world.storage().find_last_seq(conversation).await.expect("the storage answers");
        assert_eq!(last, seq, "`find_last_seq` is the `seq` of the newest message");
    }
}

/// The answers are in the order of the batch; within a conversation `seq` rises in that order.
pub async fn answers_are_in_the_order_of_the_batch(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let (one, two) = (world.direct(&ann, &bob).await, world.direct(&ann, &cleo).await);
    let places = [(two, &ann), (one, &bob), (two, &cleo), (one, &ann), (one, &bob)];
    let batch: Vec<_> = places.iter().map(|(place, who)| world.draft(*place, who, "x")).collect();
    let asked: Vec<MessageId> = batch.iter().map(|new| new.id).collect();
    let sent: Vec<Message> =
        world.append(batch).await.into_iter().map(|answer| answer.expect("sent").message).collect();
    assert_eq!(ids(&sent), asked, "the answers are in the order of the batch");
    assert_eq!(seqs(&sent), [1, 1, 2, 2, 3], "within a conversation `seq` rises in the order of the batch");
    assert_eq!(world.append(vec![]).await, [], "an empty batch has no answers");
}

/// A batch may be large.
pub async fn a_large_batch_is_stored_whole(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    let sent = world.send_many(direct, &ann, 1_000).await;
    assert_eq!(seqs(&sent), (1..=1_000).collect::<Vec<_>>(), "`seq` has no gaps");
    assert_eq!(world.history(direct).await, sent, "everything was stored");
}

/// One send's refusal does not touch the others.
pub async fn one_refusal_does_not_touch_the_others(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let eve = world.person("Eve").await;
    let lost = NewMessage { reply_to: Some(world.id()), ..world.draft(direct, &ann, "lost") };
    let batch = vec![
        world.draft(direct, &ann, "one"),
        world.draft(direct, &eve, "refused"),
        world.draft(world.id(), &ann, "nowhere"),
        lost,
        world.draft(direct, &bob, "two"),
    ];
    let answers: Vec<_> =
        world.append(batch).await.into_iter().map(|answer| answer.map(|sent| sent.message.seq)).collect();
    let expected = [
        Ok(1),
        Err(Error::NotParticipant(Attempt::Send)),
        Err(Error::ConversationNotFound),
        Err(Error::MessageNotFound),
        Ok(2),
    ];
    assert_eq!(answers, expected, "each send is answered by its own result, and refusals use up no `seq`");
    let texts: Vec<_> = world.history(direct).await.into_iter().filter_map(|message| message.text).collect();
    assert_eq!(texts, ["one", "two"], "a refused send is not stored");
}

/// `MessageNotFound` if `reply_to` is not in the conversation.
pub async fn an_answer_needs_its_message_in_the_same_conversation(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let (here, there) = (world.direct(&ann, &bob).await, world.direct(&ann, &cleo).await);
    let elsewhere = world.send(there, &ann, "elsewhere").await;
    let stray = NewMessage { reply_to: Some(elsewhere.id), ..world.draft(here, &ann, "stray") };
    assert_eq!(world.try_send(stray).await, Err(Error::MessageNotFound), "`reply_to` must be in the same conversation");
    let original = world.send(here, &bob, "gone").await;
    let tombstone = world.delete(original.id, &bob).await.message;
    let answer = NewMessage { reply_to: Some(original.id), ..world.draft(here, &ann, "answer") };
    let sent = world.send_draft(answer).await;
    assert_eq!(sent.reply_to, Some(tombstone), "a tombstone keeps its place and can be answered");
}

/// A repeated (conversation, sender, `clientMessageId`) yields the first message as it is now; nothing is stored.
pub async fn a_repetition_yields_the_first_message_as_it_is_now(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let original = world.send(direct, &bob, "question").await;
    let new = NewMessage { reply_to: Some(original.id), ..world.marked(direct, &ann, "m1") };
    let first = world.send_draft(new).await.message;
    let edited = world.edit(first.id, &ann, "better").await.message;
    let latest = world.send(direct, &bob, "unread by ann").await;
    let before = world.conversation(direct).await;

    let again = world.send_draft(world.marked(direct, &ann, "m1")).await;
    assert!(again.duplicate, "the sender had sent this mark before");
    assert_eq!(again.message, edited, "a repetition yields the first message as it is now");
    assert_eq!(again.reply_to, Some(original), "and what it answers");
    assert_eq!(again.newly_read, [], "a repetition reads nothing");
    assert_eq!(world.conversation(direct).await, before, "a repetition stores nothing and moves nothing");
    assert_eq!(world.unread(direct, &ann).await, 1, "{:?} is still unread", latest.text);

    let gone = world.delete(first.id, &ann).await.message;
    assert_eq!(world.send_draft(world.marked(direct, &ann, "m1")).await.message, gone, "also as a tombstone");
}

/// A repetition is recognised inside the batch too.
pub async fn equal_marks_in_one_batch_are_one_message(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    let batch = vec![
        world.marked(direct, &ann, "m1"),
        world.draft(direct, &ann, "unmarked"),
        world.marked(direct, &ann, "m1"),
        world.marked(direct, &ann, "m2"),
        world.marked(direct, &ann, "m1"),
    ];
    let first = batch[0].id;
    let sent: Vec<_> = world.append(batch).await.into_iter().map(|answer| answer.expect("sent")).collect();
    let duplicates: Vec<bool> = sent.iter().map(|sent| sent.duplicate).collect();
    assert_eq!(duplicates, [false, false, true, false, true], "the second and third `m1` are repetitions");
    assert!([2, 4].iter().all(|at| sent[*at].message.id == first), "repetitions yield the first message");
    assert_eq!(seqs(&world.history(direct).await), [1, 2, 3], "three messages were stored, without gaps");
}

/// The mark is the sender's own, and counts per conversation. Marks are compared exactly.
pub async fn a_mark_belongs_to_one_sender_in_one_conversation(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let (one, two) = (world.direct(&ann, &bob).await, world.direct(&ann, &cleo).await);
    for (conversation, sender, mark) in [(one, &ann, "m"), (one, &bob, "m"), (two, &ann, "m"), (one, &ann, "M")] {
        let sent = world.send_draft(world.marked(conversation, sender, mark)).await;
        assert!(!sent.duplicate, "another sender, conversation or mark is another message");
    }
}

/// `BlockedByYou`/`Blocked` in direct conversations only; an append that begins after a block sees it.
pub async fn a_block_refuses_sends_in_direct_conversations_only(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let group = world.group(&ann, &[&bob]).await;
    world.block(&ann, &bob).await;
    let verdict = async |sender| world.try_send(world.draft(direct, sender, "x")).await.map(|sent| sent.message.seq);
    assert_eq!(verdict(&ann).await, Err(Error::BlockedByYou), "the blocker is told of their own block");
    assert_eq!(verdict(&bob).await, Err(Error::Blocked), "the blocked one cannot send");
    world.send(group, &ann, "groups are unaffected").await;
    world.send(group, &bob, "groups are unaffected").await;
    world.block(&bob, &ann).await;
    assert_eq!(verdict(&bob).await, Err(Error::BlockedByYou), "with blocks both ways each is told of their own");
    world.unblock(&bob, &ann).await;
    world.unblock(&ann, &bob).await;
    assert_eq!(verdict(&bob).await, Ok(1), "without a block sends go through, and refusals have used up no `seq`");
}

/// A repetition is answered with its message also where a block would refuse a new one.
pub async fn a_block_does_not_refuse_a_repetition(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let first = world.send_draft(world.marked(direct, &ann, "m1")).await.message;
    world.block(&bob, &ann).await;
    let again = world.send_draft(world.marked(direct, &ann, "m1")).await;
    assert_eq!((again.message, again.duplicate), (first, true), "what was acked stays acked");
}

/// The sender's read position moves to the message; `newly_read` is what that reads, without tombstones.
pub async fn a_send_reads_what_came_before_it(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let group = world.group(&ann, &[&bob, &cleo]).await;
    let one = world.send(group, &ann, "1").await;
    let two = world.send(group, &cleo, "2").await;
    let three = world.send(group, &ann, "3").await;
    let four = world.send(group, &ann, "4").await;
    world.delete(three.id, &ann).await;
    world.read_each(group, &bob, &[&two]).await;
    assert_eq!(world.unread(group, &bob).await, 2, "1 and 4 are unread");

    let sent = world.send_draft(world.draft(group, &bob, "5")).await;
    let expected = [one, four].map(|message| ReadMessage { id: message.id, sender_id: ann.clone() });
    assert_eq!(sent.newly_read, expected, "others' messages that were unread, oldest first, no tombstones");
    assert_eq!(world.unread(group, &bob).await, 0, "sending reads everything before");
    assert_eq!(world.unread(group, &ann).await, 1, "it is unread by the others");
    let sent = world.send_draft(world.draft(group, &bob, "6")).await;
    assert_eq!(sent.newly_read, [], "nothing is read twice");
}

/// `newly_read` inside a batch: a send reads what stands before it in the same batch.
pub async fn a_send_reads_what_came_before_it_in_the_batch(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let batch = vec![
        world.draft(direct, &ann, "1"),
        world.draft(direct, &bob, "2"),
        world.draft(direct, &ann, "3"),
        world.draft(direct, &ann, "4"),
    ];
    let sent: Vec<_> = world.append(batch).await.into_iter().map(|answer| answer.expect("sent")).collect();
    let read: Vec<Vec<MessageId>> = sent.iter().map(|sent| ids_of(&sent.newly_read)).collect();
    let id = |at: usize| sent[at].message.id;
    assert_eq!(read, [vec![], vec![id(0)], vec![id(1)], vec![]], "each send reads the others' before it, once");
    assert_eq!(world.unread(direct, &ann).await, 0, "Ann's last send read Bob's");
    assert_eq!(world.unread(direct, &bob).await, 2, "3 and 4 came after Bob's");
}

/// `newly_read`: the newest 500, oldest first; everything is read all the same.
pub async fn a_send_tells_of_the_newest_500_that_it_reads(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send_many(direct, &ann, 600).await;
    let answer = world.send_draft(world.draft(direct, &bob, "at last")).await;
    assert_eq!(ids_of(&answer.newly_read), ids(&sent[100..]), "the newest 500, oldest first");
    assert_eq!(world.unread(direct, &bob).await, 0, "the older ones are read too");
}

/// The delivered position of `delivered_to` moves; it is ignored if they are not in the conversation.
pub async fn an_append_delivers_to_its_live_recipient(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let eve = world.person("Eve").await;
    let to = |who: &_| NewMessage { delivered_to: Some(Clone::clone(who)), ..world.draft(direct, &ann, "x") };
    let stray = world.send_draft(to(&eve)).await.message;
    assert_eq!(world.status(&stray).await, MessageStatus::Sent, "an outsider is ignored");
    let message = world.send_draft(to(&bob)).await.message;
    assert_eq!(world.status(&message).await, MessageStatus::Delivered, "Bob has a live socket");
    assert_eq!(world.delivered_ids(&bob).await, [], "there is nothing left to be delivered to Bob");
    assert_eq!(world.unread(direct, &bob).await, 2, "delivered is not read");
}

/// `active_at` moves to `created_at`, never back.
pub async fn activity_never_goes_back(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    let late = world.send(direct, &ann, "late").await;
    assert_eq!(world.conversation(direct).await.active_at, late.created_at, "`active_at` moves to `created_at`");
    let created_at = Timestamp::from_millis(late.created_at.millis() - 60_000);
    let early = world.send_draft(NewMessage { created_at, ..world.draft(direct, &ann, "clock jumped") }).await.message;
    assert_eq!((early.seq, early.created_at), (2, created_at), "`seq` rises whatever the clock says");
    assert_eq!(world.conversation(direct).await.active_at, late.created_at, "`active_at` never goes back");
}
