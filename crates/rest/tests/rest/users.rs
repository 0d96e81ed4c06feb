//! Profiles, people and blocks over HTTP.

use crate::support::Api;
use serde_json::{Value, json};

const USERS: &str = "/api/v1/users";

#[tokio::test]
async fn a_profile_is_shown_and_changed() {
    let api = Api::new().await;
    let me = format!("{USERS}/me");
    let alice = json!({"_id": "alice", "fullName": "ALICE", "profilePicture": null});
    assert_eq!(api.get("alice", &me).await.data(200)["user"], alice);
    let changed = api.patch("alice", &me, json!({"fullName": " Alice A. ", "profilePicture": "https://x/a.png"})).await;
    let alice = json!({"_id": "alice", "fullName": "Alice A.", "profilePicture": "https://x/a.png"});
    assert_eq!(changed.data(200)["user"], alice);
    assert_eq!(api.patch("alice", &me, json!({})).await.data(200)["user"], alice);
    assert_eq!(api.get("bob", &format!("{USERS}/alice")).await.data(200)["user"], alice);
    let without = api.patch("alice", &me, json!({"profilePicture": null})).await.data(200);
    assert_eq!(without["user"]["profilePicture"], Value::Null);
    assert_eq!(api.get("alice", &me).await.data(200)["user"]["fullName"], "Alice A.");
    for (body, field) in [
        (json!({"fullName": " "}), "fullName"),
        (json!({"fullName": "x".repeat(201)}), "fullName"),
        (json!({"fullName": 7}), "fullName"),
        (json!({"profilePicture": {}}), "profilePicture"),
    ] {
        assert_eq!(api.patch("alice", &me, body).await.field(), field);
    }
    let shown = api.get("alice", &format!("{me}?dialect=gateway")).await.data(200);
    assert_eq!(shown["user"], json!({"id": "alice", "name": "Alice A.", "avatar": null}));
}

#[tokio::test]
async fn people_are_found_with_their_status() {
    let api = Api::new().await;
    let bob = format!("{USERS}/bob");
    assert_eq!(api.get("alice", &bob).await.data(200)["status"], "offline");
    api.services.presence.connected(&"bob".parse().expect("a valid id"));
    assert_eq!(api.get("alice", &bob).await.data(200)["status"], "online");
    let odd = "a/b c?%#@x.com";
    let encoded = "a%2Fb%20c%3F%25%23%40x.com";
    api.get(odd, &format!("{USERS}/me")).await.data(200);
    assert_eq!(api.get("alice", &format!("{USERS}/{encoded}")).await.data(200)["user"]["_id"], odd);
    let long = "x".repeat(129);
    for missing in ["nobody", "%00", "%FF", long.as_str()] {
        let answer = api.get("alice", &format!("{USERS}/{missing}")).await;
        assert_eq!(answer.refused(404, "USER_NOT_FOUND"), "User not found");
    }
    let found = |query: &'static str| {
        let api = &api;
        async move {
            let data = api.get("alice", &format!("{USERS}?{query}")).await.data(200);
            let users = data["users"].as_array().expect("a list").clone();
            users.iter().map(|user| user["_id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(found("search=bo").await, ["bob"]);
    assert_eq!(found("search=carol&limit=1").await, ["carol"]);
    assert_eq!(found("search=zzz").await, Vec::<String>::new());
    assert_eq!(api.get("alice", &format!("{USERS}?search=a&limit=0")).await.field(), "limit");
    assert_eq!(api.get("alice", &format!("{USERS}?search=%00")).await.field(), "search");
}

#[tokio::test]
async fn blocks_are_set_listed_and_lifted() {
    let api = Api::new().await;
    let block = format!("{USERS}/bob/block");
    api.services.presence.connected(&"bob".parse().expect("a valid id"));
    assert_eq!(api.put("alice", &block, Value::Null).await.data(200), json!({"blocked": true}));
    assert_eq!(api.put("alice", &block, Value::Null).await.data(200), json!({"blocked": true}));
    let blocked = api.get("alice", &format!("{USERS}/blocked")).await.data(200);
    assert_eq!(blocked, json!({"users": [{"_id": "bob", "fullName": "BOB", "profilePicture": null}]}));
    assert_eq!(api.get("alice", &format!("{USERS}/bob")).await.data(200)["status"], "offline");
    let start = api.post("bob", "/api/v1/chat/conversations/start", json!({"targetUserId": "alice"})).await;
    start.refused(403, "BLOCKED");
    assert_eq!(api.delete("alice", &block).await.data(200), json!({"blocked": false}));
    assert_eq!(api.get("alice", &format!("{USERS}/blocked")).await.data(200), json!({"users": []}));
    api.put("alice", &format!("{USERS}/nobody/block"), Value::Null).await.refused(404, "USER_NOT_FOUND");
    api.put("alice", &format!("{USERS}/alice/block"), Value::Null).await.refused(400, "VALIDATION_FAILED");
    // The fixed names of this level are users like any other one level below.
    api.put("alice", &format!("{USERS}/me/block"), Value::Null).await.refused(404, "USER_NOT_FOUND");
    api.put("alice", &format!("{USERS}/blocked/block"), Value::Null).await.refused(404, "USER_NOT_FOUND");
}
