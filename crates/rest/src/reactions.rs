//! `…/messages/{message}/reactions/{emoji}`: reacting, and taking it back. Both can be repeated.

use axum::extract::State;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::extract::{Caller, Params, Shape};

#[derive(Serialize)]
pub(crate) struct ReactionsData {
    reactions: Box<RawValue>,
}

pub(crate) async fn react(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
) -> Answered<ReactionsData> {
    let (id, emoji) = (params.message()?, params.emoji()?);
    let view = rest.services.messaging.react(&caller, id, emoji).await?;
    Ok(Answer::ok("Reaction added", ReactionsData { reactions: dialect.reactions(&view.message.reactions) }))
}

pub(crate) async fn unreact(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
) -> Answered<ReactionsData> {
    let (id, emoji) = (params.message()?, params.emoji()?);
    let view = rest.services.messaging.unreact(&caller, id, emoji).await?;
    Ok(Answer::ok("Reaction removed", ReactionsData { reactions: dialect.reactions(&view.message.reactions) }))
}
