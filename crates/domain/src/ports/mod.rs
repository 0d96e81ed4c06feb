//! What the domain needs from the outside. Every sentence of a storage port's documentation is a
//! promise that `storage-testkit` checks; every adapter passes the whole testkit.

mod addresses;
mod api_keys;
mod archive;
mod blobs;
mod blocks;
mod bus;
mod channel;
mod conversations;
mod errands;
mod intake;
mod link;
mod media_items;
mod messages;
mod notifications;
mod outbox;
mod policy;
mod receipts;
mod rooms;
mod storage;
mod system;
mod tokens;
mod users;
mod web_push;
mod webhooks;

pub use addresses::{Addresses, NewAddress};
pub use api_keys::{ApiCaller, ApiKeys, Scope};
pub use archive::{Archive, Begun, RecordReader, RecordSource, RecordTarget, UnfinishedCopy};
pub use blobs::{BlobChunks, BlobEntry, BlobInfo, BlobKey, BlobPart, BlobWrite, Blobs};
pub use blocks::Blocks;
pub use bus::{BusClosed, EventBus};
pub use channel::{ChannelError, Delivered, Digest, NotificationChannel, UnsubscribeLinks, Words};
pub use conversations::{
    ConversationEntry, ConversationQuery, Conversations, GroupChange, Head, NewConversation, Started,
};
pub use errands::{Errand, Errands, TakenErrand};
pub use intake::{MediaIntake, Upload, UploadChunk, UploadChunks};
pub use link::{CallAnswer, CallAsk, Heard, Link, Topic, Word};
pub use media_items::MediaItems;
pub use messages::{
    AmendMessage, Amended, Appended, ChangeMembership, Changes, MembershipChanged, Messages, SearchQuery,
};
pub use notifications::{ChatNote, Counted, NewNotification, Noted, NotificationPage, Notifications};
pub use outbox::{Buried, ClaimedLane, DeadLetter, Outbox, OutboxClaim, OutboxCounts, SettledLane, WebhookEvent};
pub use policy::{MessagePolicy, Verdict};
pub use receipts::{DeliveredNow, ReadMarked, ReadMessage, ReadTarget, Receipts};
pub use rooms::{EmptyRooms, Rooms};
pub use storage::{Storage, StorageError, StorageResult};
pub use system::{Clock, IdSource, RandomIds};
pub use tokens::{Claims, TokenError, TokenVerifier};
pub use users::Users;
pub use web_push::{PUSH, Subscription, WebPush};
pub use webhooks::{SendFailure, Webhook, WebhookData, WebhookSender};

#[cfg(test)]
pub use {
    blocks::MockBlocks, bus::MockEventBus, conversations::MockConversations, media_items::MockMediaItems,
    messages::MockMessages, notifications::MockNotifications, receipts::MockReceipts, users::MockUsers,
};
