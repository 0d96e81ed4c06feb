//! The promises of the `Archive` port. Each case has two empty storages of one kind; what several kinds make of each
//! other's records is shown where all of them are known.

use parlance_domain::model::{ContentHash, Place, Record, RecordCounts, UserId};
use parlance_domain::ports::{Begun, ReadTarget, StorageError, UnfinishedCopy};

use super::life::newest;
use crate::{Depot, race_two};

const SOURCE: ContentHash = ContentHash::from_bytes([1; 32]);
const OTHER: ContentHash = ContentHash::from_bytes([2; 32]);

/// Every kind of record, from its first.
fn beginnings() -> [Place; 7] {
    [
        Place::Users(None),
        Place::Media(None),
        Place::Conversations(None),
        Place::Messages(None),
        Place::Participants(None),
        Place::Blocks(None),
        Place::Notifications(None),
    ]
}

async fn page(depot: &Depot, after: &Place, limit: usize) -> Vec<Record> {
    depot.archive.list_records(after, limit).await.expect("the storage answers")
}

/// Sorts as places of one kind do: ids by their bytes. Places of no record have none.
fn key(place: &Place) -> Option<(Vec<u8>, i64, Vec<u8>)> {
    let seq = |seq: u64| i64::try_from(seq).unwrap_or(i64::MAX);
    let text = |id: &UserId| id.as_str().as_bytes().to_vec();
    Some(match place {
        Place::Users(Some(id)) | Place::Blocks(Some(id)) => (text(id), 0, vec![]),
        Place::Media(Some(id)) => (id.bytes().to_vec(), 0, vec![]),
        Place::Conversations(Some(id)) => (id.bytes().to_vec(), 0, vec![]),
        Place::Messages(Some((id, number))) => (id.bytes().to_vec(), seq(*number), vec![]),
        Place::Participants(Some((id, Some(user)))) => (id.bytes().to_vec(), 0, text(user)),
        Place::Notifications(Some((user, at, id))) => (text(user), at.millis(), id.bytes().to_vec()),
        _ => return None,
    })
}

/// Everything of a kind, in pages of this size.
async fn pages(depot: &Depot, beginning: &Place, limit: usize) -> Vec<Record> {
    let (mut all, mut after) = (Vec::new(), beginning.clone());
    loop {
        let records = page(depot, &after, limit).await;
        assert!(records.len() <= limit, "a page has at most as many records as asked for");
        let at_end = records.len() < limit;
        all.extend(records);
        match all.last() {
            Some(last) if !at_end => after = last.place(),
            _ => return all,
        }
    }
}

/// All records of the original are all records of the copy, field by field.
pub async fn what_goes_out_comes_in_the_same(original: Depot, copy: Depot) {
    original.live().await;
    let moved = original.move_to(&copy).await;
    let (records, copied) = (original.records().await, copy.records().await);
    for (record, copied) in records.iter().zip(&copied) {
        assert_eq!(copied, record, "every record comes in as it went out");
    }
    assert_eq!(copied.len(), records.len(), "none is missing, none is new");
    let kinds = moved.counts;
    for count in [kinds.users, kinds.media, kinds.conversations, kinds.messages, kinds.participants, kinds.blocks] {
        assert!(count > 0, "there was something of every kind: {kinds:?}");
    }
    assert!(kinds.notifications > 0 && !moved.resumed, "notifications too");
}

/// The moment before which tokens are revoked moves with its user.
pub async fn revocations_come_along(original: Depot, copy: Depot) {
    original.live().await;
    let [ann, eve] = ["ann", "eve"].map(|id| id.parse::<UserId>().expect("a valid id"));
    let before = original.world.now();
    original.world.revoke(&eve, before).await;
    original.move_to(&copy).await;
    for (user, revoked) in [(&ann, None), (&eve, Some(before))] {
        let found = copy.world.storage().find_revocation(user).await.expect("the storage answers");
        assert_eq!(found, revoked, "the tokens of {user}");
    }
    assert_eq!(copy.records().await, original.records().await, "it is in the records");
}

/// Lists, history, unread counts, statuses, search, sync, notifications, media: all answers are the same.
pub async fn a_restored_storage_answers_like_the_original(original: Depot, copy: Depot) {
    original.live().await;
    original.live_on(1, 60).await;
    original.move_to(&copy).await;
    assert_eq!(copy.answers().await, original.answers().await, "a copy answers like its original");
}

/// Whatever happens next happens in the copy as in the original: `seq`, `rev`, repetitions, unread counts, refusals.
pub async fn a_restored_storage_lives_on_like_the_original(original: Depot, copy: Depot) {
    original.live().await;
    original.move_to(&copy).await;
    copy.world.set_like(&original.world);
    for seed in 2..4 {
        original.live_on(seed, 40).await;
        copy.live_on(seed, 40).await;
        assert_eq!(copy.answers().await, original.answers().await, "after the life of seed {seed}");
    }
    assert_eq!(copy.records().await, original.records().await, "and so are the records");
}

/// Pages of any size are the same records, in the order of their places, each once.
pub async fn pages_of_any_size_are_the_same_records(original: Depot, _copy: Depot) {
    original.live().await;
    for beginning in beginnings() {
        let all = page(&original, &beginning, 100_000).await;
        assert!(all.is_sorted_by_key(|record| key(&record.place())), "records after {beginning} are in order");
        for limit in [1, 2, 7, all.len().max(1)] {
            assert_eq!(pages(&original, &beginning, limit).await, all, "pages of {limit} after {beginning}");
        }
        for (at, record) in all.iter().enumerate() {
            let rest = page(&original, &record.place(), 100_000).await;
            assert_eq!(rest, all[at + 1..], "what comes after {}", record.place());
        }
    }
}

/// A record that is there all the time comes once, whatever comes and goes around it.
pub async fn pages_are_stable_while_others_come_and_go(original: Depot, _copy: Depot) {
    let world = &original.world;
    let (ann, bob, direct) = world.ann_and_bob().await;
    let said = world.send_many(direct, &ann, 9).await;
    let (mut seen, mut after) = (Vec::new(), Place::Messages(None));
    for _ in 0..said.len() / 2 {
        let records = page(&original, &after, 2).await;
        world.send(direct, &bob, "meanwhile").await;
        after = records.last().expect("there are more").place();
        seen.extend(records.into_iter().map(|record| record.place()));
    }
    let expected: Vec<Place> = said[..8].iter().map(|said| Place::Messages(Some((direct, said.seq)))).collect();
    assert_eq!(seen, expected, "each message once, in order");
}

/// `count_records` counts what `list_records` lists.
pub async fn counts_are_those_of_the_records(original: Depot, _copy: Depot) {
    let counted = async || original.archive.count_records().await.expect("the storage answers");
    assert_eq!(counted().await, RecordCounts::default(), "there is nothing at first");
    original.live().await;
    let mut expected = RecordCounts::default();
    for record in original.records().await {
        expected.add(&record);
    }
    assert_eq!(counted().await, expected, "each record is counted");
}

/// A batch that comes again, whole or cut in another way, changes nothing: no record, no count, no use of a medium.
pub async fn taking_in_twice_changes_nothing(original: Depot, copy: Depot) {
    original.live().await;
    let records = original.records().await;
    assert_eq!(copy.begin(SOURCE).await, Begun::Fresh, "the copy is empty");
    for batch in records.chunks(10) {
        copy.take_in(batch).await;
        copy.take_in(batch).await;
    }
    for batch in records.chunks(17) {
        copy.take_in(batch).await;
    }
    copy.archive.finish_copy().await.expect("the storage answers");
    copy.archive.finish_copy().await.expect("to finish twice is to finish");
    assert_eq!(copy.records().await, records, "the records are those that were taken in");
    assert_eq!(copy.answers().await, original.answers().await, "and nothing is counted twice");
}

/// From every place at which a copy can stop, the rest of the records makes it whole.
pub async fn a_copy_goes_on_wherever_it_was_cut(original: Depot, copy: Depot) {
    original.live().await;
    let records = original.records().await;
    let mut reached = None;
    assert_eq!(copy.begin(SOURCE).await, Begun::Fresh, "the copy is empty");
    // Each turn is a process that takes in a few records, and ends.
    loop {
        let rest = original.records_after(reached.as_ref()).await;
        let Some(batch) = rest.chunks(7).next() else { break };
        copy.take_in(batch).await;
        reached = batch.last().map(Record::place);
        let expected = Begun::Unfinished(reached.clone());
        assert_eq!(copy.begin(SOURCE).await, expected, "it goes on after the last record");
    }
    copy.archive.finish_copy().await.expect("the storage answers");
    assert_eq!(copy.records().await, records, "the parts are the whole");
    assert_eq!(copy.answers().await, original.answers().await, "and the copy answers like its original");
}

/// `find_copy` knows the source and the last record, whichever kind it is of, also after an empty batch.
pub async fn the_place_reached_is_that_of_the_last_record(original: Depot, copy: Depot) {
    original.live().await;
    let found = || async { copy.archive.find_copy().await.expect("the storage answers") };
    assert_eq!(found().await, None, "no copy has begun");
    copy.begin(SOURCE).await;
    assert_eq!(found().await, Some(UnfinishedCopy { source: SOURCE, reached: None }), "it has reached nothing");
    let records = original.records().await;
    // Each kind of record is the last of some batch.
    for batch in records.chunk_by(|one, other| std::mem::discriminant(one) == std::mem::discriminant(other)) {
        copy.take_in(batch).await;
        copy.take_in(&[]).await;
        let expected = UnfinishedCopy { source: SOURCE, reached: batch.last().map(Record::place) };
        assert_eq!(found().await, Some(expected), "it has reached this record");
    }
    copy.archive.finish_copy().await.expect("the storage answers");
    assert_eq!(found().await, None, "it is finished");
}

/// A storage that holds anything, if only a user, takes no copy in.
pub async fn a_copy_begins_in_an_empty_storage_alone(original: Depot, copy: Depot) {
    original.world.person("Ann").await;
    assert_eq!(original.begin(SOURCE).await, Begun::Occupied, "somebody is there");
    assert_eq!(original.archive.find_copy().await.expect("the storage answers"), None, "nothing has begun");
    copy.live().await;
    let before = copy.records().await;
    assert_eq!(copy.begin(SOURCE).await, Begun::Occupied, "a whole life is there");
    assert_eq!(copy.records().await, before, "and stays");
}

/// An unfinished copy goes on with its own source only.
pub async fn another_source_does_not_go_on(original: Depot, copy: Depot) {
    original.live().await;
    let records = original.records().await;
    copy.begin(SOURCE).await;
    assert_eq!(copy.begin(OTHER).await, Begun::Foreign, "it is the copy of another source, if an empty one");
    copy.take_in(&records[..5]).await;
    assert_eq!(copy.begin(OTHER).await, Begun::Foreign, "it is the copy of another source");
    let reached = Some(records[4].place());
    assert_eq!(copy.begin(SOURCE).await, Begun::Unfinished(reached), "its own goes on");
}

/// Of two copies that begin at once one begins, and the other one is told.
pub async fn of_two_copies_at_once_one_begins(_original: Depot, copy: Depot) {
    let begin = |source| {
        let copy = copy.clone();
        async move { copy.archive.begin_copy(source).await }
    };
    let (one, other) = race_two(begin(SOURCE), begin(OTHER)).await;
    let (one, other) = (one.expect("the storage answers"), other.expect("the storage answers"));
    let (winner, loser) = if one == Begun::Fresh { (SOURCE, other) } else { (OTHER, one) };
    assert_eq!(loser, Begun::Foreign, "the other one finds a copy that is not its own");
    let found = copy.archive.find_copy().await.expect("the storage answers").expect("a copy has begun");
    assert_eq!(found.source, winner, "and the first one stays");
}

/// Without a copy that has begun, nothing comes in.
pub async fn nothing_is_taken_in_without_a_copy(original: Depot, copy: Depot) {
    original.live().await;
    let records = original.records().await;
    for batch in [&records[..3], &records[..]] {
        let refused = copy.archive.take_in(batch).await;
        assert!(matches!(refused, Err(StorageError::Corrupt { .. })), "no copy has begun: {refused:?}");
    }
    assert_eq!(copy.records().await, [], "nothing has come in");
}

/// A picture's medium comes in after its user; once the copy is finished the user keeps it.
pub async fn pictures_keep_their_media_once_the_copy_is_finished(original: Depot, copy: Depot) {
    let world = &original.world;
    let people = world.people(["Ann", "Bob", "Cleo"]).await;
    let mut media = Vec::new();
    for user in &people {
        let medium = world.upload(user).await;
        world.picture(user, Some(&medium.url("/media/"))).await;
        media.push(medium);
    }
    let spare = world.upload(&people[0]).await;
    original.move_to(&copy).await;
    assert_eq!(copy.world.unused().await, [spare.id], "the pictures are used");
    for medium in &media {
        assert!(!copy.world.remove_medium(medium.id).await, "and not removed");
    }
    copy.world.picture(&people[1], None).await;
    assert!(copy.world.remove_medium(media[1].id).await, "until their user has another one");
}

/// After the copy people come, write and read as anywhere, and what they sent before they were moved is known.
pub async fn a_finished_copy_is_a_storage_like_any_other(original: Depot, copy: Depot) {
    let world = &original.world;
    let (ann, bob, direct) = world.ann_and_bob().await;
    let first = world.send_draft(world.marked(direct, &ann, "once")).await.message;
    original.move_to(&copy).await;
    copy.world.set_like(world);
    let world = &copy.world;
    let again = world.send_draft(world.marked(direct, &ann, "once")).await;
    assert!(again.duplicate && again.message == first, "a repetition is recognised");
    assert_eq!(world.direct(&bob, &ann).await, direct, "two people have one conversation");
    assert_eq!(world.unread(direct, &bob).await, 1, "what was unread is unread");
    let second = world.send(direct, &bob, "two").await;
    assert_eq!((second.seq, second.rev), (2, 2), "`seq` and `rev` count on");
    world.read(direct, &ann, ReadTarget::All).await;
    assert_eq!(newest(world, direct).await, second, "and history goes on");
    let cleo = world.person("Cleo").await;
    world.send(world.direct(&cleo, &ann).await, &cleo, "new here").await;
}

/// Nothing moves as well as something.
pub async fn an_empty_storage_is_moved_too(original: Depot, copy: Depot) {
    let moved = original.move_to(&copy).await;
    assert_eq!(moved.counts, RecordCounts::default(), "there was nothing");
    assert_eq!(copy.archive.find_copy().await.expect("the storage answers"), None, "and the copy is finished");
    assert_eq!(copy.begin(OTHER).await, Begun::Fresh, "an empty storage takes a copy in");
}
