//! Notifications and what calls need, over HTTP.

use crate::support::{Api, NOBODY};
use parlance_domain::event::Event;
use parlance_domain::model::NotificationKind;
use parlance_domain::services::Notice;
use parlance_rest::TurnSecret;
use serde_json::{Value, json};
use std::time::Duration;

const NOTIFICATIONS: &str = "/api/v1/notifications";

async fn notify(api: &Api, user: &str, kind: &str, title: &str) {
    let notice = Notice {
        kind: NotificationKind::new(kind).expect("a valid type"),
        title: title.into(),
        message: "Look here".into(),
        link: Some("/jobs/7".into()),
        data: Some(r#"{"score":0.75}"#.into()),
    };
    api.services.notifying.notify([user.parse().expect("a valid id")], &notice).await.expect("a notice");
}

async fn list(api: &Api, query: &str) -> Value {
    api.get("bob", &format!("{NOTIFICATIONS}?{query}")).await.data(200)
}

fn titles(data: &Value) -> Vec<&str> {
    let notifications = data["notifications"].as_array().expect("a list");
    notifications.iter().map(|notification| notification["title"].as_str().expect("a title")).collect()
}

#[tokio::test]
async fn notifications_come_in_pages_newest_first() {
    let api = Api::new().await;
    for title in ["a", "b", "c", "d", "e"] {
        notify(&api, "bob", "system", title).await;
    }
    notify(&api, "alice", "system", "somebody else's").await;
    let first = list(&api, "limit=2").await;
    assert_eq!(titles(&first), ["e", "d"]);
    assert_eq!(first["pagination"], json!({"page": 1, "limit": 2, "total": 5, "hasMore": true}));
    assert_eq!(first["unreadCount"], 5);
    let last = list(&api, "limit=2&page=3").await;
    assert_eq!(titles(&last), ["a"]);
    assert_eq!(last["pagination"], json!({"page": 3, "limit": 2, "total": 5, "hasMore": false}));
    let beyond = list(&api, "limit=2&page=100000").await;
    assert_eq!(beyond["pagination"], json!({"page": 100_000, "limit": 2, "total": 5, "hasMore": false}));
    assert_eq!(list(&api, "").await["pagination"], json!({"page": 1, "limit": 20, "total": 5, "hasMore": false}));
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=100001", "page"),
        ("page=x", "page"),
        ("unread=maybe", "unread"),
    ] {
        assert_eq!(api.get("bob", &format!("{NOTIFICATIONS}?{query}")).await.field(), field, "{query}");
    }
}

#[tokio::test]
async fn a_notification_has_the_shape_of_the_dialect_that_is_asked_for() {
    let api = Api::new().await;
    notify(&api, "bob", "job_match", "A job for you").await;
    let shown = list(&api, "").await["notifications"][0].clone();
    let (id, at) = (shown["_id"].clone(), shown["createdAt"].clone());
    let talentbridge = json!({
        "_id": id, "type": "job_match", "title": "A job for you", "message": "Look here", "link": "/jobs/7",
        "conversationId": null, "data": {"score": 0.75}, "read": false, "createdAt": at,
    });
    assert_eq!(shown, talentbridge);
    for dialect in ["ulearn", "nextchat"] {
        assert_eq!(list(&api, &format!("dialect={dialect}")).await["notifications"][0], talentbridge);
    }
    let brief = json!({
        "id": id, "type": "job_match", "title": "A job for you", "message": "Look here", "link": "/jobs/7",
        "data": {"score": 0.75}, "isRead": false, "createdAt": at,
    });
    for dialect in ["gateway", "marketplace"] {
        assert_eq!(list(&api, &format!("dialect={dialect}")).await["notifications"][0], brief);
    }
}

#[tokio::test]
async fn a_message_makes_a_notification_that_reading_takes_along() {
    let mut api = Api::new().await;
    let room = api.direct("alice", "bob").await;
    let message = api.say("alice", &room, "hello").await;
    while !matches!(&*api.events.recv().await.expect("an event"), Event::NotificationNew { .. }) {}
    let data = list(&api, "").await;
    let shown = &data["notifications"][0];
    assert_eq!((&shown["type"], &shown["title"]), (&json!("chat_message"), &json!("ALICE")));
    assert_eq!((&shown["message"], &shown["conversationId"]), (&json!("hello"), &json!(room)));
    assert_eq!(shown["data"], json!({"conversationId": room, "messageId": message}));
    api.post("bob", &format!("/api/v1/chat/conversations/{room}/read"), Value::Null).await.data(200);
    while !matches!(&*api.events.recv().await.expect("an event"), Event::NotificationRead { .. }) {}
    let data = list(&api, "").await;
    assert_eq!((&data["notifications"][0]["read"], &data["unreadCount"]), (&json!(true), &json!(0)));
    assert_eq!(list(&api, "unread=true").await["pagination"]["total"], 0);
}

#[tokio::test]
async fn notifications_are_read_one_by_one_and_all_and_removed() {
    let api = Api::new().await;
    for title in ["a", "b", "c"] {
        notify(&api, "bob", "system", title).await;
    }
    let data = list(&api, "").await;
    let id = |at: usize| data["notifications"][at]["_id"].as_str().expect("an id").to_owned();
    let read = format!("{NOTIFICATIONS}/{}/read", id(0));
    for _ in 0..2 {
        let mut expected = data["notifications"][0].clone();
        expected["read"] = json!(true);
        assert_eq!(api.put("bob", &read, Value::Null).await.data(200), json!({"notification": expected}));
    }
    let brief = api.put("bob", &format!("{read}?dialect=gateway"), Value::Null).await.data(200);
    assert_eq!(brief["notification"]["isRead"], true);
    assert_eq!(titles(&list(&api, "unread=true").await), ["b", "a"]);
    assert_eq!(titles(&list(&api, "unread=false").await), ["c", "b", "a"]);
    let one = format!("{NOTIFICATIONS}/{}", id(1));
    assert_eq!(api.delete("bob", &one).await.data(200), json!({}));
    assert_eq!(api.delete("bob", &one).await.refused(404, "NOT_FOUND"), "Notification not found");
    assert_eq!(list(&api, "").await["unreadCount"], 1);
    let all = format!("{NOTIFICATIONS}/mark-all-read");
    assert_eq!(api.put("bob", &all, Value::Null).await.data(200), json!({"updated": 1}));
    assert_eq!(api.put("bob", &all, Value::Null).await.data(200), json!({"updated": 0}));
    assert_eq!(list(&api, "").await["unreadCount"], 0);

    let mine = format!("{NOTIFICATIONS}/{}", id(0));
    for (token, uri) in
        [("alice", mine.clone()), ("bob", format!("{NOTIFICATIONS}/{NOBODY}")), ("bob", format!("{NOTIFICATIONS}/x"))]
    {
        api.put(token, &format!("{uri}/read"), Value::Null).await.refused(404, "NOT_FOUND");
        api.delete(token, &uri).await.refused(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn preferences_are_kept_field_by_field() {
    let api = Api::new().await;
    let uri = format!("{NOTIFICATIONS}/preferences");
    let shown = |chat: bool, jobs: bool| {
        json!({"preferences": {
            "emailNotifications": true, "pushNotifications": true,
            "chatNotifications": chat, "jobMatchNotifications": jobs,
        }})
    };
    assert_eq!(api.get("bob", &uri).await.data(200), shown(true, true));
    assert_eq!(api.put("bob", &uri, json!({"chatNotifications": false})).await.data(200), shown(false, true));
    assert_eq!(api.put("bob", &uri, json!({"jobMatchNotifications": false})).await.data(200), shown(false, false));
    assert_eq!(api.put("bob", &uri, json!({"chatNotifications": null})).await.data(200), shown(false, false));
    assert_eq!(api.put("bob", &uri, Value::Null).await.data(200), shown(false, false));
    assert_eq!(api.put("bob", &uri, json!({"pushNotifications": "no"})).await.field(), "pushNotifications");
    assert_eq!(api.get("bob", &uri).await.data(200), shown(false, false));
    assert_eq!(api.get("alice", &uri).await.data(200), shown(true, true));
    notify(&api, "bob", "job_match", "unwanted").await;
    notify(&api, "bob", "system", "wanted").await;
    assert_eq!(titles(&list(&api, "").await), ["wanted"]);
}

#[tokio::test]
async fn ice_servers_come_with_credentials_of_the_caller() {
    let uri = "/api/v1/calls/ice-servers";
    let api = Api::new().await;
    assert_eq!(api.get("bob", uri).await.data(200), json!({"iceServers": [], "ttl": 3600}));
    let api = Api::with(parlance_domain::services::Provisioning::FromToken, |state| {
        state.settings.ice.urls = vec!["stun:stun.example.com".into(), "turn:turn.example.com".into()];
        state.settings.ice.turn_secret = Some(TurnSecret::new("north"));
        state.settings.ice.turn_ttl = Duration::from_mins(10);
    });
    let data = api.get("bob", uri).await.data(200);
    assert_eq!(data["iceServers"][0], json!({"urls": ["stun:stun.example.com"]}));
    let turn = &data["iceServers"][1];
    assert_eq!((&turn["urls"], &data["ttl"]), (&json!(["turn:turn.example.com"]), &json!(600)));
    // The clock of these tests stands at the beginning of this second.
    assert_eq!(turn["username"], "1800000600:bob");
    assert_eq!(turn["credential"].as_str().map(str::len), Some(28));
}
