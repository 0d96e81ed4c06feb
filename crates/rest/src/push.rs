//! `/api/v1/push`: browsers that want to be told while they are closed. The key with which they subscribe, and their
//! subscriptions.

use axum::extract::State;
use parlance_domain::model::Address;
use parlance_domain::ports::Subscription;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::description::{About, Routes};
use crate::extract::{Body, Caller};

pub(crate) fn routes() -> Routes {
    const SUBSCRIPTIONS: &str = "/api/v1/push/subscriptions";
    Routes::under("Web push")
        .get(
            "/api/v1/push/key",
            key,
            About::new("getPushKey", "The key with which browsers subscribe: `applicationServerKey`"),
        )
        .put(
            SUBSCRIPTIONS,
            subscribe,
            About::new("subscribe", "A browser in which the caller is signed in is told while it is closed")
                .refuses(&[404]),
        )
        .delete(
            SUBSCRIPTIONS,
            unsubscribe,
            About::new("unsubscribe", "A browser of the caller's is not told any more").refuses(&[404]),
        )
}

#[derive(JsonSchema, Serialize)]
struct KeyData {
    /// A point of P-256, uncompressed, as base64url; `null` where there is no web push.
    key: Option<String>,
}

async fn key(State(rest): Rest, Caller(_): Caller) -> Answered<KeyData> {
    Ok(Answer::ok("Push key", KeyData { key: rest.services.subscribing.key().map(str::to_owned) }))
}

/// A `PushSubscription` as its `toJSON()` says it.
#[derive(JsonSchema, Deserialize)]
pub(crate) struct SubscriptionBody {
    /// `https:`, and in the world.
    #[schemars(length(min = 1, max = Address::MAX_TARGET_BYTES))]
    endpoint: String,
    keys: SubscriptionKeys,
}

/// As base64url.
#[derive(JsonSchema, Deserialize)]
pub(crate) struct SubscriptionKeys {
    p256dh: String,
    auth: String,
}

#[derive(JsonSchema, Serialize)]
struct SubscribedData {
    subscribed: bool,
}

async fn subscribe(
    State(rest): Rest,
    Caller(caller): Caller,
    Body(body): Body<SubscriptionBody>,
) -> Answered<SubscribedData> {
    let SubscriptionBody { endpoint, keys: SubscriptionKeys { p256dh, auth } } = body;
    let subscription = Subscription { endpoint, p256dh, auth };
    rest.services.subscribing.subscribe(&caller.id, &subscription).await?;
    Ok(Answer::ok("Subscribed", SubscribedData { subscribed: true }))
}

#[derive(JsonSchema, Deserialize)]
pub(crate) struct EndpointBody {
    #[schemars(length(min = 1, max = Address::MAX_TARGET_BYTES))]
    endpoint: String,
}

#[derive(JsonSchema, Serialize)]
struct UnsubscribedData {
    /// Whether it was subscribed.
    unsubscribed: bool,
}

async fn unsubscribe(
    State(rest): Rest,
    Caller(caller): Caller,
    Body(body): Body<EndpointBody>,
) -> Answered<UnsubscribedData> {
    let unsubscribed = rest.services.subscribing.unsubscribe(&caller.id, &body.endpoint).await?;
    Ok(Answer::ok("Unsubscribed", UnsubscribedData { unsubscribed }))
}
