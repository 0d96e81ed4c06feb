//! The HTTP API as clients see it: requests in, envelopes out.

mod conversations;
mod cors;
mod description;
mod frame;
mod laws;
mod limits;
mod messages;
mod notifications;
mod support;
mod users;
mod web_client;
