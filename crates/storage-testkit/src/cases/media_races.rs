//! Media that are removed while something begins or ceases to name them.

use std::collections::{BTreeMap, BTreeSet};

use parlance_domain::error::Error;
use parlance_domain::model::{Medium, MediumId, MessageId};
use parlance_domain::ports::GroupChange;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::races::ROUNDS;
use crate::{World, race, race_two};

/// Send against removal: the medium is gone and the send refused, or the send is stored and the medium stays.
pub async fn a_send_against_a_removal_keeps_the_medium_or_is_refused(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    for _ in 0..ROUNDS * 2 {
        let medium = world.upload(&ann).await;
        let (sender, remover, shown) = (world.clone(), world.clone(), medium.clone());
        let draft = world.showing(direct, &ann, &shown);
        let (sent, removed) =
            race_two(async move { sender.try_send(draft).await }, async move { remover.remove_medium(shown.id).await })
                .await;
        let for_medium = |error: &Error| matches!(error, Error::Validation { field, .. } if field == "media");
        assert!(sent.as_ref().err().is_none_or(for_medium), "only a missing medium refuses, got {sent:?}");
        assert_eq!(sent.is_err(), removed, "a message that was stored keeps its medium, and one is refused without");
        assert_eq!(world.found_medium(medium.id).await.is_none(), removed, "what was removed is gone");
    }
}

/// Group photo against removal: likewise.
pub async fn a_photo_against_a_removal_keeps_the_medium_or_is_refused(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let group = world.group(&ann, &[&bob]).await;
    for _ in 0..ROUNDS {
        let medium = world.upload(&ann).await;
        let (painter, remover, actor, id) = (world.clone(), world.clone(), ann.clone(), medium.id);
        let change = GroupChange::Image(Some(medium.url("/media/")));
        let now = world.now();
        let (painted, removed) = race_two(
            async move { painter.storage().update_group(group, &actor, &change, now).await.expect("answers").is_ok() },
            async move { remover.remove_medium(id).await },
        )
        .await;
        assert_ne!(painted, removed, "one of the two happens");
        assert_eq!(world.found_medium(medium.id).await.is_some(), painted, "a photo that was accepted is there");
    }
}

/// Of removals at once one removes.
pub async fn removals_of_a_medium_at_once_remove_once(world: World) {
    let ann = world.person("Ann").await;
    for _ in 0..ROUNDS {
        let id = world.upload(&ann).await.id;
        let removals = (0..4).map(|_| {
            let world = world.clone();
            async move { world.remove_medium(id).await }
        });
        assert_eq!(race(removals).await.iter().filter(|removed| **removed).count(), 1, "exactly one has removed it");
    }
}

/// Deletions at once, and sends against deletions, keep the medium exactly as long as a message names it.
pub async fn deletions_against_sends_keep_the_medium(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    for _ in 0..ROUNDS {
        let medium = world.upload(&ann).await;
        let first = world.send_draft(world.showing(direct, &ann, &medium)).await.message;
        let draft = world.showing(direct, &ann, &medium);
        let (sender, actor) = (world.clone(), ann.clone());
        let (sent, removed) = race_two(async move { sender.try_send(draft).await }, {
            let world = world.clone();
            async move {
                race((0..2).map(|_| {
                    let (world, actor) = (world.clone(), actor.clone());
                    async move { world.delete(first.id, &actor).await }
                }))
                .await;
                world.remove_medium(medium.id).await
            }
        })
        .await;
        assert_eq!(sent.is_err(), removed, "the second message keeps it, or came too late");
        if let Ok(second) = sent {
            world.delete(second.message.id, &ann).await;
            assert!(world.remove_medium(medium.id).await, "then nothing uses it");
        }
    }
}

/// Whatever comes and goes, the unused media are those that nothing names.
pub async fn random_uses_follow_the_naive_model(world: World) {
    let mut random = StdRng::seed_from_u64(1);
    let (ann, bob, direct) = world.ann_and_bob().await;
    let group = world.group(&ann, &[&bob]).await;
    let mut media: Vec<Medium> = Vec::new();
    let mut messages: BTreeMap<MessageId, BTreeSet<MediumId>> = BTreeMap::new();
    let (mut photo, mut picture): (Option<MediumId>, Option<MediumId>) = (None, None);
    for step in 0..150 {
        if media.len() < 4 {
            media.push(world.upload(&ann).await);
        }
        let medium = media[random.random_range(0..media.len())].clone();
        let url = (random.random_range(0..4) > 0).then(|| medium.url("/media/"));
        match random.random_range(0..6) {
            0..=1 => {
                let mut draft = world.showing(direct, &ann, &medium);
                let mut named = BTreeSet::from([medium.id]);
                if random.random_range(0..2) == 0 {
                    let other = &media[random.random_range(0..media.len())];
                    draft.media.push(world.showing(direct, &ann, other).media.remove(0));
                    named.insert(other.id);
                }
                messages.insert(world.send_draft(draft).await.message.id, named);
            }
            2 => {
                let Some(id) = messages.keys().nth(random.random_range(0..messages.len().max(1))).copied() else {
                    continue;
                };
                world.delete(id, &ann).await;
                messages.remove(&id);
            }
            3 => {
                photo = url.as_ref().map(|_| medium.id);
                let change = GroupChange::Image(url);
                let changed = world.storage().update_group(group, &ann, &change, world.now()).await;
                changed.expect("the storage answers").expect("the owner may");
            }
            4 => {
                picture = url.as_ref().map(|_| medium.id);
                world.picture(&bob, url.as_deref()).await;
            }
            _ => {
                let named = messages.values().flatten().chain(&photo).chain(&picture).any(|id| *id == medium.id);
                assert_eq!(world.remove_medium(medium.id).await, !named, "at step {step}");
                media.retain(|other| named || other.id != medium.id);
            }
        }
        let used: BTreeSet<MediumId> = messages.values().flatten().chain(&photo).chain(&picture).copied().collect();
        let expected: BTreeSet<MediumId> =
            media.iter().map(|medium| medium.id).filter(|id| !used.contains(id)).collect();
        assert_eq!(world.unused().await.into_iter().collect::<BTreeSet<_>>(), expected, "after step {step}");
    }
}
