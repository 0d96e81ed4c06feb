//! What a letter says: a subject, and the same words as plain text and as HTML. What people wrote is escaped there, and
//! is one line in the subject.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Error, Value};
use parlance_domain::ports::Digest;
use serde::Serialize;

const TEXT: &str = "digest.txt";
const HTML: &str = "digest.html";
/// The longest subject, in characters; mailboxes show less.
const MAX_SUBJECT_CHARS: usize = 120;

/// A letter that is not addressed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
}

/// Writes letters.
pub(super) struct Letters {
    templates: Environment<'static>,
    public_url: String,
    conversation_link: String,
}

/// What the templates fill in.
#[derive(Serialize)]
struct Words<'a> {
    subject: &'a str,
    name: &'a str,
    messages: Vec<Said<'a>>,
    /// How many more are unread than are repeated.
    more: u64,
    message: &'a str,
    link: &'a str,
    unsubscribe: &'a str,
}

#[derive(Serialize)]
struct Said<'a> {
    from: &'a str,
    text: &'a str,
}

impl Letters {
    pub(super) fn new(public_url: &str, conversation_link: String) -> Result<Self, Error> {
        let mut templates = Environment::new();
        // Lines that only decide something leave none.
        templates.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
        // By the ends of their names it is known what has to be escaped.
        templates.add_template(TEXT, include_str!("../../templates/digest.txt"))?;
        templates.add_template(HTML, include_str!("../../templates/digest.html"))?;
        Ok(Self { templates, public_url: public_url.to_owned(), conversation_link })
    }

    /// Writes a letter with a link by which no more come.
    pub(super) fn write(&self, digest: &Digest, unsubscribe: &str) -> Result<Letter, Error> {
        let Digest { user, addresses: _, notification, unread, words } = digest;
        let subject = match notification.conversation_id {
            Some(_) if *unread == 1 => format!("{}: a new message", notification.title),
            Some(_) => format!("{}: {unread} new messages", notification.title),
            None => notification.title.clone(),
        };
        let subject = one_line(&subject);
        let words = Words {
            subject: &subject,
            name: &user.name,
            messages: words.iter().map(|said| Said { from: &said.from, text: &said.text }).collect(),
            more: unread.saturating_sub(words.len() as u64),
            message: &notification.message,
            link: &self.link(digest),
            unsubscribe,
        };
        let words = Value::from(Serde(&words));
        let text = self.templates.get_template(TEXT)?.render(words.clone())?;
        let html = self.templates.get_template(HTML)?.render(words)?;
        Ok(Letter { subject, text, html })
    }

    /// Where the letter leads: the conversation, what a product says, else the front page.
    fn link(&self, digest: &Digest) -> String {
        let notification = &digest.notification;
        let conversation =
            notification.conversation_id.map(|id| self.conversation_link.replace("{id}", &id.to_string()));
        let link = conversation.or_else(|| notification.link.clone()).unwrap_or_else(|| "/".to_owned());
        if link.starts_with('/') { format!("{}{link}", self.public_url) } else { link }
    }
}

/// A text without what would end a line of a head, and not too long for one.
pub(super) fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(MAX_SUBJECT_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use parlance_domain::model::{ConversationId, NotificationId, NotificationKind, NotificationView, Timestamp, User};
    use parlance_domain::ports::Words as Heard;

    use super::*;

    const ROOM: ConversationId = ConversationId::from_bytes([7; 12]);

    fn letters() -> Letters {
        Letters::new("https://chat.example", "/#/c/{id}".to_owned()).unwrap()
    }

    fn chat(unread: u64, words: &[(&str, &str)]) -> Digest {
        let heard = |(from, text): &(&str, &str)| Heard { from: (*from).to_owned(), text: (*text).to_owned() };
        Digest {
            user: User::nameless("ann".parse().unwrap()),
            addresses: vec![],
            notification: NotificationView {
                id: NotificationId::from_bytes([9; 12]),
                kind: NotificationKind::chat_message(),
                title: "Team <b>".to_owned(),
                message: "Bob: hi".to_owned(),
                link: None,
                conversation_id: Some(ROOM),
                data: None,
                read: false,
                created_at: Timestamp::from_millis(0),
            },
            unread,
            words: words.iter().map(heard).collect(),
        }
    }

    #[test]
    fn a_letter_repeats_what_was_said_and_leads_there() {
        let digest = chat(3, &[("Bob", "one & two"), ("Cleo", "<script>alert(1)</script>")]);
        let Letter { subject, text, html } = letters().write(&digest, "https://chat.example/u?token=t").unwrap();
        assert_eq!(subject, "Team <b>: 3 new messages");
        for part in
            ["Bob: one & two\n", "Cleo: <script>alert(1)</script>\n", "… and 1 more", "https://chat.example/#/c/0707"]
        {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        assert!(text.contains("https://chat.example/u?token=t"), "{text}");
        for part in ["Team &lt;b&gt;", "one &amp; two", "&lt;script&gt;", "token=t"] {
            assert!(html.contains(part), "{part:?} in {html}");
        }
        assert!(!html.contains("<script") && !html.contains("<b>: 3"), "{html}");
        let one = letters().write(&chat(1, &[("Bob", "hi")]), "u").unwrap();
        assert_eq!(one.subject, "Team <b>: a new message");
        assert!(!one.text.contains("… and"), "{}", one.text);
    }

    #[test]
    fn a_products_words_are_a_letter_too() {
        let mut digest = chat(1, &[]);
        digest.notification.conversation_id = None;
        digest.notification.title = "Order 7\r\nBcc: eve@example.com".to_owned();
        digest.notification.message = "It is on its way".to_owned();
        for (link, leads) in [
            (None, "https://chat.example/\n"),
            (Some("/orders/7"), "https://chat.example/orders/7\n"),
            (Some("https://shop.example/7"), "https://shop.example/7\n"),
        ] {
            digest.notification.link = link.map(str::to_owned);
            let Letter { subject, text, .. } = letters().write(&digest, "u").unwrap();
            assert_eq!(subject, "Order 7 Bcc: eve@example.com", "a line stays one");
            assert!(text.contains("It is on its way\n") && text.contains(leads), "{text}");
        }
    }

    #[test]
    fn a_subject_has_an_end() {
        assert_eq!(one_line("  a\t b\n\u{7}c "), "a b c");
        assert_eq!(one_line(&"ä".repeat(200)).chars().count(), MAX_SUBJECT_CHARS + 1);
    }
}
