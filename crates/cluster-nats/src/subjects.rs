//! What subjects are called. The prefix keeps installations apart that share a NATS. A user's name may hold dots, spaces and
//! whatever has a meaning in subjects, so it is written as base64.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlance_domain::ports::Topic;

use crate::servers::ConnectError;

/// Names subjects.
#[derive(Debug, Clone)]
pub(crate) struct Subjects {
    prefix: String,
}

impl Subjects {
    /// With a prefix of letters, digits, `_` and `-`.
    pub(crate) fn new(prefix: &str) -> Result<Self, ConnectError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if prefix.is_empty() || !prefix.chars().all(plain) {
            return Err(ConnectError::Prefix);
        }
        Ok(Self { prefix: prefix.to_owned() })
    }

    pub(crate) fn name(&self, topic: &Topic) -> String {
        let prefix = &self.prefix;
        match topic {
            Topic::Everyone => format!("{prefix}.all"),
            Topic::Node(node) => format!("{prefix}.node.{node}"),
            Topic::User(user) => format!("{prefix}.user.{}", URL_SAFE_NO_PAD.encode(user.as_str())),
            Topic::Conversation(conversation) => format!("{prefix}.room.{conversation}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_reach_beyond_its_subject() {
        let subjects = Subjects::new("p").unwrap();
        for user in ["*", "a.b", "ünal x", ">"] {
            let name = subjects.name(&Topic::User(user.parse().unwrap()));
            assert!(name.starts_with("p.user.") && name.split('.').count() == 3, "{name}");
            assert!(!name.contains(['*', '>', ' ']), "{name}");
        }
        for prefix in ["", "a b", "a.b", "*", "a\r\nPUB x 0"] {
            assert!(Subjects::new(prefix).is_err(), "{prefix}");
        }
    }
}
