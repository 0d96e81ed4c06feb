//! The promises of the `MediaItems` port, and of the others about media that something names.

use parlance_domain::error::Error;
use parlance_domain::model::{
    ClaimedProfile, ConversationId, Dimensions, MediaType, Medium, MediumId, NewMessage, Thumbnail, Timestamp, UserId,
};
use parlance_domain::ports::GroupChange;
use parlance_domain::rules::amending::Amendment;

use crate::World;

fn names(error: &Error, expected: &str) -> bool {
    matches!(error, Error::Validation { field, .. } if field == expected)
}

async fn photo(world: &World, group: ConversationId, actor: &UserId, url: Option<&str>) -> Result<(), Error> {
    let change = GroupChange::Image(url.map(str::to_owned));
    let changed = world.storage().update_group(group, actor, &change, world.now()).await.expect("the storage answers");
    changed.map(|_| ())
}

/// `insert_medium`, `find_medium`: everything comes back as it was.
pub async fn a_medium_comes_back_as_it_was_uploaded(world: World) {
    let ann = world.person("Ann").await;
    let plain = Medium {
        media_type: MediaType::File,
        format: "pdf".to_owned(),
        content_type: "application/pdf".to_owned(),
        filename: "Größe \u{1F600}.pdf".to_owned(),
        bytes: 20 * 1024 * 1024,
        ..world.medium(&ann)
    };
    let full = Medium {
        dimensions: Some(Dimensions { width: 4_000, height: 1 }),
        thumbnail: Some(Thumbnail {
            content_type: "image/webp".to_owned(),
            bytes: 1_234,
            dimensions: Dimensions { width: 512, height: 1 },
        }),
        ..world.medium(&ann)
    };
    let sized = Medium { dimensions: full.dimensions, media_type: MediaType::Video, ..world.medium(&ann) };
    for medium in [&plain, &full, &sized] {
        assert_eq!(world.found_medium(medium.id).await, None, "it is not there before");
        world.storage().insert_medium(medium).await.expect("the storage answers");
        assert_eq!(world.found_medium(medium.id).await.as_ref(), Some(medium), "it is found as it was");
    }
}

/// An uploader must exist and an id be new; what is refused leaves nothing.
pub async fn an_upload_needs_its_uploader_and_a_new_id(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let strange = world.medium(&world.id_of_nobody());
    assert!(world.storage().insert_medium(&strange).await.is_err(), "nobody uploads nothing");
    assert_eq!(world.found_medium(strange.id).await, None, "and nothing is kept");
    let first = world.upload(&ann).await;
    let second = Medium { id: first.id, ..world.medium(&bob) };
    assert!(world.storage().insert_medium(&second).await.is_err(), "an id is given once");
    assert_eq!(world.found_medium(first.id).await, Some(first), "and stays what it was");
}

/// `list_unused_media`: uploaded before, oldest first, those of one moment in id order, at most `limit`.
pub async fn unused_media_are_listed_oldest_first(world: World) {
    let ann = world.person("Ann").await;
    let at = |millis: i64| Timestamp::from_millis(1_600_000_000_000 + millis);
    let mut media = Vec::new();
    for millis in [30, 10, 20, 10, 40] {
        let medium = world.medium_of(&ann, at(millis));
        world.storage().insert_medium(&medium).await.expect("the storage answers");
        media.push(medium);
    }
    media.sort_by_key(|medium| (medium.uploaded_at, medium.id));
    let ids: Vec<MediumId> = media.iter().map(|medium| medium.id).collect();
    for (before, limit, expected) in
        [(100, 10, &ids[..]), (40, 10, &ids[..4]), (41, 2, &ids[..2]), (20, 10, &ids[..2]), (10, 10, &ids[..0])]
    {
        let unused = world.storage().list_unused_media(at(before), limit).await.expect("the storage answers");
        assert_eq!(unused, expected, "before {before}, at most {limit}");
    }
}

/// `remove_medium` removes once what nothing uses.
pub async fn an_unused_medium_is_removed_once(world: World) {
    let ann = world.person("Ann").await;
    let (one, other) = (world.upload(&ann).await, world.upload(&ann).await);
    assert!(world.remove_medium(one.id).await, "nothing uses it");
    assert!(!world.remove_medium(one.id).await, "it is gone");
    assert!(!world.remove_medium(world.id()).await, "what never was cannot be removed");
    assert_eq!(world.found_medium(one.id).await, None, "it is not found any more");
    assert_eq!(world.unused().await, [other.id], "the other is as it was");
}

/// A message keeps the media that it names until it is deleted.
pub async fn a_message_keeps_its_media(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let (one, other) = (world.upload(&ann).await, world.upload(&ann).await);
    let mut draft = world.showing(direct, &ann, &one);
    draft.media.push(world.showing(direct, &ann, &other).media.remove(0));
    let sent = world.send_draft(draft).await.message;
    assert_eq!(world.unused().await, [], "both are used");
    for id in [one.id, other.id] {
        assert!(!world.remove_medium(id).await, "what is used stays");
        assert!(world.found_medium(id).await.is_some(), "and is found");
    }
    world.edit(sent.id, &ann, "another caption").await;
    world.react(sent.id, &bob, "👍").await;
    assert_eq!(world.unused().await, [], "neither edit nor reaction changes that");
    world.delete(sent.id, &ann).await;
    assert_eq!(world.unused().await, [one.id, other.id], "a tombstone uses nothing");
    world.delete(sent.id, &ann).await;
    assert!(world.remove_medium(one.id).await, "what is not used any more can go");
}

/// Each message that names a medium keeps it for itself.
pub async fn a_medium_is_kept_by_each_message(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let group = world.group(&bob, &[&ann]).await;
    let medium = world.upload(&ann).await;
    let batch = vec![world.showing(direct, &ann, &medium), world.showing(group, &bob, &medium)];
    let sent: Vec<_> = world.append(batch).await.into_iter().map(|sent| sent.expect("sent").message).collect();
    world.delete(sent[0].id, &ann).await;
    assert!(!world.remove_medium(medium.id).await, "the other message keeps it");
    world.delete(sent[1].id, &bob).await;
    assert!(world.remove_medium(medium.id).await, "the last one does not");
}

/// A medium that a message names several times, in whatever way, is used once by it.
pub async fn every_way_to_name_a_medium_counts_once(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    for ways in [vec!["path"], vec!["absolute"], vec!["thumbnail"], vec!["path", "absolute", "thumbnail", "path"]] {
        let medium = world.upload(&ann).await;
        let path = medium.url("/media/");
        let absolute = format!("https://chat.example:8443{path}");
        let mut draft = NewMessage { media: Vec::new(), ..world.showing(direct, &ann, &medium) };
        for way in &ways {
            let url = match *way {
                "path" => &path,
                "absolute" => &absolute,
                _ => "https://elsewhere.example/a.png",
            };
            let mut link = world.linking(direct, &ann, url).media.remove(0);
            link.thumbnail_url = (*way == "thumbnail").then(|| format!("/media/{}/thumbnail/512.jpg", medium.id));
            draft.media.push(link);
        }
        let sent = world.send_draft(draft).await.message;
        assert!(!world.remove_medium(medium.id).await, "it is used, by {ways:?}");
        world.delete(sent.id, &ann).await;
        assert!(world.remove_medium(medium.id).await, "and is not any more, by {ways:?}");
    }
}

/// A message that names a missing medium of this server is refused, and the others of its batch are stored.
pub async fn a_missing_medium_refuses_the_message(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let (there, gone) = (world.upload(&ann).await, world.upload(&ann).await);
    assert!(world.remove_medium(gone.id).await, "nothing uses it");
    let mut half = world.showing(direct, &ann, &there);
    half.media.push(world.showing(direct, &ann, &gone).media.remove(0));
    let mut thumbnail = world.showing(direct, &ann, &there);
    thumbnail.media[0].thumbnail_url = Some(format!("/media/{}/thumbnail/512.jpg", gone.id));
    let batch = vec![
        half,
        world.showing(direct, &bob, &there),
        world.showing(direct, &ann, &gone),
        thumbnail,
        world.draft(direct, &ann, "text"),
    ];
    let answers = world.append(batch).await;
    for at in [0, 2, 3] {
        let refusal = answers[at].as_ref().expect_err("it names a medium that is gone");
        assert!(names(refusal, "media"), "the refusal names the field, got {refusal:?}");
    }
    assert!(answers[1].is_ok() && answers[4].is_ok(), "the others are stored");
    let history = world.history(direct).await;
    assert_eq!(history.iter().map(|message| message.seq).collect::<Vec<_>>(), [1, 2], "without gaps");
    world.delete(history[0].id, &bob).await;
    assert_eq!(world.unused().await, [there.id], "what was refused uses nothing");
}

/// Links to other servers are not this storage's business, whatever their paths look like.
pub async fn links_to_other_servers_are_accepted(world: World) {
    let (ann, _, direct) = world.ann_and_bob().await;
    let strange: MediumId = world.id();
    for url in [
        "https://elsewhere.example/a.png".to_owned(),
        format!("https://elsewhere.example/media/{strange}/a.png"),
        format!("https://elsewhere.example/x/media/{strange}/a.png"),
    ] {
        let sent = world.send_draft(world.linking(direct, &ann, &url)).await.message;
        assert_eq!(sent.media[0].url, url, "it is stored as it is");
        world.delete(sent.id, &ann).await;
    }
}

/// A refused send uses nothing, and a repetition nothing more.
pub async fn only_stored_messages_use_media(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let eve = world.person("Eve").await;
    let medium = world.upload(&ann).await;
    world.try_send(world.showing(direct, &eve, &medium)).await.expect_err("Eve is not in it");
    let strange = NewMessage { reply_to: Some(world.id()), ..world.showing(direct, &ann, &medium) };
    world.try_send(strange).await.expect_err("there is nothing to answer");
    world.block(&bob, &ann).await;
    world.try_send(world.showing(direct, &ann, &medium)).await.expect_err("Ann is blocked");
    world.unblock(&bob, &ann).await;
    assert_eq!(world.unused().await, [medium.id], "what is refused uses nothing");

    let marked =
        || NewMessage { media: world.showing(direct, &ann, &medium).media, ..world.marked(direct, &ann, "mark") };
    let answers = world.append(vec![marked(), marked()]).await;
    let sent = answers[0].as_ref().expect("sent").message.clone();
    world.send_draft(marked()).await;
    world.delete(sent.id, &ann).await;
    assert!(world.remove_medium(medium.id).await, "one message has used it");
    let repeated = world.send_draft(marked()).await;
    assert!(repeated.duplicate && repeated.message.id == sent.id, "a repetition is answered, medium or not");
}

/// A group keeps its photo's medium until it has another one.
pub async fn a_group_keeps_its_photo(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let group = world.group(&ann, &[&bob]).await;
    let (one, other) = (world.upload(&ann).await, world.upload(&ann).await);
    photo(&world, group, &ann, Some(&one.url("/media/"))).await.expect("the owner may");
    assert_eq!(world.unused().await, [other.id], "the photo is used");
    let title = GroupChange::Title(parlance_domain::model::Title::new("Crew").expect("a valid title"));
    let changed = world.storage().update_group(group, &ann, &title, world.now()).await.expect("the storage answers");
    changed.expect("the owner may");
    photo(&world, group, &ann, Some(&one.url("/media/"))).await.expect("the owner may");
    assert!(!world.remove_medium(one.id).await, "another title, and the same photo, change nothing");
    photo(&world, group, &bob, Some(&other.url("/media/"))).await.expect_err("a member may not");
    assert_eq!(world.unused().await, [other.id], "what is refused uses nothing");
    photo(&world, group, &ann, Some(&other.url("/media/"))).await.expect("the owner may");
    assert_eq!(world.unused().await, [one.id], "one for the other");
    photo(&world, group, &ann, None).await.expect("the owner may");
    assert_eq!(world.unused().await, [one.id, other.id], "and none");

    assert!(world.remove_medium(one.id).await, "nothing uses it");
    let refusal = photo(&world, group, &ann, Some(&one.url("/media/"))).await.expect_err("it is gone");
    assert!(names(&refusal, "url"), "the refusal names the field, got {refusal:?}");
    assert_eq!(world.conversation(group).await.image, None, "and nothing has changed");
    photo(&world, group, &ann, Some("https://elsewhere.example/a.png")).await.expect("other links may be");
}

/// A user keeps their picture's medium until they have another one, whichever way it comes in.
pub async fn a_user_keeps_their_picture(world: World) {
    let [ann, bob] = world.people(["Ann", "Bob"]).await;
    let (one, other) = (world.upload(&ann).await, world.upload(&ann).await);
    world.picture(&ann, Some(&one.url("/media/"))).await;
    world.picture(&bob, Some(&one.url("/media/"))).await;
    assert_eq!(world.unused().await, [other.id], "the picture is used");
    world.picture(&ann, None).await;
    assert!(!world.remove_medium(one.id).await, "Bob has it still");
    world.picture(&bob, Some(&other.url("/media/"))).await;
    assert_eq!(world.unused().await, [one.id], "one for the other");

    let claim = |picture: &Medium| ClaimedProfile { name: None, picture: Some(picture.url("/media/")) };
    let cleo: UserId = "cleo".parse().expect("a valid id");
    for user in [&cleo, &ann] {
        let made = world.storage().record_claims(user, &claim(&one), true, world.now()).await;
        made.expect("the storage answers").expect("made or known");
        assert!(!world.remove_medium(one.id).await, "a claimed picture is used, by {user}");
        let other = claim(&other);
        world.storage().record_claims(user, &other, true, world.now()).await.expect("the storage answers");
        assert_eq!(world.unused().await, [one.id], "until another one is claimed");
    }
}

/// A picture whose medium is not there is kept as the link that it is.
pub async fn a_picture_without_its_medium_is_a_link(world: World) {
    let ann = world.person("Ann").await;
    let medium = world.medium(&ann);
    let url = medium.url("/media/");
    assert_eq!(world.picture(&ann, Some(&url)).await.picture.as_deref(), Some(url.as_str()), "it is kept");
    world.storage().insert_medium(&medium).await.expect("the storage answers");
    assert_eq!(world.unused().await, [medium.id], "a medium that comes later is not used by it");
    world.picture(&ann, None).await;
    assert!(world.remove_medium(medium.id).await, "nor released by it");
}

/// What a refused deletion leaves, stays in use.
pub async fn a_refused_deletion_releases_nothing(world: World) {
    let (ann, bob, direct) = world.ann_and_bob().await;
    let medium = world.upload(&ann).await;
    let sent = world.send_draft(world.showing(direct, &ann, &medium)).await.message;
    world.try_amend(sent.id, &bob, Amendment::Delete).await.expect_err("it is Ann's");
    assert!(!world.remove_medium(medium.id).await, "it is used still");
}
