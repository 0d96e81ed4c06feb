//! Entities and values. Constructors refuse what is not valid, so a value that exists is valid.
//! Nothing here reads a clock, makes an id or talks to anybody.

mod address;
mod call;
mod content_hash;
mod conversation;
mod id;
mod medium;
mod message;
mod notification;
mod paging;
mod place;
mod product_event;
mod read_state;
mod record;
mod short_text;
mod time;
mod user;
mod view;
mod watermarks;
mod webhook;

pub use address::{Address, EmailAddress, InvalidSubject, Subject};
pub use call::{CallId, CallMedia};
pub use content_hash::{ContentHash, InvalidHash};
pub use conversation::{Conversation, ConversationKind, Participant, Role, Roster, Title};
pub use id::{
    ConversationId, InvalidId, MediumId, MessageId, NodeId, NotificationId, ObjectId, SessionId, UserId, WebhookId,
};
pub use medium::{Dimensions, Medium, Thumbnail};
pub use message::{
    ClientMessageId, Emoji, MediaLink, MediaType, Message, MessageKind, MessageStatus, NewMessage, Reaction, Rev, Seq,
};
pub use notification::{
    CHAT_MESSAGE, JOB_MATCH, Notification, NotificationBody, NotificationKind, NotificationView, Preferences,
    PreferencesChange,
};
pub use paging::{ConversationCursor, Page, SearchCursor, TimeCursor};
pub use place::{InvalidPlace, Place};
pub use product_event::ProductEvent;
pub use read_state::{ReadState, SeqRange};
pub use record::{
    Attendance, BlocksRecord, ConversationRecord, ParticipantRecord, Record, RecordCounts, RecordsByKind, UserRecord,
};
pub use time::Timestamp;
pub use user::{ClaimedProfile, ProfileChange, User};
pub use view::{ConversationView, MessageView, ReplyView};
pub use watermarks::Watermarks;
pub use webhook::{EndedCall, NewWebhook, UnknownWebhook, WebhookKind, WebhookKinds, WebhookSubject};
