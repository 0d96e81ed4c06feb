//! E-mail: a digest is one letter, as plain text and as HTML, with a link by which no more come. What the letter says
//! is in `letter`, when it goes is the domain's part.

mod letter;

use std::error::Error;
use std::time::Duration;

use async_trait::async_trait;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use parlance_domain::model::Preferences;
use parlance_domain::ports::{ChannelError, Delivered, Digest, NotificationChannel};
use parlance_domain::services::EMAIL;

use self::letter::{Letter, Letters};
use crate::UnsubscribeKeys;

/// How long one step of the conversation with the mail server may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the routes of links are; `parlance-rest` answers there.
const UNSUBSCRIBE_PATH: &str = "/api/v1/notifications/unsubscribe";

/// What mail needs to know.
#[derive(Clone)]
pub struct MailSettings {
    /// The server: `smtp://`, with TLS at once `smtps://`, or with STARTTLS `smtp://…?tls=required`.
    pub server: String,
    /// Who the letters are from.
    pub from: String,
    /// Scheme and host under which people reach this server.
    pub public_url: String,
    /// Where a letter leads to a conversation, with `{id}` for its id: a path below `public_url`, or another address.
    pub conversation_link: String,
    /// How long what is said in a conversation is gathered for one letter.
    pub gathers: Duration,
    /// The keys of the links by which no more letters come.
    pub keys: UnsubscribeKeys,
}

/// Settings by which nothing can be mailed. None repeats the address of the server, which may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum InvalidMail {
    /// The address of the server.
    #[error("is not of the form smtp://[USER:PASSWORD@]HOST[:PORT], smtps://… or smtp://…?tls=required")]
    Server,
    /// The sender.
    #[error("is no sender, such as Parlance <chat@example.com>")]
    From,
    /// A template of this crate, which is a bug.
    #[error("a template is broken")]
    Template(#[source] minijinja::Error),
}

/// The channel `email`.
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    letters: Letters,
    gathers: Duration,
    public_url: String,
    keys: UnsubscribeKeys,
}

impl Mail {
    /// A channel over this server, which is first asked when there is something to send.
    ///
    /// # Errors
    /// [`InvalidMail`] for what cannot be used.
    pub fn new(settings: MailSettings) -> Result<Self, InvalidMail> {
        let MailSettings { server, from, public_url, conversation_link, gathers, keys } = settings;
        let transport = Self::transport(&server)?;
        let from = from.parse().map_err(|_| InvalidMail::From)?;
        let letters = Letters::new(&public_url, conversation_link).map_err(InvalidMail::Template)?;
        Ok(Self { transport, from, letters, gathers, public_url, keys })
    }

    /// Refuses what is no address of a mail server.
    ///
    /// # Errors
    /// [`InvalidMail::Server`].
    pub fn check_server(server: &str) -> Result<(), InvalidMail> {
        Self::transport(server).map(drop)
    }

    /// Refuses what nobody can send as.
    ///
    /// # Errors
    /// [`InvalidMail::From`].
    pub fn check_sender(from: &str) -> Result<(), InvalidMail> {
        from.parse::<Mailbox>().map(drop).map_err(|_| InvalidMail::From)
    }

    fn transport(server: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>, InvalidMail> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(server).map_err(|_| InvalidMail::Server)?;
        Ok(builder.timeout(Some(PATIENCE)).build())
    }

    fn message(&self, to: &str, digest: &Digest) -> Result<Message, Box<dyn Error + Send + Sync>> {
        let token = self.keys.token(&digest.user.id);
        let unsubscribe = format!("{}{UNSUBSCRIBE_PATH}?token={token}", self.public_url);
        let Letter { subject, text, html } = self.letters.write(digest, &unsubscribe)?;
        let to = Mailbox::new(Some(letter::one_line(&digest.user.name)), to.parse()?);
        Ok(Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject)
            .message_id(Some(format!("<{}@{}>", random_text(), self.from.email.domain())))
            .raw_header(as_it_is("List-Unsubscribe", format!("<{unsubscribe}>")))
            .raw_header(as_it_is("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()))
            // So that nobody's absence is answered (RFC 3834).
            .raw_header(as_it_is("Auto-Submitted", "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(text, html))?)
    }
}

#[async_trait]
impl NotificationChannel for Mail {
    fn name(&self) -> &'static str {
        EMAIL
    }

    fn is_wanted(&self, preferences: &Preferences) -> bool {
        preferences.email
    }

    fn gathers(&self) -> Duration {
        self.gathers
    }

    async fn deliver(&self, digest: &Digest) -> Result<Delivered, ChannelError> {
        for address in &digest.addresses {
            let message = self.message(&address.target, digest).map_err(ChannelError::Refused)?;
            self.transport.send(message).await.map_err(failure)?;
        }
        Ok(Delivered::default())
    }
}

/// A header whose value is short enough and has nothing to encode.
fn as_it_is(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.clone(), value)
}

/// What a letter is known by.
fn random_text() -> String {
    let mut bytes = [0; 16];
    // Without randomness two letters have one name, and nothing else happens.
    let _ = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes);
    format!("{:032x}", u128::from_be_bytes(bytes))
}

/// A server that refuses the letter or its reader will do so again; one that refuses us may not.
fn failure(error: smtp::Error) -> ChannelError {
    let code = error.status().map(u16::from);
    match code {
        Some(550..=554) => ChannelError::Refused(Box::new(error)),
        _ => ChannelError::Later(Box::new(error)),
    }
}
