//! Everything that a storage answers, as one value: two storages that hold the same answer the same.

use std::collections::BTreeMap;

use parlance_domain::model::{
    Conversation, ConversationId, MediumId, Message, MessageStatus, Notification, Preferences, Roster, Timestamp, User,
    UserId, Watermarks,
};
use parlance_domain::ports::{Changes, ConversationEntry, ConversationQuery, SearchQuery};

use super::life::{NAMES, conversations_of};
use crate::World;

/// What is searched for: words, beginnings of words, and what was deleted or edited away.
const WORDS: [&str; 7] = ["cafe", "message", "mes", "answer", "word1", "mark", "größe"];

/// What one person is answered.
#[derive(Debug, PartialEq)]
pub(super) struct Personal {
    user: Option<User>,
    entries: Vec<ConversationEntry>,
    unread: BTreeMap<ConversationId, u64>,
    told: Vec<Notification>,
    preferences: Preferences,
    blocked: Vec<UserId>,
    contacts: Vec<UserId>,
    found: Vec<Vec<Message>>,
}

/// What is answered about one conversation.
#[derive(Debug, PartialEq)]
pub(super) struct Common {
    conversation: Conversation,
    roster: Roster,
    history: Vec<Message>,
    changes: Option<Changes>,
    leaders: Leaders,
    unread: Vec<(UserId, u64)>,
}

/// Positions without the order in which people with the same position are named.
#[derive(Debug, PartialEq)]
struct Leaders {
    read: Vec<u64>,
    delivered: Vec<u64>,
    statuses: Vec<MessageStatus>,
}

/// All answers of a storage, to be compared with those of another.
#[derive(Debug, PartialEq)]
pub struct Answers {
    people: Vec<Personal>,
    conversations: BTreeMap<ConversationId, Common>,
    unused_media: Vec<MediumId>,
}

/// Asks everything.
pub(super) async fn ask(world: &World) -> Answers {
    let (mut people, mut conversations) = (Vec::new(), BTreeMap::new());
    for name in NAMES {
        let user: UserId = name.to_lowercase().parse().expect("a valid id");
        people.push(personal(world, &user).await);
        for id in conversations_of(world, &user).await {
            conversations.insert(id, common(world, id).await);
        }
    }
    let unused = world.storage().list_unused_media(Timestamp::from_millis(i64::MAX / 4), 1_000).await;
    Answers { people, conversations, unused_media: unused.expect("the storage answers") }
}

async fn personal(world: &World, user: &UserId) -> Personal {
    let storage = world.storage();
    let query = ConversationQuery { limit: 1_000, ..ConversationQuery::default() };
    let mut contacts = storage.list_contacts(user).await.expect("the storage answers");
    contacts.sort();
    let mut found = Vec::new();
    for word in WORDS {
        let query = SearchQuery {
            user_id: user.clone(),
            words: vec![word.to_owned()],
            conversation_id: None,
            cursor: None,
            limit: 1_000,
        };
        found.push(storage.search_messages(&query).await.expect("the storage answers").items);
    }
    Personal {
        user: storage.find_user(user).await.expect("the storage answers"),
        entries: storage.list_entries(user, &query).await.expect("the storage answers").items,
        unread: storage.list_unread(user).await.expect("the storage answers").into_iter().collect(),
        told: world.told(user).await,
        preferences: storage.find_preferences(user).await.expect("the storage answers"),
        blocked: storage.list_blocked(user, 1_000).await.expect("the storage answers"),
        contacts,
        found,
    }
}

async fn common(world: &World, id: ConversationId) -> Common {
    let conversation = world.conversation(id).await;
    let history = world.history(id).await;
    let roster = world.storage().find_roster(id).await.expect("the storage answers").expect("it is there");
    let mut unread = world.storage().list_unread_of(id, roster.users()).await.expect("the storage answers");
    unread.sort();
    Common {
        leaders: leaders(&world.watermarks(id).await, &history),
        changes: world.storage().list_changes(id, 0, 10_000).await.expect("the storage answers"),
        conversation,
        roster,
        history,
        unread,
    }
}

fn leaders(marks: &Watermarks, history: &[Message]) -> Leaders {
    Leaders {
        read: marks.read.iter().map(|(_, seq)| *seq).collect(),
        delivered: marks.delivered.iter().map(|(_, seq)| *seq).collect(),
        statuses: history.iter().map(|message| marks.status(&message.sender_id, message.seq)).collect(),
    }
}
