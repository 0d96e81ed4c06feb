//! What REST's answers hold of the dialects' shapes, as JSON Schemas for documents: whoever hands JSON text of a dialect
//! on names the shape with one of these. None of them holds a value.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::conversation::ConversationShape;
use crate::gateway::Gateway;
use crate::nextchat::Nextchat;
use crate::shapes::Reactions;
use crate::talentbridge::Talentbridge;
use crate::ulearn::Ulearn;
use crate::vocabulary::Vocabulary;

/// An id that the server made: 24 hexadecimal digits.
#[derive(Debug)]
pub enum ObjectIdSchema {}

impl JsonSchema for ObjectIdSchema {
    fn schema_name() -> Cow<'static, str> {
        "ObjectId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An id that the server made: 24 hexadecimal digits.",
            "type": "string",
            "pattern": "^[0-9a-fA-F]{24}$",
            "examples": ["507f1f77bcf86cd799439011"],
        })
    }
}

/// Declares a schema that is one of a shape in each dialect; `marketplace` shows everything as `gateway` does.
macro_rules! any_dialect {
    ($name:ident, $says:literal, $shape:ident) => {
        #[doc = $says]
        #[derive(Debug)]
        pub enum $name {}

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "description": $says,
                    "anyOf": [
                        generator.subschema_for::<<Talentbridge as Vocabulary>::$shape<'static>>(),
                        generator.subschema_for::<<Ulearn as Vocabulary>::$shape<'static>>(),
                        generator.subschema_for::<<Gateway as Vocabulary>::$shape<'static>>(),
                        generator.subschema_for::<<Nextchat as Vocabulary>::$shape<'static>>(),
                    ],
                })
            }
        }
    };
}

any_dialect!(AnyMessage, "A message, in the shape of the dialect that was asked for.", Message);
any_dialect!(AnyUser, "A person, in the shape of the dialect that was asked for.", User);
any_dialect!(AnyNotification, "A notification, in the shape of the dialect that was asked for.", Notification);

/// A conversation, which has one shape in all dialects.
#[derive(Debug, JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "stands for a schema")]
pub struct ConversationSchema(ConversationShape<'static>);

/// The reactions to a message, which have one shape in all dialects.
#[derive(Debug, JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "stands for a schema")]
pub struct ReactionsSchema(Reactions<'static>);

/// A message on its way in, as REST takes it: what [`crate::read_draft`] reads.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "Draft", rename_all = "camelCase")]
#[expect(dead_code, reason = "stands for a schema")]
pub struct DraftSchema {
    conversation_id: ObjectIdSchema,
    /// What it says. May be left out where there are media.
    text: Option<String>,
    /// The same under another name; `text` counts first.
    content: Option<String>,
    /// The same under a third name; `content` counts first.
    message: Option<String>,
    #[schemars(length(max = 1000))]
    media: Option<Vec<DraftMedium>>,
    /// The type of the first medium, or `text` without media. Audio is refused.
    #[schemars(extend("enum" = ["text", "image", "video", "file", null]))]
    message_type: Option<String>,
    reply_to: Option<ObjectIdSchema>,
    /// The sender's own mark: the same sender, conversation and mark are the same message.
    #[schemars(length(min = 1, max = 64))]
    client_message_id: Option<String>,
}

/// A medium on a message on its way in. Its link is the server's own, or begins with `https:`.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "stands for a schema")]
pub(crate) struct DraftMedium {
    url: String,
    #[schemars(extend("enum" = ["image", "video", "file"]))]
    r#type: String,
    filename: Option<String>,
    /// In bytes.
    #[schemars(range(max = 9_007_199_254_740_991_u64))]
    size: Option<u64>,
}
