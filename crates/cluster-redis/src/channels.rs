//! What channels are called. The prefix keeps installations apart that share a Redis: pub/sub knows no databases. In a
//! Redis Cluster it is a hash tag as well: all channels of an installation are on one node of it, since words keep their
//! order, whatever their topics, on one connection alone (0089).

use parlance_domain::ports::Topic;

/// Names channels.
#[derive(Debug, Clone)]
pub(crate) struct Channels {
    prefix: String,
    everyone: String,
    sharded: bool,
}

impl Channels {
    pub(crate) fn new(prefix: &str, sharded: bool) -> Self {
        let prefix = if sharded { format!("{{{prefix}}}") } else { prefix.to_owned() };
        Self { everyone: format!("{prefix}:all"), prefix, sharded }
    }

    /// Whether they are channels of sharded pub/sub, which stay on the node that has their slot.
    pub(crate) fn are_sharded(&self) -> bool {
        self.sharded
    }

    /// One of them.
    pub(crate) fn any(&self) -> &str {
        &self.everyone
    }

    pub(crate) fn name(&self, topic: &Topic) -> String {
        let prefix = &self.prefix;
        match topic {
            Topic::Everyone => self.everyone.clone(),
            Topic::Node(node) => format!("{prefix}:node:{node}"),
            Topic::User(user) => format!("{prefix}:user:{user}"),
            Topic::Conversation(conversation) => format!("{prefix}:room:{conversation}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use parlance_domain::model::NodeId;

    use super::*;

    #[test]
    fn in_a_cluster_the_prefix_alone_decides_on_the_node() {
        let user = Topic::User("a{b}".parse().unwrap());
        assert_eq!(Channels::new("p", false).name(&Topic::Node(NodeId(7))), format!("p:node:{}", NodeId(7)));
        // The first pair of braces counts, and no more.
        assert_eq!(Channels::new("p", true).name(&user), "{p}:user:a{b}");
    }
}
