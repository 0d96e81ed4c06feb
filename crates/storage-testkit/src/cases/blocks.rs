//! The promises of the `Blocks` port. That sends and contacts respect blocks is with those.

use parlance_domain::model::UserId;
use parlance_domain::rules::blocking::Blocking;

use crate::{World, race};

async fn blocking(world: &World, viewer: &UserId, other: &UserId) -> Blocking {
    world.storage().find_blocking(viewer, other).await.expect("the storage answers")
}

async fn blocked_by(world: &World, blocker: &UserId, limit: usize) -> Vec<UserId> {
    world.storage().list_blocked(blocker, limit).await.expect("the storage answers")
}

/// `insert_block` and `remove_block` say whether anything is new, and are idempotent.
pub async fn blocks_come_and_go_once(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    assert!(!world.unblock(&ann, &bob).await, "there was no block to remove");
    assert!(world.block(&ann, &bob).await, "the first block is new");
    assert!(!world.block(&ann, &bob).await, "the second is not");
    assert!(world.block(&bob, &ann).await, "the other direction is a block of its own");
    assert!(world.unblock(&ann, &bob).await, "there was a block to remove");
    assert!(!world.unblock(&ann, &bob).await, "it is gone already");
    let expected = Blocking { by_viewer: false, by_other: true };
    assert_eq!(blocking(&world, &ann, &bob).await, expected, "removing one direction leaves the other");
}

/// `find_blocking`: the blocks between two people, as `viewer` sees them.
pub async fn blocking_is_seen_from_both_sides(world: World) {
    let [ann, bob, cleo] = world.people(["Ann", "Bob", "Cleo"]).await;
    assert_eq!(blocking(&world, &ann, &bob).await, Blocking::default(), "nobody blocks anybody");
    world.block(&ann, &bob).await;
    assert_eq!(blocking(&world, &ann, &bob).await, Blocking { by_viewer: true, by_other: false }, "Ann blocks Bob");
    assert_eq!(blocking(&world, &bob, &ann).await, Blocking { by_viewer: false, by_other: true }, "Ann blocks Bob");
    world.block(&bob, &ann).await;
    assert_eq!(blocking(&world, &bob, &ann).await, Blocking { by_viewer: true, by_other: true }, "both do");
    assert_eq!(blocking(&world, &ann, &cleo).await, Blocking::default(), "Cleo is not concerned");
}

/// `list_blocked`: newest block first, at most `limit`, the blocker's own only.
pub async fn blocked_people_are_listed_newest_block_first(world: World) {
    let [ann, bob, cleo, dan] = world.people(["Ann", "Bob", "Cleo", "Dan"]).await;
    for blocked in [&cleo, &bob, &dan] {
        world.block(&ann, blocked).await;
    }
    world.block(&bob, &ann).await;
    let expected = [dan.clone(), bob.clone(), cleo.clone()];
    assert_eq!(blocked_by(&world, &ann, 10).await, expected, "newest block first");
    assert_eq!(blocked_by(&world, &ann, 2).await, expected[..2], "at most `limit`");
    assert_eq!(blocked_by(&world, &cleo, 10).await, [], "being blocked is not blocking");
    world.block(&ann, &cleo).await;
    assert_eq!(blocked_by(&world, &ann, 10).await, expected, "blocking again is not a newer block");
    world.unblock(&ann, &cleo).await;
    world.block(&ann, &cleo).await;
    assert_eq!(blocked_by(&world, &ann, 10).await, [cleo, dan, bob], "a block that was removed and made again is");
}

/// `list_blocked_either_way`: those of `others` with whom `viewer` has a block in either direction.
pub async fn blocks_of_either_direction_are_listed(world: World) {
    let [ann, bob, cleo, dan, eve] = world.people(["Ann", "Bob", "Cleo", "Dan", "Eve"]).await;
    world.block(&ann, &bob).await;
    world.block(&cleo, &ann).await;
    world.block(&ann, &eve).await;
    world.block(&bob, &dan).await;
    let others = [bob.clone(), cleo.clone(), dan.clone(), world.id_of_nobody()];
    let mut either = world.storage().list_blocked_either_way(&ann, &others).await.expect("the storage answers");
    either.sort();
    assert_eq!(either, [bob, cleo], "only those asked for, in either direction, each once");
    let none = world.storage().list_blocked_either_way(&ann, &[]).await.expect("the storage answers");
    assert_eq!(none, [], "nobody was asked for");
}

/// Of blocks at once exactly one is new.
pub async fn blocks_at_once_are_one_block(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    for _ in 0..5 {
        let each = |_| {
            let (world, ann, bob) = (world.clone(), ann.clone(), bob.clone());
            async move { world.block(&ann, &bob).await }
        };
        let new = race((0..4).map(each)).await;
        assert_eq!(new.iter().filter(|new| **new).count(), 1, "exactly one of the blocks is new");
        assert!(world.unblock(&ann, &bob).await, "there is one block to remove");
        assert!(!blocking(&world, &ann, &bob).await.any(), "and then none");
    }
}
