//! The vocabularies of a server, described as AsyncAPI 3: what clients may send, what their acks say, what they hear. Everything
//! in it comes from the tables that decode and from the structs that are encoded. One document for all, since they
//! share the extension vocabulary and most shapes; each dialect is a channel of its own.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::vocabulary::{Inbound, Outbound};
use crate::{AnyDialect, Dialects};

const ABOUT: &str = "What is said over Socket.IO. A socket speaks one dialect for as long as it lives, chosen by \
    `dialect` in the handshake's `auth` or query, or by the listener; each is a channel here. The handshake carries the \
    access token as `token` in `auth`, as a query or as an `Authorization` header. `receive` is what clients send: every \
    event may ask for an ack, and its `reply` is that ack. Events of a product's own, which its backend has sent, are not \
    listed.";

/// The schemas that are gathered: some for what is read, some for what is written.
struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

/// All dialects of a server, described: AsyncAPI 3.
pub fn asyncapi(dialects: &Dialects) -> Value {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = Schemas {
        read: settings.clone().for_deserialize().into_generator(),
        written: settings.for_serialize().into_generator(),
    };
    let mut document = Document::default();
    for dialect in dialects.all() {
        document.add(dialect, &mut schemas);
    }
    let mut components = schemas.read.take_definitions(true);
    components.extend(schemas.written.take_definitions(true));
    json!({
        "asyncapi": "3.0.0",
        "info": {"title": "Parlance: events", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": document.channels,
        "operations": document.operations,
        "components": {"messages": document.messages, "schemas": components},
    })
}

#[derive(Default)]
struct Document {
    channels: Map<String, Value>,
    operations: Map<String, Value>,
    messages: Map<String, Value>,
}

impl Document {
    fn add(&mut self, dialect: AnyDialect, schemas: &mut Schemas) {
        let mut on_channel = Map::new();
        for inbound in dialect.sent() {
            self.receive(dialect, inbound, &mut on_channel, schemas);
        }
        for outbound in dialect.heard() {
            self.send(dialect, &outbound, &mut on_channel, schemas);
        }
        let channel = json!({
            "address": "/socket.io/",
            "title": dialect.name(),
            "description": format!("Sockets that speak `{dialect}`."),
            "messages": on_channel,
        });
        self.channels.insert(dialect.name().to_owned(), channel);
    }

    /// What clients may send, and its ack.
    fn receive(
        &mut self,
        dialect: AnyDialect,
        inbound: &Inbound,
        on_channel: &mut Map<String, Value>,
        schemas: &mut Schemas,
    ) {
        let (said, acked) = (id(dialect, "in", inbound.name), id(dialect, "ack", inbound.name));
        let payload = (inbound.takes)(&mut schemas.read).to_value();
        let ack = dialect.ack_schema(inbound, &mut schemas.written).to_value();
        for (id, name, payload) in [(&said, inbound.name, payload), (&acked, "ack", ack)] {
            self.messages.insert(id.clone(), json!({"name": name, "payload": payload}));
            on_channel.insert(id.clone(), json!({"$ref": format!("#/components/messages/{id}")}));
        }
        let operation = json!({
            "action": "receive",
            "channel": {"$ref": format!("#/channels/{dialect}")},
            "messages": [{"$ref": format!("#/channels/{dialect}/messages/{said}")}],
            "reply": {
                "channel": {"$ref": format!("#/channels/{dialect}")},
                "messages": [{"$ref": format!("#/channels/{dialect}/messages/{acked}")}],
            },
        });
        self.operations.insert(said, operation);
    }

    /// What clients hear.
    fn send(
        &mut self,
        dialect: AnyDialect,
        outbound: &Outbound,
        on_channel: &mut Map<String, Value>,
        schemas: &mut Schemas,
    ) {
        let id = id(dialect, "out", outbound.name);
        let payload = (outbound.says)(&mut schemas.written).to_value();
        self.messages.insert(id.clone(), json!({"name": outbound.name, "payload": payload}));
        on_channel.insert(id.clone(), json!({"$ref": format!("#/components/messages/{id}")}));
        let operation = json!({
            "action": "send",
            "channel": {"$ref": format!("#/channels/{dialect}")},
            "messages": [{"$ref": format!("#/channels/{dialect}/messages/{id}")}],
        });
        self.operations.insert(id, operation);
    }
}

/// The name of a message in the document, whose names have no colons.
fn id(dialect: AnyDialect, way: &str, event: &str) -> String {
    format!("{dialect}.{way}.{}", event.replace(':', "."))
}
