//! What channels are called. The prefix keeps installations apart that share a Redis: pub/sub knows no databases.

use parlance_domain::ports::Topic;

/// Names channels.
#[derive(Debug, Clone)]
pub(crate) struct Channels {
    prefix: String,
}

impl Channels {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    pub(crate) fn name(&self, topic: &Topic) -> String {
        let prefix = &self.prefix;
        match topic {
            Topic::Everyone => format!("{prefix}:all"),
            Topic::Node(node) => format!("{prefix}:node:{node}"),
            Topic::User(user) => format!("{prefix}:user:{user}"),
            Topic::Conversation(conversation) => format!("{prefix}:room:{conversation}"),
        }
    }
}
