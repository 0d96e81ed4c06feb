//! Who looks at conversations, on whatever node. Of other nodes it is asked, once for many conversations and of those
//! nodes alone on which somebody concerned is online. Nothing of it is remembered, so nothing is ever out of date.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use crate::model::{ConversationId, NodeId, UserId};
use crate::ports::{Link, Rooms, Topic, Word};
use crate::services::presence::Presence;

/// How long other nodes have to answer.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long a node is not asked that did not answer. Who looks at something there is told of it, and the node takes that
/// back (`relay`).
const SILENCE: Duration = Duration::from_secs(5);
/// The most users in one word.
const PART: usize = 1_000;

/// Who looks at which conversation.
pub(in crate::services) type Looking = HashMap<ConversationId, HashSet<UserId>>;

/// Looks into this node's rooms, and asks others for theirs.
#[derive(Clone)]
pub(in crate::services) struct Lookers(Arc<Shared>);

struct Shared {
    rooms: Arc<dyn Rooms>,
    others: Option<(Presence, Arc<dyn Link>)>,
    asked: AtomicU64,
    /// At most one for each caller.
    questions: Mutex<HashMap<u64, Question>>,
    /// Until when nodes are not asked.
    silent: Mutex<HashMap<NodeId, Instant>>,
}

/// What is known of an answer.
struct Question {
    /// Who has not answered yet.
    open: HashSet<NodeId>,
    found: Looking,
    /// Dropped, and so heard, when all have answered.
    waits: Option<oneshot::Sender<()>>,
}

impl Lookers {
    /// With a link, and who is on the other nodes, where there can be any.
    pub(in crate::services) fn new(rooms: Arc<dyn Rooms>, others: Option<(Presence, Arc<dyn Link>)>) -> Self {
        let (asked, questions, silent) = (AtomicU64::new(0), Mutex::default(), Mutex::default());
        Self(Arc::new(Shared { rooms, others, asked, questions, silent }))
    }

    /// Who looks at a conversation here.
    pub(in crate::services) fn here(&self, conversation: ConversationId) -> HashSet<UserId> {
        self.0.rooms.present(conversation)
    }

    /// Whether there can be other nodes.
    pub(in crate::services) fn may_be_elsewhere(&self) -> bool {
        self.0.others.is_some()
    }

    /// Who looks at conversations on other nodes; for each it is said who is of interest. What does not answer in time
    /// is left out.
    pub(in crate::services) async fn elsewhere(&self, people: &HashMap<ConversationId, Vec<UserId>>) -> Looking {
        let Some((presence, link)) = &self.0.others else { return Looking::new() };
        if !*link.health().borrow() {
            return Looking::new();
        }
        let mut of_nodes = presence.nodes_of(people);
        self.0.leave_out_silent(&mut of_nodes);
        if of_nodes.is_empty() {
            return Looking::new();
        }
        let (waits, answered) = oneshot::channel();
        let open = of_nodes.keys().copied().collect();
        let number = self.0.asked.fetch_add(1, Ordering::Relaxed);
        let asking = Asking { shared: &self.0, number };
        self.0.questions.lock().insert(number, Question { open, found: Looking::new(), waits: Some(waits) });
        for (node, conversations) in of_nodes {
            link.say(&Topic::Node(node), Word::LookingAsked { number, conversations });
        }
        let _ = timeout(PATIENCE, answered).await;
        let Some(question) = asking.end() else { return Looking::new() };
        let until = Instant::now() + SILENCE;
        self.0.silent.lock().extend(question.open.into_iter().map(|node| (node, until)));
        question.found
    }

    /// Answers another node.
    pub(super) fn answer(&self, to: NodeId, number: u64, conversations: Vec<ConversationId>) {
        let Some((_, link)) = &self.0.others else { return };
        let (mut looking, mut count) = (Vec::new(), 0);
        for conversation in conversations {
            let users: Vec<UserId> = self.here(conversation).into_iter().collect();
            for users in users.chunks(PART) {
                if count + users.len() > PART {
                    let looking = std::mem::take(&mut looking);
                    link.say(&Topic::Node(to), Word::LookingAnswered { number, looking, more: true });
                    count = 0;
                }
                count += users.len();
                looking.push((conversation, users.to_vec()));
            }
        }
        link.say(&Topic::Node(to), Word::LookingAnswered { number, looking, more: false });
    }

    /// Another node has answered, or has begun to.
    pub(super) fn answered(&self, from: NodeId, number: u64, looking: Vec<(ConversationId, Vec<UserId>)>, more: bool) {
        let mut questions = self.0.questions.lock();
        let Some(Question { open, found, waits }) = questions.get_mut(&number) else { return };
        if !open.contains(&from) {
            return;
        }
        for (conversation, users) in looking {
            found.entry(conversation).or_default().extend(users);
        }
        if !more {
            open.remove(&from);
        }
        if open.is_empty() {
            *waits = None;
        }
    }
}

impl Shared {
    fn leave_out_silent(&self, of_nodes: &mut HashMap<NodeId, Vec<ConversationId>>) {
        let (mut silent, now) = (self.silent.lock(), Instant::now());
        silent.retain(|_, until| *until > now);
        of_nodes.retain(|node, _| !silent.contains_key(node));
    }
}

/// A question that is forgotten when nobody waits for its answer any more.
struct Asking<'a> {
    shared: &'a Shared,
    number: u64,
}

impl Asking<'_> {
    /// What has been answered.
    fn end(self) -> Option<Question> {
        self.shared.questions.lock().remove(&self.number)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.shared.questions.lock().remove(&self.number);
    }
}
