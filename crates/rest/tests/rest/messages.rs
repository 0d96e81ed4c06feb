//! Messages over HTTP: sending, reading back, searching, changing, reacting.

use crate::support::{Api, NOBODY, id_of};
use parlance_domain::event::Event;
use serde_json::{Value, json};

const MESSAGES: &str = "/api/v1/chat/messages";

#[tokio::test]
async fn a_message_is_sent_under_any_name_of_its_text() {
    let api = Api::new().await;
    let id = api.direct("alice", "bob").await;
    for (route, name) in [(MESSAGES, "text"), (MESSAGES, "content"), ("/api/messages", "message")] {
        let sent = api.post("alice", route, json!({"conversationId": id, name: " hello "})).await.data(201);
        assert_eq!(sent["message"]["text"], "hello");
        assert_eq!(sent["message"]["sender"], json!({"_id": "alice", "fullName": "ALICE", "profilePicture": null}));
    }
    let body = json!({
        "conversationId": id, "messageType": "image",
        "media": [{"url": "https://x/y.png", "type": "image", "filename": "y.png", "size": 5}],
    });
    let sent = api.post("alice", MESSAGES, body).await.data(201);
    assert_eq!((&sent["message"]["messageType"], &sent["message"]["text"]), (&json!("image"), &Value::Null));
    let original = id_of(&sent["message"]);
    let body = json!({"conversationId": id, "text": "nice", "replyTo": original, "unknown": 1});
    let sent = api.post("bob", MESSAGES, body).await.data(201);
    assert_eq!(id_of(&sent["message"]["replyTo"]), original);
}

#[tokio::test]
async fn a_repeated_send_is_answered_with_the_first_message() {
    let api = Api::new().await;
    let id = api.direct("alice", "bob").await;
    let body = json!({"conversationId": id, "text": "once", "clientMessageId": "c1"});
    let first = api.post("alice", MESSAGES, body.clone()).await.data(201);
    let again = api.post("alice", "/api/messages", body).await.data(200);
    assert_eq!(first["message"], again["message"]);
    let history = api.get("bob", &format!("{MESSAGES}/all/{id}")).await.data(200);
    assert_eq!(history["messages"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_delivered_message_is_announced_to_its_sender_once() {
    let mut api = Api::new().await;
    let id = api.direct("alice", "bob").await;
    api.services.presence.connected(&"bob".parse().expect("a valid id"));
    let sent = api.say("alice", &id, "hi").await;
    api.services.close();
    let mut delivered = 0;
    while let Ok(event) = api.events.try_recv() {
        if let Event::MessagesDelivered { message_ids, .. } = &*event {
            assert!(message_ids.iter().all(|id| id.to_string() == sent));
            delivered += message_ids.len();
        }
    }
    assert_eq!(delivered, 1);
}

#[tokio::test]
async fn a_message_that_may_not_be_sent_is_refused_for_its_reason() {
    let api = Api::new().await;
    let id = api.direct("alice", "bob").await;
    let send = |token: &'static str, body: Value| api.post(token, MESSAGES, body);
    for (body, field) in [
        (json!({}), "conversationId"),
        (json!({"conversationId": 5, "text": "x"}), "conversationId"),
        (json!({"conversationId": id}), "text"),
        (json!({"conversationId": id, "text": "  "}), "text"),
        (json!({"conversationId": id, "text": ["x"]}), "text"),
        (json!({"conversationId": id, "content": 5}), "content"),
        (json!({"conversationId": id, "text": "x".repeat(10_001)}), "text"),
        (json!({"conversationId": id, "text": "x", "clientMessageId": "y".repeat(65)}), "clientMessageId"),
        (json!({"conversationId": id, "text": "x", "messageType": "image"}), "messageType"),
        (json!({"conversationId": id, "text": "x", "messageType": "system"}), "messageType"),
        (json!({"conversationId": id, "media": [{"url": "http://x/y", "type": "image"}]}), "media"),
        (json!({"conversationId": id, "media": "x"}), "media"),
        (json!([1]), "body"),
    ] {
        assert_eq!(send("alice", body.clone()).await.field(), field, "{body}");
    }
    send("alice", json!({"conversationId": "x", "text": "x"})).await.refused(404, "CONVERSATION_NOT_FOUND");
    send("alice", json!({"conversationId": NOBODY, "text": "x"})).await.refused(404, "CONVERSATION_NOT_FOUND");
    let reply = json!({"conversationId": id, "text": "x", "replyTo": NOBODY});
    send("alice", reply).await.refused(404, "MESSAGE_NOT_FOUND");
    let outsider = send("carol", json!({"conversationId": id, "text": "x"})).await;
    assert_eq!(outsider.refused(403, "NOT_PARTICIPANT"), "Not authorized to send message");
    let audio = send("alice", json!({"conversationId": id, "media": [{"url": "https://x/a", "type": "audio"}]})).await;
    assert_eq!(audio.refused(415, "AUDIO_NOT_ALLOWED"), "Audio messages are not allowed");
    let spam = send("alice", json!({"conversationId": id, "text": "spam"})).await;
    assert_eq!(spam.refused(403, "FORBIDDEN"), "No advertising here");

    api.put("alice", "/api/v1/users/bob/block", Value::Null).await.data(200);
    let own = send("alice", json!({"conversationId": id, "text": "x"})).await;
    assert_eq!(own.refused(403, "BLOCKED_BY_YOU"), "You cannot send messages to a blocked user");
    let other = send("bob", json!({"conversationId": id, "text": "x"})).await;
    assert_eq!(other.refused(403, "BLOCKED"), "Action not available");
}

#[tokio::test]
async fn history_is_read_page_by_page_with_either_cursor() {
    let api = Api::new().await;
    let id = api.direct("alice", "bob").await;
    let mut said = Vec::new();
    for n in 0..5 {
        said.push(api.say("alice", &id, &format!("{n}")).await);
    }
    for route in [format!("{MESSAGES}/all/{id}"), format!("/api/messages/{id}")] {
        let page = |query: String| {
            let (api, route) = (&api, &route);
            async move {
                let data = api.get("bob", &format!("{route}?{query}")).await.data(200);
                let ids: Vec<_> = data["messages"].as_array().expect("a list").iter().map(id_of).collect();
                (ids, data["pagination"].clone())
            }
        };
        assert_eq!(page(String::new()).await.0, said);
        let (ids, pagination) = page("limit=2".into()).await;
        assert_eq!((ids.as_slice(), &pagination["hasMore"]), (&said[3..], &json!(true)));
        let next = pagination["nextCursor"].as_str().expect("a cursor").to_owned();
        let by_cursor = page(format!("limit=2&cursor={next}")).await;
        let by_oldest = page(format!("limit=2&cursor={}", ids[0])).await;
        assert_eq!(by_cursor, by_oldest);
        assert_eq!(by_cursor.0, said[1..3]);
        let (ids, pagination) = page(format!("limit=2&cursor={}", said[1])).await;
        assert_eq!((ids.as_slice(), pagination), (&said[..1], json!({"hasMore": false, "nextCursor": null})));
        // What forms and careless clients send for "none".
        assert_eq!(page("cursor=".into()).await.0, said);
        for (query, field) in
            [("limit=0", "limit"), ("limit=201", "limit"), ("limit=1.5", "limit"), ("cursor=x", "cursor")]
        {
            assert_eq!(api.get("bob", &format!("{route}?{query}")).await.field(), field);
        }
        assert_eq!(api.get("bob", &format!("{route}?cursor={NOBODY}")).await.field(), "cursor");
        api.get("carol", &route).await.refused(403, "NOT_PARTICIPANT");
    }
    api.get("bob", &format!("{MESSAGES}/all/x")).await.refused(404, "CONVERSATION_NOT_FOUND");
    api.get("bob", "/api/messages/x").await.refused(404, "CONVERSATION_NOT_FOUND");
}

#[tokio::test]
async fn messages_take_the_shape_that_is_asked_for() {
    let api = Api::new().await;
    let id = api.direct("alice", "bob").await;
    api.say("alice", &id, "hi").await;
    let text_in = |name: &'static str, field: &'static str| {
        let (api, uri) = (&api, format!("/api/messages/{id}?dialect={name}"));
        async move { api.get("bob", &uri).await.data(200)["messages"][0][field].clone() }
    };
    for (dialect, field) in [
        ("talentbridge", "text"),
        ("ulearn", "text"),
        ("gateway", "content"),
        ("marketplace", "content"),
        ("nextchat", "message"),
    ] {
        assert_eq!(text_in(dialect, field).await, "hi", "{dialect}");
    }
    let request = |dialect: &str, query: &str| {
        let request = axum::http::Request::builder().uri(format!("/api/messages/{id}{query}"));
        let request = request.header("authorization", "bob").header("x-dialect", dialect);
        api.send(request.body(axum::body::Body::empty()).expect("a request"))
    };
    assert_eq!(request("gateway", "").await.data(200)["messages"][0]["content"], "hi");
    assert_eq!(request("gateway", "?dialect=nextchat").await.data(200)["messages"][0]["message"], "hi");
    assert_eq!(request("klingon", "").await.field(), "dialect");
    assert_eq!(request("gateway", "?dialect=klingon").await.field(), "dialect");
    let conversation = api.get("bob", &format!("/api/v1/chat/conversations/{id}?dialect=gateway")).await.data(200);
    assert_eq!(conversation["conversation"]["lastMessage"]["text"], "hi");
}

#[tokio::test]
async fn search_finds_words_in_the_callers_conversations() {
    let api = Api::new().await;
    let (with_bob, with_carol) = (api.direct("alice", "bob").await, api.direct("alice", "carol").await);
    let first = api.say("alice", &with_bob, "green apples").await;
    let second = api.say("alice", &with_carol, "red apples").await;
    let found = |token: &'static str, query: String| {
        let api = &api;
        async move {
            let data = api.get(token, &format!("{MESSAGES}/search?{query}")).await.data(200);
            let ids: Vec<_> = data["messages"].as_array().expect("a list").iter().map(id_of).collect();
            (ids, data["pagination"].clone())
        }
    };
    assert_eq!(found("alice", "q=apple".into()).await.0, [second.as_str(), first.as_str()]);
    assert_eq!(found("bob", "q=apple".into()).await.0, std::slice::from_ref(&first));
    assert_eq!(found("alice", format!("q=apple&conversationId={with_bob}")).await.0, std::slice::from_ref(&first));
    let (ids, pagination) = found("alice", "q=apple&limit=1".into()).await;
    assert_eq!(ids, [second]);
    let next = pagination["nextCursor"].as_str().expect("a cursor");
    assert_eq!(found("alice", format!("q=apple&limit=1&cursor={next}")).await.0, [first]);

    for (query, field) in [
        ("", "q"),
        ("q=", "q"),
        ("q=%20", "q"),
        ("q=-", "q"),
        ("q=%00", "q"),
        ("q=a&cursor=x", "cursor"),
        ("q=a&limit=0", "limit"),
    ] {
        assert_eq!(api.get("alice", &format!("{MESSAGES}/search?{query}")).await.field(), field, "{query}");
    }
    let elsewhere = api.get("bob", &format!("{MESSAGES}/search?q=a&conversationId={with_carol}")).await;
    elsewhere.refused(403, "NOT_PARTICIPANT");
    api.get("bob", &format!("{MESSAGES}/search?q=a&conversationId=x")).await.refused(404, "CONVERSATION_NOT_FOUND");
}

#[tokio::test]
async fn messages_are_edited_and_deleted_by_those_who_may() {
    let api = Api::new().await;
    let id = api.direct("alice", "bob").await;
    let message = format!("{MESSAGES}/{}", api.say("alice", &id, "helo").await);
    let edited = api.patch("alice", &message, json!({"text": "hello"})).await.data(200);
    assert_eq!(edited["message"]["text"], "hello");
    assert!(edited["message"]["editedAt"].is_string());
    let edited = api.patch("alice", &format!("{message}?dialect=gateway"), json!({"content": "hullo"})).await.data(200);
    assert_eq!(edited["message"]["content"], "hullo");
    api.patch("bob", &message, json!({"text": "x"})).await.refused(403, "FORBIDDEN");
    assert_eq!(api.patch("alice", &message, json!({"text": ""})).await.field(), "text");
    assert_eq!(api.patch("alice", &message, json!({"content": 5})).await.field(), "content");
    assert_eq!(api.patch("alice", &message, json!({})).await.field(), "text");
    api.patch("carol", &message, json!({"text": "x"})).await.refused(404, "MESSAGE_NOT_FOUND");

    api.delete("bob", &message).await.refused(403, "FORBIDDEN");
    let deleted = api.delete("alice", &message).await.data(200);
    assert_eq!(deleted["message"]["text"], Value::Null);
    assert!(deleted["message"]["deletedAt"].is_string());
    api.patch("alice", &message, json!({"text": "x"})).await.refused(409, "CONFLICT");
    let second = api.say("alice", &id, "x").await;
    let alias = api.delete("alice", &format!("/api/messages/{second}")).await.data(200);
    assert_eq!(id_of(&alias["message"]), second);
    for missing in [NOBODY, "x", "%FF"] {
        for route in [format!("{MESSAGES}/{missing}"), format!("/api/messages/{missing}")] {
            assert_eq!(api.delete("alice", &route).await.refused(404, "MESSAGE_NOT_FOUND"), "Message not found");
        }
    }
}

#[tokio::test]
async fn reactions_come_and_go() {
    let api = Api::new().await;
    let id = api.direct("alice", "bob").await;
    let message = format!("{MESSAGES}/{}", api.say("alice", &id, "hi").await);
    let thumb = format!("{message}/reactions/%F0%9F%91%8D");
    let expected = json!({"reactions": [{"emoji": "👍", "count": 1, "userIds": ["bob"]}]});
    assert_eq!(api.put("bob", &thumb, Value::Null).await.data(200), expected);
    assert_eq!(api.put("bob", &thumb, Value::Null).await.data(200), expected);
    assert_eq!(api.delete("bob", &thumb).await.data(200), json!({"reactions": []}));
    assert_eq!(api.delete("bob", &thumb).await.data(200), json!({"reactions": []}));
    for n in 0..20 {
        api.put("bob", &format!("{message}/reactions/{n}"), Value::Null).await.data(200);
    }
    api.put("bob", &thumb, Value::Null).await.refused(409, "CONFLICT");
    let long = "x".repeat(65);
    for emoji in ["%00", long.as_str()] {
        assert_eq!(api.put("bob", &format!("{message}/reactions/{emoji}"), Value::Null).await.field(), "emoji");
    }
    api.put("carol", &thumb, Value::Null).await.refused(404, "MESSAGE_NOT_FOUND");
    api.delete("bob", &format!("{MESSAGES}/x/reactions/a")).await.refused(404, "MESSAGE_NOT_FOUND");
}
