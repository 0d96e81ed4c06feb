//! What happens when two write at once: sends, marks, amendments, blocks. Each race is run several times, since
//! one run proves little; what is promised must hold whoever comes first. Membership has its own file.

use std::collections::BTreeSet;

use parlance_domain::error::Error;
use parlance_domain::model::{ClientMessageId, ConversationId, MessageId, MessageStatus};
use parlance_domain::rules::Limits;
use parlance_domain::rules::amending::Amendment;

use crate::doing::{emoji_of, ids, ids_of};
use crate::{World, race, race_two};

pub(super) const ROUNDS: usize = 6;

/// `seq` and `rev` have no gaps and no repetition, and say the same to everybody.
pub(crate) async fn assert_gapless(world: &World, id: ConversationId) {
    let history = world.history(id).await;
    let seqs: Vec<u64> = history.iter().map(|message| message.seq).collect();
    assert_eq!(seqs, (1..=history.len() as u64).collect::<Vec<_>>(), "`seq` counts without gaps and repetition");
    let now = world.conversation(id).await;
    assert_eq!(now.last_seq, history.len() as u64, "the conversation knows its newest `seq`");
    let revs: BTreeSet<u64> = history.iter().map(|message| message.rev).collect();
    assert_eq!(revs.len(), history.len(), "no two messages have one `rev`");
    assert!(revs.iter().all(|rev| *rev <= now.rev), "no message has a `rev` beyond the conversation's");
}

/// However many send one `clientMessageId` at once, one message is stored and all get it.
pub async fn sends_with_one_mark_at_once_are_one_message(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    for round in 0..ROUNDS {
        let sends = (0..8).map(|_| {
            let (world, ann, mark) = (world.clone(), ann.clone(), format!("mark-{round}"));
            async move { world.send_draft(world.marked(direct, &ann, &mark)).await }
        });
        let sent = race(sends).await;
        assert!(sent.iter().all(|one| one.message == sent[0].message), "all get the one message");
        assert_eq!(sent.iter().filter(|one| !one.duplicate).count(), 1, "exactly one has stored it");
    }
    assert_eq!(world.history(direct).await.len(), ROUNDS, "one message a round was stored");
    assert_eq!(world.unread(direct, &bob).await, ROUNDS as u64, "and counts once");
    assert_gapless(&world, direct).await;
}

/// Batches with the same marks at once: each mark is one message, inside and across the batches.
pub async fn batches_with_the_same_marks_at_once_store_each_once(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    let batches = (0..4).map(|n| {
        let (world, ann) = (world.clone(), ann.clone());
        async move {
            let mut marks: Vec<String> = (0..10).map(|mark| format!("mark-{}", mark % 5)).collect();
            marks.rotate_left(n);
            let batch = marks.iter().map(|mark| world.marked(direct, &ann, mark)).collect();
            let answers = world.append(batch).await.into_iter().map(|answer| answer.expect("sent"));
            marks.into_iter().zip(answers).collect::<Vec<_>>()
        }
    });
    let answers = race(batches).await.concat();
    for (mark, sent) in &answers {
        let own = sent.message.client_message_id.as_ref().map(ClientMessageId::as_str);
        assert_eq!(own, Some(mark.as_str()), "each send is answered by the message of its own mark");
    }
    let stored: BTreeSet<MessageId> = answers.iter().map(|(_, sent)| sent.message.id).collect();
    assert_eq!(stored.len(), 5, "each mark is one message");
    assert_eq!(answers.iter().filter(|(_, sent)| !sent.duplicate).count(), 5, "each was stored once");
    assert_gapless(&world, direct).await;
}

/// Concurrent appends by many, alone and in batches: `seq` and `rev` count 1, 2, 3 … whoever writes.
pub async fn appends_by_many_count_without_gaps(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let writers = (0..6).map(|n| {
        let (world, who) = (world.clone(), if n % 2 == 0 { ann.clone() } else { bob.clone() });
        async move {
            let mut sent = Vec::new();
            for size in [1, 3, 1, 5] {
                sent.extend(world.send_many(direct, &who, size).await);
            }
            assert!(sent.is_sorted_by_key(|message| message.seq), "one writer's messages keep their order");
            sent
        }
    });
    let mut sent = race(writers).await.concat();
    sent.sort_by_key(|message| message.seq);
    assert_eq!(world.history(direct).await, sent, "every answer is what is stored");
    assert!(sent.iter().all(|message| message.rev == message.seq), "`rev` counts as `seq` does");
    assert_eq!(sent.len(), 60, "nothing was lost");
    assert_gapless(&world, direct).await;
}

/// Batches that touch the same conversations in opposite order neither fail nor mix anything up.
pub async fn batches_across_conversations_do_not_lock_each_other_out(world: World) {
    let ann = world.person("Ann").await;
    let mut places = Vec::new();
    for n in 0..4 {
        let other = world.person(&format!("Other-{n}")).await;
        places.push(world.direct(&ann, &other).await);
    }
    let batches = (0..6).map(|n| {
        let (world, ann, mut places) = (world.clone(), ann.clone(), places.clone());
        if n % 2 == 0 {
            places.reverse();
        }
        async move {
            for _ in 0..3 {
                let batch = places.iter().map(|place| world.draft(*place, &ann, "x")).collect();
                let answers = world.append(batch).await;
                assert!(answers.iter().all(Result::is_ok), "every send is stored");
            }
        }
    });
    race(batches).await;
    for place in places {
        assert_eq!(world.history(place).await.len(), 18, "every send is where it belongs");
        assert_gapless(&world, place).await;
    }
}

/// Appends, amendments and membership changes at once share one count of `rev`.
pub async fn all_kinds_of_changes_share_one_rev(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    let group = world.group(&ann, &[&bob]).await;
    let sent = world.send_many(group, &ann, 4).await;
    let tasks = (0..4).map(|n| {
        let (world, ann, bob, cleo, sent) = (world.clone(), ann.clone(), bob.clone(), cleo.clone(), sent.clone());
        async move {
            for step in 0..5 {
                match n {
                    0 => drop(world.send(group, &bob, "x").await),
                    1 => drop(world.edit(sent[0].id, &ann, &format!("edited {step}")).await),
                    2 => drop(world.react(sent[1].id, &bob, &format!("e{step}")).await),
                    _ if step % 2 == 0 => drop(world.add(group, &ann, &cleo).await),
                    _ => drop(world.remove(group, &ann, &cleo).await),
                }
            }
        }
    });
    race(tasks).await;
    assert_eq!(world.conversation(group).await.rev, 24, "each of the 24 changes has moved `rev` by one");
    assert_eq!(world.conversation(group).await.last_seq, 14, "each of the 14 messages has moved `seq` by one");
    assert_gapless(&world, group).await;
}

/// Mark-read against send: each message is newly read once or is unread, and the count says how many.
pub async fn marks_against_sends_lose_nothing(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let tasks = (0..4).map(|n| {
        let (world, ann, bob) = (world.clone(), ann.clone(), bob.clone());
        async move {
            let mut read = Vec::new();
            for _ in 0..8 {
                if n < 2 {
                    world.send(direct, &ann, "x").await;
                } else {
                    read.extend(ids_of(&world.read_all(direct, &bob).await.newly_read));
                }
            }
            read
        }
    });
    let mut read = race(tasks).await.concat();
    let unread = world.unread(direct, &bob).await;
    assert_eq!(read.len() as u64 + unread, 16, "what was not newly read is unread");
    let rest = ids_of(&world.read_all(direct, &bob).await.newly_read);
    assert_eq!(rest.len() as u64, unread, "the count is what is left to read");
    read.extend(rest);
    read.sort();
    let mut sent = ids(&world.history(direct).await);
    sent.sort();
    assert_eq!(read, sent, "each message is newly read exactly once");
}

/// Marks of all kinds and the reader's own sends at once: newly read exactly once, and no position goes back.
pub async fn marks_at_once_read_each_message_once(world: World) {
    for _ in 0..ROUNDS {
        let ann = world.person(&format!("Ann-{}", world.id::<MessageId>())).await;
        let bob = world.person(&format!("Bob-{}", world.id::<MessageId>())).await;
        let direct = world.direct(&ann, &bob).await;
        let sent = world.send_many(direct, &ann, 12).await;
        let tasks = (0..6_usize).map(|n| {
            let (world, bob, sent) = (world.clone(), bob.clone(), sent.clone());
            async move {
                match n {
                    0 => ids_of(&world.send_draft(world.draft(direct, &bob, "own")).await.newly_read),
                    1 | 2 => ids_of(&world.read_up_to(&sent[n * 4], &bob).await.newly_read),
                    3 => {
                        let odd: Vec<_> = sent.iter().filter(|message| message.seq % 2 == 1).collect();
                        ids_of(&world.read_each(direct, &bob, &odd).await.newly_read)
                    }
                    4 => ids_of(&world.read_up_to(&sent[1], &bob).await.newly_read),
                    _ => ids_of(&world.read_all(direct, &bob).await.newly_read),
                }
            }
        });
        let mut read = race(tasks).await.concat();
        read.sort();
        assert_eq!(read, ids(&sent), "each message is newly read exactly once");
        assert_eq!(world.unread(direct, &bob).await, 0, "one of the marks was for everything");
        assert_eq!(world.status(&sent[11]).await, MessageStatus::Read, "a lower mark does not move a position back");
    }
}

/// Single reads at once are all kept.
pub async fn single_reads_at_once_are_all_kept(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let sent = world.send_many(direct, &ann, 16).await;
    let marks = (0..8_usize).map(|n| {
        let (world, bob, sent) = (world.clone(), bob.clone(), sent.clone());
        async move { world.read_each(direct, &bob, &[&sent[15 - 2 * n]]).await.newly_read.len() }
    });
    assert_eq!(race(marks).await, [1; 8], "each mark reads its own message");
    assert_eq!(world.unread(direct, &bob).await, 8, "no mark was lost");
    for message in sent {
        let expected = if message.seq % 2 == 0 { MessageStatus::Read } else { MessageStatus::Sent };
        assert_eq!(world.status(&message).await, expected, "exactly the marked ones are read");
    }
}

/// Delete against mark-read: the message counts off once, whoever comes first.
pub async fn deletions_against_marks_count_off_once(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    for _ in 0..ROUNDS {
        let sent = world.send_many(direct, &ann, 3).await;
        let (deleter, reader, middle) = (world.clone(), world.clone(), sent[1].clone());
        let (who, id, read) = (ann.clone(), middle.id, bob.clone());
        race_two(async move { deleter.delete(id, &who).await }, async move {
            reader.read_each(direct, &read, &[&middle]).await
        })
        .await;
        assert_eq!(world.unread(direct, &bob).await, 2, "the two others are unread");
        let rest = ids_of(&world.read_all(direct, &bob).await.newly_read);
        assert_eq!(rest, [sent[0].id, sent[2].id], "and newly read");
    }
}

/// Delete against edit: in the end the message is a tombstone without text.
pub async fn deletions_against_edits_leave_a_tombstone(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    for _ in 0..ROUNDS {
        let id = world.send(direct, &ann, "x").await.id;
        let (deleter, editor, one, two) = (world.clone(), world.clone(), ann.clone(), ann.clone());
        let edit = Amendment::Edit("edited".into());
        let (deleted, edited) =
            race_two(
                async move { deleter.delete(id, &one).await },
                async move { editor.try_amend(id, &two, edit).await },
            )
            .await;
        assert!(deleted.changed, "the deletion happens whoever comes first");
        assert!(
            matches!(edited, Ok(ref edited) if edited.changed && !edited.message.is_tombstone())
                || matches!(edited, Err(Error::Conflict(_))),
            "the edit came before, or found a tombstone, got {edited:?}"
        );
        let found = world.storage().find_message(id).await.expect("the storage answers").expect("it was sent");
        assert!(found.is_tombstone() && found.text.is_none(), "an edit does not bring a text back");
    }
    assert_gapless(&world, direct).await;
}

/// Deletions at once: one changes something, and the message counts off once.
pub async fn deletions_at_once_are_one(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    for round in 1..=ROUNDS {
        let sent = world.send_many(direct, &ann, 2).await;
        let rev = world.conversation(direct).await.rev;
        let deletions = (0..4).map(|_| {
            let (world, ann, id) = (world.clone(), ann.clone(), sent[0].id);
            async move { world.delete(id, &ann).await.changed }
        });
        let changed = race(deletions).await;
        assert_eq!(changed.iter().filter(|changed| **changed).count(), 1, "exactly one deletes it");
        assert_eq!(world.conversation(direct).await.rev, rev + 1, "`rev` moves once");
        assert_eq!(world.unread(direct, &bob).await, round as u64, "it stops counting once");
    }
}

/// The twenty-first different reaction: however many race for the last place, one gets it.
pub async fn the_last_place_for_a_reaction_is_given_once(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let max = Limits::default().max_reactions;
    for _ in 0..ROUNDS {
        let id = world.send(direct, &ann, "x").await.id;
        for n in 1..max {
            world.react(id, &ann, &format!("e{n}")).await;
        }
        let reactions = (0..4).map(|n| {
            let (world, who) = (world.clone(), if n % 2 == 0 { ann.clone() } else { bob.clone() });
            async move { world.try_amend(id, &who, Amendment::React(emoji_of(&format!("last-{n}")))).await }
        });
        let verdicts = race(reactions).await;
        assert_eq!(verdicts.iter().filter(|verdict| verdict.is_ok()).count(), 1, "one place was left");
        assert!(
            verdicts.iter().all(|verdict| matches!(verdict, Ok(_) | Err(Error::Conflict(_)))),
            "the others are refused for the limit"
        );
        let found = world.storage().find_message(id).await.expect("the storage answers").expect("it was sent");
        assert_eq!(found.reactions.len(), max, "there are never more than the limit");
    }
}

/// Reactions of many with one emoji at once are all kept, each once.
pub async fn reactions_at_once_are_all_kept(world: World) {
    let ann = world.person("Ann").await;
    let mut others = Vec::new();
    for n in 0..8 {
        others.push(world.person(&format!("Other-{n}")).await);
    }
    let group = world.group(&ann, &others.iter().collect::<Vec<_>>()).await;
    let id = world.send(group, &ann, "x").await.id;
    let reactions = others.iter().map(|who| {
        let (world, who) = (world.clone(), who.clone());
        async move { world.react(id, &who, "👍").await.changed }
    });
    assert_eq!(race(reactions).await, [true; 8], "each is a change");
    let found = world.storage().find_message(id).await.expect("the storage answers").expect("it was sent");
    let mut users = found.reactions[0].users.clone();
    users.sort();
    assert_eq!((found.reactions.len(), users), (1, others), "one emoji with everybody, each once");
    assert_eq!(found.rev, 9, "each was a change of its own");
}

/// Block against send: the send came before and is stored, or it is refused; what begins later is refused.
pub async fn a_block_against_sends_refuses_what_begins_later(world: World) {
    for _ in 0..ROUNDS {
        let ann = world.person(&format!("Ann-{}", world.id::<MessageId>())).await;
        let bob = world.person(&format!("Bob-{}", world.id::<MessageId>())).await;
        let direct = world.direct(&ann, &bob).await;
        let (sender, blocker) = (world.clone(), world.clone());
        let (from, to, blocked) = (ann.clone(), bob.clone(), ann.clone());
        let send = async move {
            let mut stored = 0;
            for _ in 0..4 {
                match sender.try_send(sender.draft(direct, &from, "x")).await {
                    Ok(_) => stored += 1,
                    Err(refusal) => assert_eq!(refusal, Error::Blocked, "only the block refuses"),
                }
            }
            stored
        };
        let block = async move {
            blocker.block(&to, &blocked).await;
            let in_force = blocker.history(direct).await.len();
            (in_force, blocker.try_send(blocker.draft(direct, &blocked, "after the block")).await)
        };
        let (stored, (in_force, after)) = race_two(send, block).await;
        assert_eq!(after, Err(Error::Blocked), "an append that begins after the block returns sees it");
        assert_eq!(world.history(direct).await.len(), stored, "exactly what was accepted is stored");
        assert_eq!(in_force, stored, "what was under way is stored when the block returns, or refused");
        assert_gapless(&world, direct).await;
    }
}
