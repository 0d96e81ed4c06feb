//! Conversations, groups and reading over HTTP.

use crate::support::{Api, NOBODY, id_of};
use serde_json::{Value, json};

const CONVERSATIONS: &str = "/api/v1/chat/conversations";

#[tokio::test]
async fn a_direct_conversation_is_made_once_and_found_again() {
    let api = Api::new().await;
    let start = |user: &'static str, target: &'static str| {
        api.post(user, "/api/v1/chat/conversations/start", json!({ "targetUserId": target }))
    };
    let made = start("alice", "bob").await.data(201);
    assert_eq!(made["conversation"]["type"], "direct");
    let id = id_of(&made["conversation"]);
    assert_eq!(id_of(&start("alice", "bob").await.data(200)["conversation"]), id);
    assert_eq!(id_of(&start("bob", "alice").await.data(200)["conversation"]), id);
    assert_eq!(id_of(&api.get("bob", &format!("{CONVERSATIONS}/{id}")).await.data(200)["conversation"]), id);

    assert_eq!(start("alice", "alice").await.field(), "targetUserId");
    assert_eq!(start("alice", "nobody").await.refused(404, "USER_NOT_FOUND"), "User not found");
    let missing = api.post("alice", "/api/v1/chat/conversations/start", json!({})).await;
    assert_eq!(missing.field(), "targetUserId");
    let outsider = api.get("carol", &format!("{CONVERSATIONS}/{id}")).await;
    assert_eq!(outsider.refused(403, "NOT_PARTICIPANT"), "Not authorized to access this conversation");
}

#[tokio::test]
async fn the_list_is_paged_and_searched() {
    let api = Api::new().await;
    let (first, second) = (api.direct("alice", "bob").await, api.group("alice", &["carol"]).await);
    api.say("bob", &first, "hi").await;
    let page = api.get("alice", "/api/v1/chat/conversations?limit=1").await.data(200);
    assert_eq!(id_of(&page["conversations"][0]), first);
    assert_eq!(page["conversations"][0]["unreadCount"], 1);
    assert_eq!(page["pagination"]["hasMore"], true);
    let cursor = page["pagination"]["nextCursor"].as_str().expect("a cursor");
    let page = api.get("alice", &format!("{CONVERSATIONS}?limit=1&cursor={cursor}")).await.data(200);
    assert_eq!(id_of(&page["conversations"][0]), second);
    assert_eq!(page["pagination"], json!({"hasMore": false, "nextCursor": null}));

    let found = |search: &'static str| {
        let api = &api;
        async move {
            let page = api.get("alice", &format!("{CONVERSATIONS}?search={search}")).await.data(200);
            page["conversations"].as_array().expect("a list").iter().map(id_of).collect::<Vec<_>>()
        }
    };
    assert_eq!(found("tea").await, [second]);
    assert_eq!(found("BOB").await, [first]);
    assert_eq!(found("zzz").await, Vec::<String>::new());
    for (query, field) in [("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("cursor=x", "cursor")] {
        assert_eq!(api.get("alice", &format!("{CONVERSATIONS}?{query}")).await.field(), field);
    }
    let long = "x".repeat(201);
    assert_eq!(api.get("alice", &format!("{CONVERSATIONS}?search={long}")).await.field(), "search");
}

#[tokio::test]
async fn a_group_is_led_by_its_owner() {
    let api = Api::new().await;
    let id = api.group("alice", &["bob"]).await;
    let group = format!("{CONVERSATIONS}/{id}");
    let people = format!("{group}/participants");

    let renamed = api.patch("alice", &group, json!({"title": " Crew "})).await.data(200);
    assert_eq!(renamed["conversation"]["title"], "Crew");
    assert_eq!(api.patch("alice", &group, json!({"title": " "})).await.field(), "title");
    api.patch("bob", &group, json!({"title": "Mine"})).await.refused(403, "FORBIDDEN");

    let added = api.post("alice", &people, json!({"userIds": ["carol"]})).await.data(200);
    assert_eq!(added["conversation"]["participants"].as_array().map(Vec::len), Some(3));
    api.post("alice", &people, json!({"userIds": ["nobody"]})).await.refused(404, "USER_NOT_FOUND");
    assert_eq!(api.post("alice", &people, json!({"userIds": "carol"})).await.field(), "userIds");
    assert_eq!(api.post("alice", &people, json!({"userIds": [7]})).await.field(), "userIds");

    let bob = format!("{people}/bob");
    let promoted = api.patch("alice", &bob, json!({"role": "admin"})).await.data(200);
    let role_of = |view: &Value, name: &str| {
        let all = view["conversation"]["participants"].as_array().expect("a list").clone();
        all.into_iter().find(|one| one["user"]["_id"] == name || one["user"] == name).map(|one| one["role"].clone())
    };
    assert_eq!(role_of(&promoted, "bob"), Some(json!("admin")));
    assert_eq!(api.patch("alice", &bob, json!({"role": "owner"})).await.field(), "role");
    assert_eq!(api.patch("alice", &bob, json!({})).await.field(), "role");
    api.patch("bob", &format!("{people}/carol"), json!({"role": "admin"})).await.refused(403, "FORBIDDEN");
    api.delete("bob", &format!("{people}/alice")).await.refused(403, "FORBIDDEN");
    api.delete("alice", &format!("{people}/nobody")).await.refused(404, "USER_NOT_FOUND");

    api.delete("bob", &format!("{people}/carol")).await.data(200);
    api.get("carol", &group).await.refused(403, "NOT_PARTICIPANT");
    api.delete("alice", &format!("{people}/alice")).await.data(200);
    let left = api.get("bob", &group).await.data(200);
    assert_eq!(role_of(&left, "bob"), Some(json!("owner")));

    let direct = api.direct("alice", "bob").await;
    let add = api.post("alice", &format!("{CONVERSATIONS}/{direct}/participants"), json!({"userIds": ["carol"]})).await;
    add.refused(409, "CONFLICT");
    for body in [json!({"participantIds": ["bob"]}), json!({"title": "", "participantIds": ["bob"]})] {
        assert_eq!(api.post("alice", "/api/v1/chat/conversations/group", body).await.field(), "title");
    }
    let without = api.post("alice", "/api/v1/chat/conversations/group", json!({"title": "T"})).await;
    assert_eq!(without.field(), "participantIds");
}

#[tokio::test]
async fn a_group_has_a_photo_by_its_link() {
    let api = Api::new().await;
    let photo = format!("{CONVERSATIONS}/{}/photo", api.group("alice", &["bob"]).await);
    let set = api.put("alice", &photo, json!({"url": "https://x/y.png"})).await.data(200);
    assert_eq!(set, json!({"groupImage": "https://x/y.png"}));
    assert_eq!(api.put("alice", &photo, json!({"url": "javascript:x"})).await.field(), "url");
    assert_eq!(api.put("alice", &photo, json!({})).await.field(), "url");
    api.delete("bob", &photo).await.refused(403, "FORBIDDEN");
    assert_eq!(api.delete("alice", &photo).await.data(200), json!({"groupImage": null}));
}

#[tokio::test]
async fn who_is_online_is_shown_in_the_callers_dialect() {
    let api = Api::new().await;
    let online = format!("{CONVERSATIONS}/{}/online", api.direct("alice", "bob").await);
    assert_eq!(api.get("alice", &online).await.data(200), json!({"onlineUsers": [], "count": 0}));
    api.services.presence.connected(&"bob".parse().expect("a valid id"));
    let shown = api.get("alice", &online).await.data(200);
    assert_eq!(shown["count"], 1);
    assert_eq!(shown["onlineUsers"], json!([{"_id": "bob", "fullName": "BOB", "profilePicture": null}]));
    let shown = api.get("alice", &format!("{online}?dialect=nextchat")).await.data(200);
    assert_eq!(shown["onlineUsers"], json!(["bob"]));
}

#[tokio::test]
async fn reading_counts_down_what_is_unread() {
    let api = Api::new().await;
    let id = api.direct("alice", "bob").await;
    let mut said = Vec::new();
    for n in 0..4 {
        said.push(api.say("alice", &id, &format!("{n}")).await);
    }
    let read = format!("{CONVERSATIONS}/{id}/read");
    let unread = api.get("bob", "/api/v1/chat/unread").await.data(200);
    assert_eq!(unread, json!({"total": 4, "conversations": { &id: 4 }}));
    let count = api.get("bob", "/api/messages/unread-count").await;
    assert_eq!(count.body["unreadCount"], 4);
    assert_eq!(count.data(200), json!({"unreadCount": 4, "total": 4, "conversations": { &id: 4 }}));

    let left = |answer: crate::support::Answer| answer.data(200)["unreadCount"].clone();
    assert_eq!(left(api.post("bob", &read, json!({"upToMessageId": said[0]})).await), 3);
    assert_eq!(left(api.post("bob", &read, json!({"messageIds": [said[2]]})).await), 2);
    let alias = json!({"conversationId": id, "messageIds": [said[1]]});
    assert_eq!(left(api.post("bob", "/api/messages/read", alias).await), 1);
    assert_eq!(left(api.post("bob", &read, Value::Null).await), 0);
    assert_eq!(api.get("bob", "/api/v1/chat/unread").await.data(200), json!({"total": 0, "conversations": {}}));

    api.post("bob", &read, json!({"upToMessageId": NOBODY})).await.refused(404, "MESSAGE_NOT_FOUND");
    assert_eq!(api.post("bob", &read, json!({"upToMessageId": 7})).await.field(), "upToMessageId");
    assert_eq!(api.post("bob", &read, json!({"messageIds": "x"})).await.field(), "messageIds");
    assert_eq!(api.post("bob", "/api/messages/read", json!({})).await.field(), "conversationId");
    api.post("carol", &read, json!({})).await.refused(403, "NOT_PARTICIPANT");
}

#[tokio::test]
async fn changes_are_read_from_a_rev_on() {
    let api = Api::new().await;
    let id = api.direct("alice", "bob").await;
    let changes = format!("{CONVERSATIONS}/{id}/changes");
    let first = api.say("alice", &id, "one").await;
    let rev = api.get("bob", &changes).await.data(200)["rev"].as_u64().expect("a number");
    let second = api.say("alice", &id, "two").await;
    api.patch("alice", &format!("/api/v1/chat/messages/{first}"), json!({"text": "edited"})).await.data(200);
    let page = api.get("bob", &format!("{changes}?since={rev}&limit=1&dialect=gateway")).await.data(200);
    assert_eq!((&page["messages"][0]["id"], &page["hasMore"]), (&json!(second), &json!(true)));
    let page = api.get("bob", &format!("{changes}?since={}", page["rev"])).await.data(200);
    assert_eq!((id_of(&page["messages"][0]), &page["messages"][0]["text"]), (first, &json!("edited")));
    assert_eq!(page["hasMore"], false);
    for (query, field) in [("since=-1", "since"), ("since=x", "since"), ("limit=201", "limit")] {
        assert_eq!(api.get("bob", &format!("{changes}?{query}")).await.field(), field);
    }
    let beyond = format!("{changes}?since={}", u64::MAX);
    assert_eq!(api.get("bob", &beyond).await.field(), "since");
    api.get("carol", &changes).await.refused(403, "NOT_PARTICIPANT");
}

#[tokio::test]
async fn an_id_that_leads_nowhere_is_not_found_however_it_looks() {
    let api = Api::new().await;
    for id in [NOBODY, "x", "%00", "%FF%FE", "..%2F.."] {
        let path = format!("{CONVERSATIONS}/{id}");
        assert_eq!(api.get("alice", &path).await.refused(404, "CONVERSATION_NOT_FOUND"), "Conversation not found");
        for (method, rest, body) in [
            ("PATCH", "", json!({"title": "T"})),
            ("POST", "/read", json!({})),
            ("GET", "/online", Value::Null),
            ("GET", "/changes", Value::Null),
            ("PUT", "/photo", json!({"url": "https://x/y"})),
            ("POST", "/participants", json!({"userIds": ["bob"]})),
            ("DELETE", "/participants/bob", Value::Null),
        ] {
            let method = method.parse().expect("a method");
            api.call("alice", method, &format!("{path}{rest}"), body).await.refused(404, "CONVERSATION_NOT_FOUND");
        }
    }
}
