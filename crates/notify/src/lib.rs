//! Ways to reach people who are not there. What is told whom, and when, is the domain's part; here it gets its form and
//! is sent.
//!
//! - [`Mail`]: e-mail over SMTP, with a link by which it ends.
//! - [`Push`]: web push to browsers that are closed.

mod mail;
mod push;
mod unsubscribe;

pub use mail::{InvalidMail, Mail, MailSettings};
pub use push::{InvalidVapidKey, NoClient, Push, PushSettings, Reachable, VapidKey};
pub use unsubscribe::UnsubscribeKeys;
