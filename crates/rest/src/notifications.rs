//! `/api/v1/notifications`: what somebody is told beside messages, marking it read, and what they want to be told.

use axum::extract::State;
use parlance_dialects::Dialect;
use parlance_domain::model::{NotificationView, Preferences, PreferencesChange};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::extract::{Body, Caller, Params, Query, Shape};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NotificationsData {
    notifications: Vec<Box<RawValue>>,
    pagination: NumberedPage,
    unread_count: u64,
}

/// Which page this is; these are numbered, since a list of notifications is shown with a count of pages.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NumberedPage {
    page: u64,
    limit: usize,
    total: u64,
    has_more: bool,
}

pub(crate) async fn list(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    query: Query,
) -> Answered<NotificationsData> {
    let limit = query.limit(20, 100)?;
    let page = query.parse("page", "must be a number")?.unwrap_or(1);
    let unread_only = query.flag("unread")?;
    let found = rest.services.notifying.list(&caller.id, unread_only, page, limit).await?;
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

#[derive(Serialize)]
pub(crate) struct NotificationData {
    notification: Box<RawValue>,
}

impl NotificationData {
    fn of(dialect: Dialect, view: &NotificationView) -> Self {
        Self { notification: dialect.notification(view) }
    }
}

pub(crate) async fn mark_read(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
) -> Answered<NotificationData> {
    let read = rest.services.notifying.mark_read(&caller.id, params.notification()?).await?;
    Ok(Answer::ok("Notification marked as read", NotificationData::of(dialect, &read)))
}

#[derive(Serialize)]
pub(crate) struct UpdatedData {
    updated: u64,
}

pub(crate) async fn mark_all_read(State(rest): Rest, Caller(caller): Caller) -> Answered<UpdatedData> {
    let updated = rest.services.notifying.mark_all_read(&caller.id).await?;
    Ok(Answer::ok("All notifications marked as read", UpdatedData { updated }))
}

#[derive(Serialize)]
pub(crate) struct RemovedData {}

pub(crate) async fn remove(State(rest): Rest, Caller(caller): Caller, params: Params) -> Answered<RemovedData> {
    rest.services.notifying.remove(&caller.id, params.notification()?).await?;
    Ok(Answer::ok("Notification removed", RemovedData {}))
}

#[derive(Serialize)]
pub(crate) struct PreferencesData {
    preferences: PreferencesShape,
}

#[derive(Serialize)]
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

pub(crate) async fn preferences(State(rest): Rest, Caller(caller): Caller) -> Answered<PreferencesData> {
    Ok(Answer::ok("Notification preferences", rest.services.notifying.preferences(&caller.id).await?.into()))
}

pub(crate) async fn prefer(State(rest): Rest, Caller(caller): Caller, body: Body) -> Answered<PreferencesData> {
    let change = PreferencesChange {
        email: body.optional_flag("emailNotifications")?,
        push: body.optional_flag("pushNotifications")?,
        chat: body.optional_flag("chatNotifications")?,
        job_match: body.optional_flag("jobMatchNotifications")?,
    };
    let preferences = rest.services.notifying.prefer(&caller.id, change).await?;
    Ok(Answer::ok("Notification preferences updated", preferences.into()))
}
