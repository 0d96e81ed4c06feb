//! `/api/v1/notifications`: what somebody is told beside messages, marking it read, and what they want to be told.

use axum::extract::State;
use parlance_dialects::{AnyDialect, schemas};
use parlance_domain::model::{NotificationView, Preferences, PreferencesChange};
use parlance_domain::services::Notifying;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::description::{About, Routes};
use crate::extract::{Body, Caller, Flag, Limit, Params, Query, Shape, Whole};

pub(crate) fn routes() -> Routes {
    Routes::under("Notifications")
        .get("/api/v1/notifications", list, About::new("listNotifications", "The caller's notifications, newest first"))
        .put(
            "/api/v1/notifications/mark-all-read",
            mark_all_read,
            About::new("readAllNotifications", "Marks all notifications as read"),
        )
        .get(
            "/api/v1/notifications/preferences",
            preferences,
            About::new("getPreferences", "What the caller wants to be told"),
        )
        .put(
            "/api/v1/notifications/preferences",
            prefer,
            About::new("setPreferences", "Changes what the caller wants to be told"),
        )
        .delete(
            "/api/v1/notifications/{notification}",
            remove,
            About::new("removeNotification", "Removes a notification"),
        )
        .put(
            "/api/v1/notifications/{notification}/read",
            mark_read,
            About::new("readNotification", "Marks a notification as read"),
        )
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NotificationsData {
    #[schemars(with = "Vec<schemas::AnyNotification>")]
    notifications: Vec<Box<RawValue>>,
    pagination: NumberedPage,
    unread_count: u64,
}

/// Which page this is; these are numbered, since a list of notifications is shown with a count of pages.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct NumberedPage {
    page: u64,
    limit: usize,
    total: u64,
    has_more: bool,
}

#[derive(JsonSchema, Deserialize)]
pub(crate) struct ListQuery {
    #[serde(default)]
    page: Whole<1, { Notifying::MAX_PAGE }>,
    #[serde(default)]
    limit: Limit<20, 100>,
    /// Only those that are unread.
    #[serde(default)]
    unread: Flag,
}

async fn list(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    Query(query): Query<ListQuery>,
) -> Answered<NotificationsData> {
    let (page, limit) = (query.page.0, query.limit.0);
    let found = rest.services.notifying.list(&caller.id, query.unread.0, page, limit).await?;
    let before = page.saturating_sub(1).saturating_mul(limit as u64);
    let data = NotificationsData {
        pagination: NumberedPage {
            page,
            limit,
            total: found.total,
            has_more: before + (found.notifications.len() as u64) < found.total,
        },
        notifications: found.notifications.iter().map(|view| dialect.notification(view)).collect(),
        unread_count: found.unread,
    };
    Ok(Answer::ok("Notifications", data))
}

#[derive(JsonSchema, Serialize)]
pub(crate) struct NotificationData {
    #[schemars(with = "schemas::AnyNotification")]
    notification: Box<RawValue>,
}

impl NotificationData {
    fn of(dialect: AnyDialect, view: &NotificationView) -> Self {
        Self { notification: dialect.notification(view) }
    }
}

async fn mark_read(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
) -> Answered<NotificationData> {
    let read = rest.services.notifying.mark_read(&caller.id, params.notification()?).await?;
    Ok(Answer::ok("Notification marked as read", NotificationData::of(dialect, &read)))
}

#[derive(JsonSchema, Serialize)]
pub(crate) struct UpdatedData {
    updated: u64,
}

async fn mark_all_read(State(rest): Rest, Caller(caller): Caller) -> Answered<UpdatedData> {
    let updated = rest.services.notifying.mark_all_read(&caller.id).await?;
    Ok(Answer::ok("All notifications marked as read", UpdatedData { updated }))
}

#[derive(JsonSchema, Serialize)]
pub(crate) struct RemovedData {}

async fn remove(State(rest): Rest, Caller(caller): Caller, params: Params) -> Answered<RemovedData> {
    rest.services.notifying.remove(&caller.id, params.notification()?).await?;
    Ok(Answer::ok("Notification removed", RemovedData {}))
}

#[derive(JsonSchema, Serialize)]
pub(crate) struct PreferencesData {
    preferences: PreferencesShape,
}

#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "four independent switches, as the contract names them")]
struct PreferencesShape {
    email_notifications: bool,
    push_notifications: bool,
    chat_notifications: bool,
    job_match_notifications: bool,
}

impl From<Preferences> for PreferencesData {
    fn from(Preferences { email, push, chat, job_match }: Preferences) -> Self {
        Self {
            preferences: PreferencesShape {
                email_notifications: email,
                push_notifications: push,
                chat_notifications: chat,
                job_match_notifications: job_match,
            },
        }
    }
}

async fn preferences(State(rest): Rest, Caller(caller): Caller) -> Answered<PreferencesData> {
    Ok(Answer::ok("Notification preferences", rest.services.notifying.preferences(&caller.id).await?.into()))
}

/// What is left out is kept.
#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "these are the names of the contract")]
pub(crate) struct PreferencesBody {
    email_notifications: Option<bool>,
    push_notifications: Option<bool>,
    chat_notifications: Option<bool>,
    job_match_notifications: Option<bool>,
}

async fn prefer(
    State(rest): Rest,
    Caller(caller): Caller,
    Body(body): Body<PreferencesBody>,
) -> Answered<PreferencesData> {
    let change = PreferencesChange {
        email: body.email_notifications,
        push: body.push_notifications,
        chat: body.chat_notifications,
        job_match: body.job_match_notifications,
    };
    let preferences = rest.services.notifying.prefer(&caller.id, change).await?;
    Ok(Answer::ok("Notification preferences updated", preferences.into()))
}
