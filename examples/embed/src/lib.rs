//! A shop's own routes beside the chat server's, in one program. When an order moves on, the buyer's open pages hear of it
//! at once; a buyer who is not there finds a notification.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::put;
use axum::{Json, Router};
use parlance_domain::Error;
use parlance_domain::model::{NotificationKind, ProductEvent, UserId};
use parlance_domain::services::Notice;
use parlance_server::Handle;
use serde::Deserialize;
use serde_json::json;

/// The shop: `PUT /shop/orders/{id}` says where an order is.
pub fn routes(chat: Handle) -> Router {
    Router::new().route("/shop/orders/{id}", put(order_moved)).with_state(Arc::new(chat))
}

#[derive(Deserialize)]
struct OrderMoved {
    buyer: String,
    status: String,
}

async fn order_moved(
    State(chat): State<Arc<Handle>>,
    Path(order): Path<u64>,
    Json(OrderMoved { buyer, status }): Json<OrderMoved>,
) -> Result<StatusCode, Refused> {
    // The shop's own database would be asked and changed here.
    let buyer: UserId =
        buyer.parse().map_err(|_| Refused(StatusCode::BAD_REQUEST, "buyer: must be a user's id".to_owned()))?;
    let data = json!({ "orderId": order, "status": status });
    let update = ProductEvent::new("order:update", Some(data.to_string()))?;
    if !chat.emit_to_user(&buyer, update).await {
        let notice = Notice {
            kind: NotificationKind::new("order")?,
            title: format!("Order {order}"),
            message: status,
            link: Some(format!("/orders/{order}")),
            data: None,
        };
        chat.notify([buyer], &notice).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What the shop answers instead.
struct Refused(StatusCode, String);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let status = match error {
            Error::Validation { .. } => StatusCode::BAD_REQUEST,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self(status, error.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}
