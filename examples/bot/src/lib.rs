//! A bot that lives in the server's process: it looks on at what happens and answers messages that begin
//! with `/`, in the conversations that it is in. People start a direct conversation with it or add it to a
//! group like anybody else. It answers after the message is stored, so the answer comes after the question.

use std::sync::Arc;

use parlance_domain::Result;
use parlance_domain::event::Event;
use parlance_domain::model::{ClaimedProfile, ClientMessageId, MessageKind, MessageView, User, UserId};
use parlance_domain::ports::Claims;
use parlance_domain::rules::messages::Draft;
use parlance_domain::services::Services;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// A bot.
pub struct Bot {
    services: Services,
    user: User,
}

impl Bot {
    /// Makes the bot known as a user.
    ///
    /// # Errors
    /// What the directory says: `Unavailable`, or `UnknownBearer` where users come only from the product's backend.
    pub async fn new(services: Services, user_id: UserId, name: &str) -> Result<Self> {
        let profile = ClaimedProfile { name: Some(name.to_owned()), picture: None };
        let user = services
            .directory
            .admit(&Claims { user_id, profile, email: None, issued_at: None, expires_at: None })
            .await?;
        Ok(Self { services, user })
    }

    /// Answers until the server is gone.
    pub async fn run(self, mut events: Receiver<Arc<Event>>) {
        loop {
            match events.recv().await {
                Ok(event) => self.hear(&event).await,
                // Behind a burst: what was missed stays unanswered, as with a person.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    async fn hear(&self, event: &Event) {
        let Event::MessageNew { message, participants, .. } = event else { return };
        let own = message.sender.id == self.user.id;
        if own || message.message.kind == MessageKind::System || !participants.contains(&self.user.id) {
            return;
        }
        if let Some(answer) = message.message.text.as_deref().and_then(|text| answer(text, &message.sender)) {
            // Blocked, removed, or the storage is away: a bot takes no for an answer.
            let _ = self.say(message, answer).await;
        }
    }

    async fn say(&self, question: &MessageView, text: String) -> Result<()> {
        let draft = Draft {
            reply_to: Some(question.message.id),
            // One answer per question, also if the question should be heard twice.
            client_message_id: Some(ClientMessageId::new(&format!("answer-{}", question.message.id))?),
            ..Draft::text(question.message.conversation_id, text)
        };
        let sent = self.services.messaging.send(&self.user, draft, None).await?;
        self.services.messaging.announce_delivered(&sent).await;
        Ok(())
    }
}

fn answer(text: &str, sender: &User) -> Option<String> {
    match text.strip_prefix('/')?.split_once(' ').unwrap_or((&text[1..], "")) {
        ("hello", _) => Some(format!("Hello {}!", sender.name)),
        ("echo", what) if !what.is_empty() => Some(what.to_owned()),
        _ => Some("I know /hello and /echo WORDS".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_answers_commands_and_nothing_else() {
        let ann = User { id: "ann".parse().expect("a valid id"), name: "Ann".to_owned(), picture: None };
        assert_eq!(answer("/hello", &ann).as_deref(), Some("Hello Ann!"));
        assert_eq!(answer("/echo one two", &ann).as_deref(), Some("one two"));
        assert_eq!(answer("/what", &ann).as_deref(), Some("I know /hello and /echo WORDS"));
        assert_eq!(answer("hello", &ann), None);
    }
}
