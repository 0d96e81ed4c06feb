//! The Parlance server as a library: reads the configuration, makes the adapters it names, and puts the transports
//! on top. No rule lives here. The binary `parlance` is a command line around it; a program of your own embeds it:
//!
//! ```no_run
//! # async fn embed() -> Result<(), Box<dyn std::error::Error>> {
//! use parlance_server::config::{Config, Flags};
//! use parlance_server::Server;
//!
//! let config = Config::load(&Flags::default())?;
//! let server = Server::builder(config).build().await?;
//! server.run(parlance_server::signals::terminated()).await?;
//! # Ok(()) }
//! ```
//!
//! A storage, a verifier of tokens, a message policy, notification channels and routes of your own are handed to the
//! [`Builder`].

mod builder;
mod channels;
mod cluster;
pub mod config;
mod dev_sign_in;
pub mod logging;
mod media;
mod metrics;
mod minting;
pub mod moving;
mod reloading;
mod server;
mod serving;
pub mod signals;
mod storage;
pub mod system;
mod tls;
mod tokens;
mod traces;
mod webhooks;

pub use builder::Builder;
pub use media::{CollectError, collect_media};
pub use metrics::Metrics;
pub use minting::access_token;
pub use reloading::{Reloaded, Reloading};
pub use server::{Handle, Server, Stopped};
pub use storage::migrate;
pub use traces::Traces;
pub use webhooks::DeadLetterBox;
