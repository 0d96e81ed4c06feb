//! `…/messages/{message}/reactions/{emoji}`: reacting, and taking it back. Both can be repeated.

use axum::extract::State;
use parlance_dialects::schemas;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::Rest;
use crate::answer::{Answer, Answered};
use crate::description::{About, Routes};
use crate::extract::{Caller, Params, Shape};

pub(crate) fn routes() -> Routes {
    const PATH: &str = "/api/v1/chat/messages/{message}/reactions/{emoji}";
    Routes::under("Messages").put(PATH, react, About::new("react", "Reacts to a message").refuses(&[403, 409])).delete(
        PATH,
        unreact,
        About::new("unreact", "Takes a reaction back").refuses(&[403, 409]),
    )
}

#[derive(JsonSchema, Serialize)]
pub(crate) struct ReactionsData {
    #[schemars(with = "schemas::ReactionsSchema")]
    reactions: Box<RawValue>,
}

async fn react(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
) -> Answered<ReactionsData> {
    let (id, emoji) = (params.message()?, params.emoji()?);
    let view = rest.services.messaging.react(&caller, id, emoji).await?;
    Ok(Answer::ok("Reaction added", ReactionsData { reactions: dialect.reactions(&view.message.reactions) }))
}

async fn unreact(
    State(rest): Rest,
    Caller(caller): Caller,
    Shape(dialect): Shape,
    params: Params,
) -> Answered<ReactionsData> {
    let (id, emoji) = (params.message()?, params.emoji()?);
    let view = rest.services.messaging.unreact(&caller, id, emoji).await?;
    Ok(Answer::ok("Reaction removed", ReactionsData { reactions: dialect.reactions(&view.message.reactions) }))
}
