//! The words that a load needs of each dialect: joining, sending, typing, reading, and the name of a new message. What
//! the server makes of them is the contract's matter; here they are only said.

use parlance_dialects::Dialect;
use serde_json::{Value, json};

/// One dialect's words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vocabulary {
    /// What joins a room.
    pub(crate) join: &'static str,
    /// What sends a message; `None` where that is done over REST.
    pub(crate) send: Option<&'static str>,
    /// What says that somebody types.
    pub(crate) typing: Option<&'static str>,
    /// What a new message is announced by.
    pub(crate) message_new: &'static str,
    dialect: Dialect,
}

impl Vocabulary {
    pub(crate) const fn of(dialect: Dialect) -> Self {
        let (join, send, typing, message_new) = match dialect {
            Dialect::Talentbridge => ("conversation:join", Some("message:send"), Some("typing:start"), "message:new"),
            Dialect::Ulearn => ("join:conversation", Some("send:message"), Some("typing:start"), "new:message"),
            Dialect::Gateway => ("joinConversation", Some("sendMessage"), Some("typing"), "newMessage"),
            Dialect::Marketplace => ("join:conversation", None, Some("typing:start"), "message:new"),
            // Its `typing` names the user, which nothing here needs.
            Dialect::Nextchat => ("joinConversation", Some("sendMessage"), None, "newMessage"),
        };
        Self { join, send, typing, message_new, dialect }
    }

    /// What a message is sent as. `client_message_id` makes it safe to repeat.
    pub(crate) fn draft(&self, conversation: &str, sender: &str, text: &str, client_message_id: &str) -> Value {
        let mut draft = json!({ "conversationId": conversation, "clientMessageId": client_message_id });
        let field = match self.dialect {
            Dialect::Talentbridge | Dialect::Ulearn | Dialect::Marketplace => "text",
            Dialect::Gateway => "content",
            Dialect::Nextchat => "message",
        };
        draft[field] = text.into();
        match self.dialect {
            Dialect::Ulearn => draft["messageType"] = "text".into(),
            Dialect::Nextchat => draft["senderId"] = sender.into(),
            Dialect::Talentbridge | Dialect::Gateway | Dialect::Marketplace => {}
        }
        draft
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_draft_is_a_send_that_the_server_understands() {
        for dialect in Dialect::ALL {
            let words = Vocabulary::of(dialect);
            let draft = words.draft("65f1a2b3c4d5e6f708192a3b", "alice", "hello", "c1");
            let Some(send) = words.send else { continue };
            let command = dialect.decode(send, &[draft]);
            assert!(matches!(
                command,
                Ok(parlance_dialects::Command::Send(_) | parlance_dialects::Command::SendAs(..))
            ));
        }
    }

    #[test]
    fn joins_and_typing_are_understood_with_a_bare_id() {
        let id = [Value::from("65f1a2b3c4d5e6f708192a3b")];
        for dialect in Dialect::ALL {
            let words = Vocabulary::of(dialect);
            for event in [Some(words.join), words.typing].into_iter().flatten() {
                assert!(dialect.decode(event, &id).is_ok(), "{dialect} {event}");
            }
        }
    }
}
