//! The promises of the `Receipts` port but for `mark_delivered`, which is in `delivery`.

use parlance_domain::error::{Attempt, Error};
use parlance_domain::model::{ConversationId, Message, MessageStatus, ReadState, UserId, Watermarks};
use parlance_domain::ports::{ReadMarked, ReadMessage, ReadTarget};

use crate::World;
use crate::doing::{ids, ids_of};

fn by(sender: &UserId, messages: &[&Message]) -> Vec<ReadMessage> {
    messages.iter().map(|message| ReadMessage { id: message.id, sender_id: sender.clone() }).collect()
}

async fn all_unread(world: &World, user: &UserId) -> Vec<(ConversationId, u64)> {
    let mut counts = world.storage().list_unread(user).await.expect("the storage answers");
    counts.sort_unstable();
    counts
}

/// `All`: everything is read; `newly_read` is others' messages that were unread, oldest first.
pub async fn reading_all_reads_everything(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let group = world.group(&ann, &[&bob, &cleo]).await;
    let one = world.send(group, &ann, "1").await;
    let two = world.send(group, &cleo, "2").await;
    let marked = world.read_all(group, &bob).await;
    let expected = [by(&ann, &[&one]), by(&cleo, &[&two])].concat();
    assert_eq!(marked, ReadMarked { newly_read: expected, unread: 0 }, "each with its sender, oldest first");
    assert_eq!(world.unread(group, &bob).await, 0, "nothing is unread any more");
    assert_eq!(world.unread(group, &ann).await, 1, "reading is everybody's own");
}

/// `UpTo`: everything up to this message is read, nothing beyond, and the position never goes back.
pub async fn reading_up_to_a_message_reads_no_further(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send_many(direct, &ann, 5).await;
    let marked = world.read_up_to(&sent[2], &bob).await;
    let expected = ReadMarked { newly_read: by(&ann, &[&sent[0], &sent[1], &sent[2]]), unread: 2 };
    assert_eq!(marked, expected, "1, 2 and 3 are read, 4 and 5 are not");
    let marked = world.read_up_to(&sent[0], &bob).await;
    assert_eq!(marked, ReadMarked { newly_read: vec![], unread: 2 }, "positions never go back");
    assert_eq!(world.status(&sent[2]).await, MessageStatus::Read, "what was read stays read");
    assert_eq!(world.status(&sent[3]).await, MessageStatus::Sent, "nothing beyond it is read");
}

/// `Messages`: exactly these; single reads beyond the position fold into it as gaps close.
pub async fn single_reads_are_kept_exactly_and_fold(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send_many(direct, &ann, 5).await;
    let marked = world.read_each(direct, &bob, &[&sent[3], &sent[1]]).await;
    let expected = ReadMarked { newly_read: by(&ann, &[&sent[1], &sent[3]]), unread: 3 };
    assert_eq!(marked, expected, "exactly the named ones are read, told oldest first");
    for (message, read) in sent.iter().zip([false, true, false, true, false]) {
        let expected = if read { MessageStatus::Read } else { MessageStatus::Sent };
        assert_eq!(world.status(message).await, expected, "single reads count for message {} alone", message.seq);
    }
    let marked = world.read_each(direct, &bob, &[&sent[0]]).await;
    assert_eq!(marked, ReadMarked { newly_read: by(&ann, &[&sent[0]]), unread: 2 }, "the first gap closes");
    let marked = world.read_each(direct, &bob, &[&sent[2], &sent[3]]).await;
    assert_eq!(marked, ReadMarked { newly_read: by(&ann, &[&sent[2]]), unread: 1 }, "4 was read already");
    let marks = world.watermarks(direct).await;
    assert_eq!(marks.ahead, [], "closed gaps leave no single reads behind");
    assert!(marks.read.contains(&(bob.clone(), 4)), "single reads fold into the position as gaps close");
    let marked = world.read_all(direct, &bob).await;
    assert_eq!(marked.newly_read, by(&ann, &[&sent[4]]), "only what was unread is newly read");
}

/// `Messages`: those that are not in the conversation are passed over; repetition within the list is harmless.
pub async fn strange_ids_are_passed_over(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let (here, there) = (world.direct(&ann, &bob).await, world.direct(&bob, &cleo).await);
    let sent = world.send(here, &ann, "here").await;
    let elsewhere = world.send(there, &cleo, "elsewhere").await;
    let target = ReadTarget::Messages(vec![world.id(), elsewhere.id, sent.id, sent.id]);
    let marked = world.read(here, &bob, target).await;
    assert_eq!(marked, ReadMarked { newly_read: by(&ann, &[&sent]), unread: 0 }, "strange ids are passed over");
    assert_eq!(world.unread(there, &bob).await, 1, "another conversation is not touched");
    let marked = world.read(here, &bob, ReadTarget::Messages(vec![])).await;
    assert_eq!(marked, ReadMarked::default(), "an empty list reads nothing");
}

/// Idempotent: a second mark of the same reads nothing new.
pub async fn a_second_mark_reads_nothing_new(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send_many(direct, &ann, 4).await;
    let id = |at: usize| sent[at].id;
    let targets = [(ReadTarget::Messages(vec![id(2)]), 3), (ReadTarget::UpTo(id(1)), 1), (ReadTarget::All, 0)];
    for (target, unread) in targets {
        assert!(!world.read(direct, &bob, target.clone()).await.newly_read.is_empty(), "the first mark reads");
        let again = world.read(direct, &bob, target.clone()).await;
        assert_eq!(again, ReadMarked { newly_read: vec![], unread }, "the same mark again reads nothing: {target:?}");
    }
}

/// The reader's own messages are never newly read, nor unread.
pub async fn ones_own_messages_are_never_read(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let own = world.send(direct, &bob, "own").await;
    let others = world.send(direct, &ann, "other's").await;
    assert_eq!(world.unread(direct, &bob).await, 1, "one's own message is not unread");
    let each = world.read_each(direct, &bob, &[&own]).await;
    assert_eq!(each, ReadMarked { newly_read: vec![], unread: 1 }, "one's own message is never newly read");
    let marked = world.read_all(direct, &bob).await;
    assert_eq!(marked.newly_read, by(&ann, &[&others]), "only others' messages are newly read");
    assert_eq!(world.status(&own).await, MessageStatus::Read, "Ann's send read it, not Bob's marks");
}

/// One's own mark does not turn one's own message to read.
pub async fn reading_ones_own_message_does_not_raise_its_status(world: World) {
    let (_, bob, direct) = world.ann_and_bob().await;
    let own = world.send(direct, &bob, "own").await;
    world.read_all(direct, &bob).await;
    world.read_each(direct, &bob, &[&own]).await;
    world.deliver(&bob).await;
    assert_eq!(world.status(&own).await, MessageStatus::Sent, "only others raise a message's status");
}

/// `newly_read` is without tombstones, and tombstones are not unread.
pub async fn tombstones_are_neither_unread_nor_newly_read(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send_many(direct, &ann, 3).await;
    world.delete(sent[1].id, &ann).await;
    assert_eq!(world.unread(direct, &bob).await, 2, "a deleted message stops counting");
    let each = world.read_each(direct, &bob, &[&sent[1]]).await;
    assert_eq!(each, ReadMarked { newly_read: vec![], unread: 2 }, "a tombstone is not newly read");
    let marked = world.read_up_to(&sent[1], &bob).await;
    assert_eq!(marked, ReadMarked { newly_read: by(&ann, &[&sent[0]]), unread: 1 }, "it can be read up to");
    let marked = world.read_all(direct, &bob).await;
    assert_eq!(marked, ReadMarked { newly_read: by(&ann, &[&sent[2]]), unread: 0 }, "nothing is counted twice");
}

/// `NotParticipant(Access)`, `ConversationNotFound`, `MessageNotFound`; nothing has changed then.
pub async fn refused_marks_change_nothing(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let eve = world.person("Eve").await;
    let other = world.direct(&ann, &eve).await;
    let sent = world.send(direct, &ann, "x").await;
    let elsewhere = world.send(other, &ann, "elsewhere").await;
    let mark = async |id, reader, target| world.try_read(id, reader, &target).await.map(|marked| marked.unread);
    let outsider = Err(Error::NotParticipant(Attempt::Access));
    for target in [ReadTarget::All, ReadTarget::UpTo(sent.id), ReadTarget::Messages(vec![sent.id])] {
        assert_eq!(mark(direct, &eve, target.clone()).await, outsider, "an outsider reads nothing: {target:?}");
        assert_eq!(mark(world.id(), &bob, target).await, Err(Error::ConversationNotFound), "there is none");
    }
    for stray in [elsewhere.id, world.id()] {
        let verdict = mark(direct, &bob, ReadTarget::UpTo(stray)).await;
        assert_eq!(verdict, Err(Error::MessageNotFound), "`UpTo` must be in the conversation");
    }
    assert_eq!(world.unread(direct, &bob).await, 1, "a refused mark changes nothing");
    assert_eq!(world.status(&sent).await, MessageStatus::Sent, "a refused mark reads nothing");
}

/// `newly_read`: the newest 500, oldest first; everything is read all the same.
pub async fn a_mark_tells_of_the_newest_500(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send_many(direct, &ann, 620).await;
    let marked = world.read_up_to(&sent[609], &bob).await;
    assert_eq!(ids_of(&marked.newly_read), ids(&sent[110..610]), "the newest 500, oldest first");
    assert_eq!(marked.unread, 10, "the older ones are read too");
}

/// `Messages`: 500 at a time; reads of every second message stay bounded and the count stays true.
pub async fn many_single_reads_stay_bounded_and_true(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send_many(direct, &ann, 1_200).await;
    let mut model = ReadState::default();
    let every_second: Vec<&Message> = sent.iter().skip(1).step_by(2).collect();
    let mut read = 0;
    for chunk in every_second.chunks(500) {
        let marked = world.read_each(direct, &bob, chunk).await;
        for message in chunk {
            model.mark(message.seq);
        }
        read = sent.iter().filter(|message| model.covers(message.seq)).count();
        assert_eq!(marked.unread, (sent.len() - read) as u64, "the count is what `ReadState` does not cover");
    }
    assert!(read > every_second.len(), "past `ReadState::MAX_RANGES` the position jumps over the oldest gaps");
    let marks = world.watermarks(direct).await;
    let ahead = marks.ahead.iter().find(|(user, _)| *user == bob).map_or(0, |(_, ranges)| ranges.len());
    assert!((1..=ReadState::MAX_RANGES).contains(&ahead), "single reads are bounded by `ReadState::MAX_RANGES`");
    let marked = world.read_all(direct, &bob).await;
    assert_eq!((marked.newly_read.len(), marked.unread), ((sent.len() - read).min(500), 0), "the rest was unread");
}

/// `list_unread`: per conversation in which something is unread; only those that the user is in.
pub async fn unread_counts_are_listed_where_something_is_unread(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let (one, two) = (world.direct(&ann, &bob).await, world.direct(&bob, &cleo).await);
    let (group, quiet) = (world.group(&ann, &[&bob, &cleo]).await, world.group(&bob, &[&ann]).await);
    world.send_many(one, &ann, 2).await;
    world.send(two, &cleo, "x").await;
    world.send_many(group, &cleo, 3).await;
    world.send(quiet, &bob, "own").await;
    assert_eq!(all_unread(&world, &bob).await, [(one, 2), (two, 1), (group, 3)], "only where something is unread");
    world.read_all(one, &bob).await;
    world.leave(group, &bob).await;
    assert_eq!(all_unread(&world, &bob).await, [(two, 1)], "neither what was read nor what was left is listed");
    assert_eq!(all_unread(&world, &world.id_of_nobody()).await, [], "nobody has nothing unread");
}

/// `list_unread_of`: for those of them who are in the conversation.
pub async fn unread_counts_of_people_are_for_participants_only(world: World) {
    let [ann, bob, cleo, eve] = world.people(["Ann", "Bob", "Cleo", "Eve"]).await;
    let group = world.group(&ann, &[&bob, &cleo]).await;
    world.send_many(group, &ann, 2).await;
    world.send(group, &cleo, "x").await;
    world.leave(group, &cleo).await;
    let everybody = [eve, cleo, bob.clone(), ann.clone()];
    let mut counts = world.storage().list_unread_of(group, &everybody).await.expect("the storage answers");
    counts.sort();
    assert_eq!(counts, [(ann, 2), (bob, 4)], "neither outsiders nor those who have left are counted for");
    let counts = world.storage().list_unread_of(world.id(), &everybody).await.expect("the storage answers");
    assert_eq!(counts, [], "nobody is in a conversation that is not there");
}

/// `find_entry` and `list_entries` say the same unread count as `Receipts` does.
pub async fn all_ports_agree_on_the_unread_count(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send_many(direct, &ann, 4).await;
    world.read_each(direct, &bob, &[&sent[1]]).await;
    world.delete(sent[2].id, &ann).await;
    let query = parlance_domain::ports::ConversationQuery { limit: 10, ..Default::default() };
    let page = world.storage().list_entries(&bob, &query).await.expect("the storage answers");
    assert_eq!(world.unread(direct, &bob).await, 2, "1 and 4 are unread");
    assert_eq!(world.entry(direct, &bob).await.unread, 2, "`find_entry` agrees");
    assert_eq!(page.items[0].unread, 2, "`list_entries` agrees");
    assert_eq!(all_unread(&world, &bob).await, [(direct, 2)], "`list_unread` agrees");
}

/// `list_watermarks`: of these conversations, for those that exist.
pub async fn watermarks_are_listed_for_conversations_that_exist(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let (one, two) = (world.direct(&ann, &bob).await, world.direct(&ann, &cleo).await);
    let (first, second) = (world.send(one, &ann, "1").await, world.send(two, &ann, "2").await);
    world.read_all(one, &bob).await;
    world.deliver(&cleo).await;
    let asked = [one, world.id(), two];
    let mut all = world.storage().list_watermarks(&asked).await.expect("the storage answers");
    all.sort_by_key(|(id, _)| *id);
    assert_eq!(all.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [one, two], "each conversation that exists, once");
    let (of_one, of_two) = (&all[0].1, &all[1].1);
    let status = |marks: &Watermarks, message: &Message| marks.status(&message.sender_id, message.seq);
    assert_eq!(status(of_one, &first), MessageStatus::Read, "Bob has read");
    assert_eq!(status(of_two, &second), MessageStatus::Delivered, "Cleo has received");
}

/// Watermarks hold the leaders: in a group one reader is enough, whoever it is.
pub async fn one_reader_of_many_is_enough(world: World) {
    let [ann, bob, cleo, dan] = world.people(["Ann", "Bob", "Cleo", "Dan"]).await;
    let group = world.group(&ann, &[&bob, &cleo, &dan]).await;
    let one = world.send(group, &ann, "1").await;
    let two = world.send(group, &ann, "2").await;
    world.deliver(&dan).await;
    assert_eq!(world.status(&two).await, MessageStatus::Delivered, "one recipient has received it");
    world.read_up_to(&one, &cleo).await;
    assert_eq!(world.status(&one).await, MessageStatus::Read, "one recipient has read it");
    assert_eq!(world.status(&two).await, MessageStatus::Delivered, "nobody has read the second");
    let three = world.send(group, &bob, "3").await;
    assert_eq!(world.status(&two).await, MessageStatus::Read, "Bob's send has read it");
    assert_eq!(world.status(&three).await, MessageStatus::Sent, "nobody but its sender has seen the third");
}
