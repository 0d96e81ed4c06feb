//! What operators and load balancers ask, without a token: whether the process is up, whether it can work,
//! and what is measured.

use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::future::join_all;
use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::{Answer, Envelope, json};
use crate::description::{About, Operation, Routes};
use crate::errors::Refusal;
use crate::state::Probe;
use crate::{Rest, frame};

pub(crate) fn routes() -> Routes {
    Routes::under("Operation").get("/healthz", health, About::new("isUp", "Whether the process is up")).get(
        "/readyz",
        readiness,
        About::new("isReady", "Whether the process can work").with(readiness_answers),
    )
}

/// The route at which Prometheus reads what is measured.
pub(crate) fn exposition() -> Routes {
    let about = About::new("getMetrics", "What is measured, in the text format of Prometheus");
    let text = |operation: &mut Operation<'_>| {
        operation.answer_with(200, &serde_json::json!({"text/plain": {"schema": {"type": "string"}}}));
    };
    Routes::under("Operation").get("/metrics", metrics, about.with(text))
}

fn readiness_answers(operation: &mut Operation<'_>) {
    operation.answer::<Envelope<'static, ReadyData>>(200);
    operation.answer::<NotReady>(503);
}

/// How long a probe may take.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(JsonSchema, Serialize)]
pub(crate) struct StatusData {
    status: &'static str,
}

async fn health() -> Answer<StatusData> {
    Answer::ok("The process is up", StatusData { status: "ok" })
}

/// The process works, and what it works without.
#[derive(JsonSchema, Serialize)]
struct ReadyData {
    #[schemars(extend("enum" = ["ok", "degraded"]))]
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    without: Vec<&'static str>,
}

#[derive(JsonSchema, Serialize)]
struct NotReady {
    #[schemars(extend("const" = false))]
    success: bool,
    message: String,
    #[schemars(extend("const" = "UNAVAILABLE"))]
    code: &'static str,
}

async fn readiness(State(rest): Rest) -> Response {
    let asked = rest.probes.iter().map(|probe| async move {
        let answer = tokio::time::timeout(PATIENCE, probe.answers()).await;
        if answer == Ok(true) { None } else { Some(&**probe) }
    });
    let silent: Vec<&dyn Probe> = join_all(asked).await.into_iter().flatten().collect();
    if silent.is_empty() {
        return Answer::ok("Ready", ReadyData { status: "ok", without: Vec::new() }).into_response();
    }
    let (needed, missed): (Vec<&dyn Probe>, Vec<&dyn Probe>) = silent.into_iter().partition(|probe| probe.is_needed());
    if needed.is_empty() {
        let without = missed.iter().map(|probe| probe.name()).collect();
        return Answer::ok("Ready, but not whole", ReadyData { status: "degraded", without }).into_response();
    }
    let names: Vec<&str> = needed.iter().map(|probe| probe.name()).collect();
    let message = format!("No answer from {}", names.join(", "));
    json(StatusCode::SERVICE_UNAVAILABLE, &NotReady { success: false, message, code: "UNAVAILABLE" })
}

/// The content type of the text format of Prometheus.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

async fn metrics(State(rest): Rest) -> Result<Response, Refusal> {
    let Some(exposition) = &rest.exposition else { return Err(frame::unknown_route().await) };
    Ok(([(header::CONTENT_TYPE, EXPOSITION)], exposition()).into_response())
}
