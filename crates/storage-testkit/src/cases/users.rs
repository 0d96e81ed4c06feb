//! The promises of the `Users` port.

use parlance_domain::model::{ClaimedProfile, ProfileChange, Timestamp, User, UserId};

use crate::{World, race};

fn claims(name: Option<&str>, picture: Option<&str>) -> ClaimedProfile {
    ClaimedProfile { name: name.map(str::to_owned), picture: picture.map(str::to_owned) }
}

fn id(text: &str) -> UserId {
    text.parse().expect("a valid id")
}

async fn record(world: &World, who: &UserId, claims: &ClaimedProfile) -> User {
    let user = world.storage().record_claims(who, claims, true, world.now()).await.expect("the storage answers");
    user.expect("`record_claims` with `create` answers with the user")
}

async fn find(world: &World, who: &UserId) -> Option<User> {
    world.storage().find_user(who).await.expect("the storage answers")
}

async fn change(world: &World, who: &UserId, change: &ProfileChange) -> Option<User> {
    world.storage().update_profile(who, change).await.expect("the storage answers")
}

fn renamed(name: &str) -> ProfileChange {
    ProfileChange { name: Some(name.to_owned()), picture: None }
}

async fn found(world: &World, text: &str, limit: usize) -> Vec<String> {
    let users = world.storage().search_users(text, limit).await.expect("the storage answers");
    users.into_iter().map(|user| user.id.as_str().to_owned()).collect()
}

/// `find_user`: the user with this id, *if there is one*.
pub async fn an_unknown_user_is_not_found(world: World) {
    world.person("Ann").await;
    assert_eq!(find(&world, &id("nobody")).await, None, "`find_user` answers None for an unknown id");
}

/// `record_claims`: an unknown user is made from the claims if `create`.
pub async fn claims_make_a_user_when_asked_to(world: World) {
    let user = record(&world, &id("ann"), &claims(Some("Ann"), Some("https://x/ann.png"))).await;
    let expected = User { id: id("ann"), name: "Ann".into(), picture: Some("https://x/ann.png".into()) };
    assert_eq!(user, expected, "a new user has the claimed name and picture");
    assert_eq!(find(&world, &id("ann")).await, Some(expected), "`record_claims` answers with what is stored");
}

/// `record_claims`: of a user without a claimed name nothing but the id is known.
pub async fn claims_without_a_name_make_a_user_named_by_their_id(world: World) {
    let user = record(&world, &id("ann"), &claims(None, None)).await;
    assert_eq!(user, User::nameless(id("ann")), "the id stands in for a name that was not claimed");
    let user = record(&world, &id("ann"), &claims(Some("Ann"), None)).await;
    assert_eq!(user.name, "Ann", "the first claimed name replaces the stand-in");
}

/// `record_claims`: without `create` the answer for an unknown user is `None`, and nobody is made.
pub async fn claims_of_an_unknown_user_make_nobody_without_create(world: World) {
    let (ann, claims) = (id("ann"), claims(Some("Ann"), None));
    let answer = world.storage().record_claims(&ann, &claims, false, world.now()).await.expect("the storage answers");
    assert_eq!(answer, None, "without `create` an unknown user stays unknown");
    assert_eq!(find(&world, &ann).await, None, "without `create` nobody is made");
    record(&world, &ann, &claims).await;
    let answer = world.storage().record_claims(&ann, &claims, false, world.now()).await.expect("the storage answers");
    assert_eq!(answer.map(|user| user.name), Some("Ann".into()), "a known user is answered without `create` too");
}

/// `record_claims`: of a known user a field changes only where the claim is present and differs.
pub async fn a_new_claim_changes_the_profile_and_an_absent_one_says_nothing(world: World) {
    let ann = id("ann");
    record(&world, &ann, &claims(Some("Ann"), Some("https://x/1"))).await;
    let user = record(&world, &ann, &claims(Some("Anna"), None)).await;
    assert_eq!(
        (user.name.as_str(), user.picture.as_deref()),
        ("Anna", Some("https://x/1")),
        "only the name was claimed"
    );
    let user = record(&world, &ann, &claims(None, Some("https://x/2"))).await;
    assert_eq!(
        (user.name.as_str(), user.picture.as_deref()),
        ("Anna", Some("https://x/2")),
        "only the picture was claimed"
    );
    assert_eq!(record(&world, &ann, &claims(None, None)).await, user, "absent claims say nothing");
}

/// `record_claims`: a change by `update_profile` outlives further tokens with the old claim.
pub async fn a_profile_change_outlives_tokens_with_the_old_claim(world: World) {
    let ann = id("ann");
    let old = claims(Some("Ann"), Some("https://x/1"));
    record(&world, &ann, &old).await;
    change(&world, &ann, &ProfileChange { name: Some("Annie".into()), picture: Some(None) }).await;
    // A token without claims in between must not make the old claim look new.
    for token in [&old, &claims(None, None), &old] {
        let user = record(&world, &ann, token).await;
        assert_eq!((user.name.as_str(), user.picture), ("Annie", None), "the user's own change outlives old claims");
    }
}

/// `record_claims`: a claim that differs from what the last token claimed changes the field again.
pub async fn a_claim_that_differs_from_the_last_one_wins_over_a_profile_change(world: World) {
    let ann = id("ann");
    record(&world, &ann, &claims(Some("Ann"), None)).await;
    change(&world, &ann, &renamed("Annie")).await;
    assert_eq!(record(&world, &ann, &claims(Some("Anna"), None)).await.name, "Anna", "a new claim changes the name");
    assert_eq!(record(&world, &ann, &claims(Some("Ann"), None)).await.name, "Ann", "it differs from the last claim");
}

/// `record_claims`: idempotent.
pub async fn recording_the_same_claims_again_changes_nothing(world: World) {
    let claims = claims(Some("Ann"), Some("https://x/1"));
    let first = record(&world, &id("ann"), &claims).await;
    assert_eq!(record(&world, &id("ann"), &claims).await, first, "the same claims again change nothing");
    assert_eq!(found(&world, "Ann", 10).await, ["ann"], "one user was made");
}

/// `record_claims`: two first contacts at once make one user.
pub async fn first_contacts_at_once_make_one_user(world: World) {
    for round in 0..5 {
        let who = id(&format!("user-{round}"));
        let contacts = (0..6).map(|_| {
            let (world, who) = (world.clone(), who.clone());
            async move { record(&world, &who, &claims(Some("Same"), None)).await }
        });
        for user in race(contacts).await {
            assert_eq!(user, User { id: who.clone(), name: "Same".into(), picture: None }, "all get the one user");
        }
    }
    assert_eq!(found(&world, "Same", 100).await.len(), 5, "first contacts at once make one user");
}

/// `list_users`: those of `ids` that exist, each once.
pub async fn listing_gives_each_existing_user_once(world: World) {
    let [ann, bob, _] = world.people(["Ann", "Bob", "Cleo"]).await;
    let ids = [bob.clone(), id("nobody"), ann.clone(), bob.clone()];
    let mut users = world.storage().list_users(&ids).await.expect("the storage answers");
    users.sort_by(|a, b| a.id.cmp(&b.id));
    let names: Vec<&str> = users.iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["Ann", "Bob"], "`list_users` gives those that exist, each once");
    assert_eq!(world.storage().list_users(&[]).await.expect("the storage answers"), [], "nobody was asked for");
}

/// `search_users`: the name contains the text, case-insensitive in ASCII at least.
pub async fn a_search_finds_part_of_a_name_in_any_case(world: World) {
    record(&world, &id("u1"), &claims(Some("Maria Stone"), None)).await;
    record(&world, &id("u2"), &claims(Some("Tom"), None)).await;
    for text in ["maria", "STONE", "a s", "Maria Stone"] {
        assert_eq!(found(&world, text, 10).await, ["u1"], "the name contains {text:?} whatever its case");
    }
    assert_eq!(found(&world, "marias", 10).await, [""; 0], "no name contains it");
    change(&world, &id("u1"), &renamed("Nora")).await;
    assert_eq!(found(&world, "maria", 10).await, [""; 0], "a former name is not found");
    assert_eq!(found(&world, "nora", 10).await, ["u1"], "the present name is found");
}

/// `search_users`: `%` and `_` mean themselves.
pub async fn a_search_takes_wildcards_literally(world: World) {
    record(&world, &id("u1"), &claims(Some("100% Tom"), None)).await;
    record(&world, &id("u2"), &claims(Some("snake_case"), None)).await;
    record(&world, &id("u3"), &claims(Some("1000 Toms \\ 'q' \"d\""), None)).await;
    let expected = [("%", "u1"), ("_", "u2"), ("0% T", "u1"), ("e_c", "u2"), ("\\", "u3"), ("'q'", "u3"), ("\"", "u3")];
    for (text, user) in expected {
        assert_eq!(found(&world, text, 10).await, [user], "{text:?} means itself");
    }
    assert_eq!(found(&world, "*", 10).await, [""; 0], "`*` is no wildcard");
}

/// `search_users`: or whose id equals the text.
pub async fn a_search_finds_an_exact_id(world: World) {
    record(&world, &id("user-17"), &claims(Some("Ann"), None)).await;
    record(&world, &id("user-170"), &claims(Some("Bob"), None)).await;
    assert_eq!(found(&world, "user-17", 10).await, ["user-17"], "the id equals the text, it does not only begin so");
}

/// `search_users`: in id order, at most `limit`.
pub async fn a_search_is_in_id_order_and_limited(world: World) {
    for name in ["c", "a", "e", "b", "d"] {
        record(&world, &id(name), &claims(Some("Same Name"), None)).await;
    }
    assert_eq!(found(&world, "same", 10).await, ["a", "b", "c", "d", "e"], "users come in id order");
    assert_eq!(found(&world, "same", 3).await, ["a", "b", "c"], "at most `limit`, the first ones");
}

/// `update_profile`: `None` keeps what is there, `Some(None)` removes the picture, unknown users are `None`.
pub async fn a_profile_change_keeps_what_it_does_not_name(world: World) {
    let ann = id("ann");
    record(&world, &ann, &claims(Some("Ann"), Some("https://x/1"))).await;
    let steps = [
        (renamed("Annie"), ("Annie", Some("https://x/1"))),
        (ProfileChange { name: None, picture: Some(Some("https://x/2".into())) }, ("Annie", Some("https://x/2"))),
        (ProfileChange::default(), ("Annie", Some("https://x/2"))),
        (ProfileChange { name: None, picture: Some(None) }, ("Annie", None)),
    ];
    for (step, (name, picture)) in steps {
        let user = change(&world, &ann, &step).await;
        let expected = User { id: ann.clone(), name: name.into(), picture: picture.map(str::to_owned) };
        assert_eq!(user, Some(expected), "after {step:?} only the named fields have changed");
        assert_eq!(find(&world, &ann).await, user, "`update_profile` answers with what is stored");
    }
    assert_eq!(change(&world, &id("nobody"), &renamed("X")).await, None, "there is no such user");
    assert_eq!(find(&world, &id("nobody")).await, None, "a change makes nobody");
}

/// A `UserId` is opaque text of up to 128 bytes, and names are any text.
pub async fn odd_ids_and_names_survive(world: World) {
    let longest = "x".repeat(UserId::MAX_BYTES);
    for (text, name) in [("auth0|5f'--", "Zoë 👩‍👩‍👧 'Bobby'"), ("ÄÖ/%?#", "  "), (longest.as_str(), "名前")]
    {
        let user = record(&world, &id(text), &claims(Some(name), None)).await;
        assert_eq!((user.id.as_str(), user.name.as_str()), (text, name), "ids and names come back as they went in");
        assert_eq!(find(&world, &id(text)).await, Some(user), "a user is found by exactly their id");
    }
    assert_eq!(find(&world, &id("äö/%?#")).await, None, "ids that differ in case are different users");
}

/// `find_revocation`: `None` if none are revoked, or there is no such user.
pub async fn nothing_is_revoked_at_first(world: World) {
    let ann = world.person("Ann").await;
    for who in [&ann, &id("nobody")] {
        let found = world.storage().find_revocation(who).await.expect("the storage answers");
        assert_eq!(found, None, "no tokens of {who} are revoked");
    }
    let answer = world.storage().revoke_tokens(&id("nobody"), world.now()).await.expect("the storage answers");
    assert_eq!(answer, None, "there is no such user");
    assert_eq!(find(&world, &id("nobody")).await, None, "a revocation makes nobody");
}

/// `revoke_tokens`: of several moments the latest holds, whatever order they come in.
pub async fn a_revocation_never_moves_back(world: World) {
    let people = world.people(["Ann", "Bob"]).await;
    let [ann, bob] = &people;
    let moments = [0, 1, 2].map(|ahead| Timestamp::from_millis(world.now().millis() + ahead));
    for (revoked, holds) in [(1, 1), (0, 1), (1, 1), (2, 2), (0, 2)] {
        let answer = world.storage().revoke_tokens(ann, moments[revoked]).await.expect("the storage answers");
        assert_eq!(answer, Some(moments[holds]), "the latest of all moments holds");
        let found = world.storage().find_revocation(ann).await.expect("the storage answers");
        assert_eq!(found, answer, "`revoke_tokens` answers with what is stored");
    }
    let found = world.storage().find_revocation(bob).await.expect("the storage answers");
    assert_eq!(found, None, "nobody else's tokens are revoked");
}

/// `revoke_tokens`: what else changes a user leaves it alone, and the other way round.
pub async fn a_revocation_outlives_claims_and_profile_changes(world: World) {
    let ann = id("ann");
    record(&world, &ann, &claims(Some("Ann"), None)).await;
    let before = world.now();
    world.revoke(&ann, before).await;
    assert_eq!(find(&world, &ann).await.map(|user| user.name), Some("Ann".into()), "a revocation is no change of name");
    record(&world, &ann, &claims(Some("Anna"), Some("https://x/1"))).await;
    change(&world, &ann, &renamed("Annie")).await;
    let found = world.storage().find_revocation(&ann).await.expect("the storage answers");
    assert_eq!(found, Some(before), "claims and changes of profile do not undo a revocation");
}
