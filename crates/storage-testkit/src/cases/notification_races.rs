//! What happens when two write one user's notifications at once. Each race is run several times; what is
//! promised must hold whoever comes first, and counts must agree with the rows after it (`World::told`).

use parlance_domain::model::{NotificationId, Preferences, PreferencesChange};
use parlance_domain::ports::NotificationPage;

use super::races::ROUNDS;
use crate::{World, race, race_two};

/// Of notes at once for one conversation and user, one makes the notification.
pub async fn notes_at_once_make_one_notification(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    for round in 1..=ROUNDS {
        let group = world.group(&ann, &[&bob, &cleo]).await;
        let sent = world.send_many(group, &ann, 4).await;
        let notes = sent.into_iter().map(|message| {
            let (world, bob, cleo) = (world.clone(), bob.clone(), cleo.clone());
            async move { world.note(&message, &[&bob, &cleo]).await }
        });
        let noted = race(notes).await;
        assert_eq!(noted.iter().map(|noted| noted.made.len()).sum::<usize>(), 2, "one is made for each");
        assert_eq!(noted.iter().map(|noted| noted.standing.len()).sum::<usize>(), 6, "the others find it");
        for user in [&bob, &cleo] {
            assert_eq!(world.told(user).await.len(), round, "one a round");
        }
    }
}

/// Note against reading: who has read everything and marked it has nothing unread, whoever comes first.
pub async fn notes_against_reading_leave_nothing_unread(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    for _ in 0..ROUNDS * 2 {
        let message = world.send(direct, &ann, "x").await;
        let (noter, reader, to, who) = (world.clone(), world.clone(), bob.clone(), bob.clone());
        let (noted, marked) = race_two(async move { noter.note(&message, &[&to]).await.made.len() }, async move {
            reader.read_all(direct, &who).await;
            reader.mark_noted(&who, direct).await
        })
        .await;
        assert_eq!(usize::from(marked.is_some()), noted, "what was made was marked");
        assert!(world.told(&bob).await.iter().all(|told| told.read), "nothing is left unread");
    }
}

/// Mark-all against insertions: every notification is marked once or is still unread.
pub async fn marks_of_all_against_insertions_lose_nothing(world: World) {
    let ann = world.person("Ann").await;
    let (mut inserted, mut marked) = (0, 0);
    for _ in 0..ROUNDS {
        let (teller, marker, to, who) = (world.clone(), world.clone(), ann.clone(), ann.clone());
        let (told, read) = race_two(
            async move {
                let mut told = 0;
                for _ in 0..4 {
                    let notices = (0..5).map(|_| teller.notice_of("system", &to)).collect();
                    told += teller.tell(notices).await.len() as u64;
                }
                told
            },
            async move {
                let mut read = 0;
                for _ in 0..4 {
                    read += marker.mark_all_told(&who).await.value;
                }
                read
            },
        )
        .await;
        inserted += told;
        marked += read;
        let told = world.told(&ann).await;
        assert_eq!(told.len() as u64, inserted, "everything was stored");
        assert_eq!(told.iter().filter(|one| one.read).count() as u64, marked, "what was marked was marked once");
    }
}

/// Whoever lists while others tell, read and remove gets counts that are those of the list.
pub async fn a_list_and_its_counts_are_of_one_moment(world: World) {
    let ann = world.person("Ann").await;
    for _ in 0..ROUNDS {
        let (teller, looker, to, who) = (world.clone(), world.clone(), ann.clone(), ann.clone());
        let change = async move {
            for _ in 0..4 {
                let told = teller.tell((0..3).map(|_| teller.notice_of("system", &to)).collect()).await;
                teller.mark_told(&to, told[0].value.id).await.expect("it is Ann's");
                teller.forget_told(&to, told[1].value.id).await.expect("it is Ann's");
            }
        };
        let look = async move {
            for _ in 0..12 {
                let page = looker.storage().list_notifications(&who, false, 0, 10_000).await;
                let NotificationPage { items, total, unread } = page.expect("the storage answers");
                assert_eq!(total, items.len() as u64, "the total is the number of notifications");
                assert_eq!(
                    unread,
                    items.iter().filter(|told| !told.read).count() as u64,
                    "the unread ones are counted"
                );
            }
        };
        race_two(change, look).await;
    }
}

/// Of marks at once, one reads the notification.
pub async fn marks_of_a_notification_at_once_read_it_once(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    for _ in 0..ROUNDS {
        let message = world.send(direct, &ann, "x").await;
        let id = world.note_one(&message, &bob).await.id;
        let marks = (0..6).map(|n| {
            let (world, bob) = (world.clone(), bob.clone());
            async move {
                match n % 3 {
                    0 => world.mark_told(&bob, id).await.is_some_and(|marked| marked.value.1),
                    1 => world.mark_noted(&bob, direct).await.is_some(),
                    _ => world.mark_all_told(&bob).await.value == 1,
                }
            }
        });
        let read = race(marks).await;
        assert_eq!(read.iter().filter(|read| **read).count(), 1, "exactly one mark has read it");
        assert!(world.told(&bob).await.iter().all(|told| told.read), "and it is read");
    }
}

/// Of removals at once one removes, and a mark that races with them counts it off no second time.
pub async fn removals_at_once_remove_once(world: World) {
    let ann = world.person("Ann").await;
    for _ in 0..ROUNDS {
        let id = world.tell_one(&ann).await.id;
        world.tell_one(&ann).await;
        let tasks = (0..4).map(|n| {
            let (world, ann) = (world.clone(), ann.clone());
            async move {
                if n == 0 {
                    world.mark_told(&ann, id).await;
                    return 0;
                }
                usize::from(world.forget_told(&ann, id).await.is_some())
            }
        });
        assert_eq!(race(tasks).await.iter().sum::<usize>(), 1, "exactly one has removed it");
        assert!(world.told(&ann).await.iter().all(|told| told.id != id), "it is gone");
    }
    assert_eq!(world.untold(&ann).await, ROUNDS as u64, "the others count");
}

/// Note against removal from the group: whoever comes first, it is told once at most and counted.
pub async fn notes_against_removals_from_a_group_count_true(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let mut made: Vec<NotificationId> = Vec::new();
    for _ in 0..ROUNDS {
        let group = world.group(&ann, &[&bob]).await;
        let message = world.send(group, &ann, "x").await;
        let (noter, remover, to, actor, who) = (world.clone(), world.clone(), bob.clone(), ann.clone(), bob.clone());
        let again = message.clone();
        let (noted, ()) = race_two(async move { noter.note(&message, &[&to]).await }, async move {
            remover.remove(group, &actor, &who).await;
            assert_eq!(remover.note(&again, &[&who]).await.made, [], "nobody is told after their removal");
        })
        .await;
        made.extend(noted.made.into_iter().map(|made| made.value.id));
        let mut told: Vec<NotificationId> = world.told(&bob).await.into_iter().map(|told| told.id).collect();
        told.sort();
        made.sort();
        assert_eq!(told, made, "what was made is there");
    }
}

/// Changes of different preferences at once are all kept.
pub async fn preferences_changed_at_once_are_all_kept(world: World) {
    let nothing = PreferencesChange::default();
    for round in 0..ROUNDS {
        let ann = world.person(&format!("Ann-{round}")).await;
        let changes = [
            PreferencesChange { email: Some(false), ..nothing },
            PreferencesChange { push: Some(false), ..nothing },
            PreferencesChange { chat: Some(false), ..nothing },
            PreferencesChange { job_match: Some(false), ..nothing },
        ];
        race(changes.map(|change| {
            let (world, ann) = (world.clone(), ann.clone());
            async move { world.storage().update_preferences(&ann, change).await.expect("the storage answers") }
        }))
        .await;
        let wanted = world.storage().find_preferences(&ann).await.expect("the storage answers");
        let none = Preferences { email: false, push: false, chat: false, job_match: false };
        assert_eq!(wanted, none, "each change is kept");
    }
}
