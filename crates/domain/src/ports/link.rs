//! How the nodes of one storage speak to each other. A link is fast and forgetful: whatever goes over it may be lost,
//! and nothing that is stored depends on it. What was lost is found in the storage (`services::cluster`); how words look
//! on the wire and how a link connects is the adapter's part. Every sentence here is a case of `link-testkit`.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::event::Event;
use crate::model::{CallId, ConversationId, NodeId, SessionId, UserId};

/// Which nodes a word is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// All of them. Nobody needs to follow it.
    Everyone,
    /// One node. It need not follow it.
    Node(NodeId),
    /// Those that follow this user, since they hold a socket of theirs.
    User(UserId),
    /// Those that follow this conversation, since they hold a socket of somebody in it.
    Conversation(ConversationId),
}

/// What nodes say to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Something happened.
    Event(Arc<Event>),
    /// Something that was said before was lost on its way: whoever hears this looks into the storage.
    Look,
    /// The node lives. So many users are here on it, and this is the sum of their names.
    Beat {
        /// How many.
        users: u64,
        /// What distinguishes one crowd from another of the same size.
        sum: u64,
    },
    /// The node goes down in order: its users are about to come to another one.
    Farewell,
    /// Somebody's first socket on the node came.
    Here(UserId),
    /// Somebody's last socket on the node is gone, and so is the grace.
    Gone(UserId),
    /// Somebody wants to know who is here.
    WhoIsHere,
    /// Some of those who are here; with the last part, the whole takes the place of what was known.
    AllHere {
        /// Who.
        users: Vec<UserId>,
        /// Whether another part follows.
        more: bool,
    },
    /// The node has let through so many sends of each of these since it last said so.
    Sent(Vec<(UserId, u32)>),
    /// Somebody wants to know who looks at these conversations on the other node.
    LookingAsked {
        /// Names the question among those of the node that asks.
        number: u64,
        /// Which conversations.
        conversations: Vec<ConversationId>,
    },
    /// Some of those who look at them here; those of one conversation may come in several parts.
    LookingAnswered {
        /// Of which question.
        number: u64,
        /// Who, in each conversation in which there is somebody.
        looking: Vec<(ConversationId, Vec<UserId>)>,
        /// Whether another word follows.
        more: bool,
    },
    /// Somebody takes a step in a call that the other node has.
    CallAsked {
        /// Names the question among those of the node that asks.
        number: u64,
        /// Which call.
        call_id: CallId,
        /// The step.
        ask: CallAsk,
    },
    /// What came of a step.
    CallAnswered {
        /// Of which question.
        number: u64,
        /// What came of it.
        answer: CallAnswer,
    },
}

/// A step in a call of another node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallAsk {
    /// Somebody comes in on a socket.
    Accept {
        /// Who.
        user: UserId,
        /// On which.
        session: SessionId,
    },
    /// Somebody does not come.
    Reject {
        /// Who.
        user: UserId,
        /// Why.
        reason: Option<String>,
    },
    /// Somebody goes.
    HangUp {
        /// Who.
        user: UserId,
        /// Why.
        reason: Option<String>,
    },
    /// Somebody has a word for somebody else.
    Signal {
        /// Who.
        from: UserId,
        /// On which socket.
        session: SessionId,
        /// For whom.
        to: UserId,
        /// JSON, at most 64 KiB.
        data: String,
    },
    /// A socket with which somebody was in the call is gone. It is not answered.
    SocketGone {
        /// Whose.
        user: UserId,
        /// Which.
        session: SessionId,
    },
}

/// What came of a step in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallAnswer {
    /// It is done.
    Done,
    /// There is no such call, or not for them.
    NotFound,
    /// The call forbids it; says why.
    Conflict(String),
    /// It could not be taken.
    Failed,
}

/// What a node hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Another node said something.
    Word(NodeId, Word),
    /// Words may have been missed: the link was down, or there was no room, or nobody could read one.
    Lost,
}

/// One node's end of the link. What is heard comes out of a bounded channel that the adapter hands out when it is made.
#[async_trait]
pub trait Link: Send + Sync {
    /// This node.
    fn node(&self) -> NodeId;

    /// Says something to the other nodes of a topic; this one does not hear it. Never waits. What there is no room
    /// for, or cannot be brought, is dropped, and then `Word::Look` goes to everyone as soon as that can be brought.
    /// What reaches a node reaches it in the order in which it was said.
    fn say(&self, topic: &Topic, word: Word);

    /// Wants to hear of these topics from now on; see [`settled`](Self::settled). Twice is once.
    fn follow(&self, topics: Vec<Topic>);

    /// Wants to hear of these topics no more.
    fn unfollow(&self, topics: Vec<Topic>);

    /// Waits until what was followed by now is heard, or the link is down: then it is as soon as the link is up again,
    /// and `Heard::Lost` is heard after that.
    async fn settled(&self);

    /// Whether words get through, both ways. A link that has stalled says so within two seconds.
    fn health(&self) -> watch::Receiver<bool>;

    /// Brings what was said, for a short time, and ends.
    async fn close(&self);
}
