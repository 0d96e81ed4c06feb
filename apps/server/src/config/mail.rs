//! How people who are not there are mailed: over which server, from whom, and what the links in it are. Opening the
//! channel is `channels`' part.

use std::time::Duration;

use parlance_auth::Secret;
use parlance_notify::Mail;

use super::database_url::DatabaseUrl;
use super::layers::Layers;
use super::{ConfigError, needed, optional, secret, setting, value};

/// What mail needs.
#[derive(Debug, Clone)]
pub struct MailConfig {
    /// The mail server, with what it asks for; `None` where nobody is mailed.
    pub server: Option<DatabaseUrl>,
    /// Who mails are from; there is one where there is a server.
    pub from: Option<String>,
    /// Scheme and host under which people reach this server; likewise.
    pub public_url: Option<String>,
    /// Where a mail leads to a conversation.
    pub conversation_link: String,
    /// How long what is said in a conversation is gathered for one mail.
    pub gathers: Duration,
    /// The key of links, where it is not made of the secret of tokens.
    pub link_secret: Option<Secret>,
}

impl MailConfig {
    pub(super) fn read(layers: &Layers) -> Result<Self, ConfigError> {
        let mail = Self {
            server: optional(layers, &setting::SMTP_URL, smtp_url)?,
            from: optional(layers, &setting::MAIL_FROM, sender)?,
            public_url: optional(layers, &setting::PUBLIC_URL, value::base_url)?,
            conversation_link: needed(layers, &setting::CONVERSATION_LINK, link)?,
            gathers: needed(layers, &setting::MAIL_GATHERS, value::nonzero_duration)?,
            link_secret: optional(layers, &setting::MAIL_LINK_SECRET, secret)?,
        };
        let goes_with = [(setting::MAIL_FROM, mail.from.is_none()), (setting::PUBLIC_URL, mail.public_url.is_none())];
        match goes_with.iter().find(|(_, is_missing)| mail.server.is_some() && *is_missing) {
            Some((missing, _)) => Err(ConfigError::Missing { name: missing.name, problem: "SMTP_URL goes with it" }),
            None => Ok(mail),
        }
    }

    /// Refuses mail without a key for its links, where there is no secret of tokens to make one of.
    pub(super) fn check(&self, has_secret: bool) -> Result<(), ConfigError> {
        if self.server.is_some() && self.link_secret.is_none() && !has_secret {
            let problem = "the links in mails are signed: give a key for them, unless ACCESS_TOKEN_SECRET is given";
            return Err(ConfigError::Missing { name: setting::MAIL_LINK_SECRET.name, problem });
        }
        Ok(())
    }
}

/// The address of a mail server. Problems do not repeat it: it may hold a password.
fn smtp_url(url: &str) -> Result<DatabaseUrl, String> {
    Mail::check_server(url).map_err(|error| error.to_string())?;
    DatabaseUrl::new(url)
}

fn sender(from: &str) -> Result<String, String> {
    Mail::check_sender(from).map(|()| from.to_owned()).map_err(|error| format!("{from:?} {error}"))
}

fn link(text: &str) -> Result<String, String> {
    let leads = ["/", "https://", "http://"].iter().any(|start| text.starts_with(start));
    let plain = text.chars().all(|c| c.is_ascii_graphic());
    if leads && plain && text.contains("{id}") {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is no path or link with {{id}} in it, such as /chat/{{id}}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_does_not_repeat_a_password() {
        for url in ["smtp://me:hu@hush@mail", "http://me:hush@mail", "smtp:me:hush", "smtp://me:hush@mail?tls=maybe"] {
            let problem = smtp_url(url).unwrap_err();
            assert!(!problem.contains("hush"), "{problem}");
        }
        for url in ["smtp://mail", "smtps://me:hush@mail:465", "smtp://me:hush@mail?tls=required"] {
            assert_eq!(smtp_url(url).unwrap().reveal(), url);
        }
    }

    #[test]
    fn a_link_has_a_place_for_the_conversation() {
        for good in ["/#/c/{id}", "https://shop.example/chat?c={id}"] {
            assert_eq!(link(good).as_deref(), Ok(good));
        }
        for bad in ["", "/chat", "chat/{id}", "javascript:alert({id})", "/a b/{id}"] {
            assert!(link(bad).is_err(), "{bad:?}");
        }
    }
}
