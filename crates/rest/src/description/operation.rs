//! One operation of the document: what its parts have said so far.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::document::KEY;
use super::{DescribedRoute, refusals};
use crate::answer::Envelope;
use crate::extract::Params;

/// What the signature of a handler does not say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    id: &'static str,
    summary: &'static str,
    successes: &'static [u16],
    refusals: &'static [u16],
    more: fn(&mut Operation<'_>),
}

impl About {
    /// An operation with this name, which answers 200.
    pub(crate) const fn new(id: &'static str, summary: &'static str) -> Self {
        Self { id, summary, successes: &[200], refusals: &[], more: |_| () }
    }

    /// Answers 201, since it makes something.
    pub(crate) const fn creates(self) -> Self {
        Self { successes: &[201], ..self }
    }

    /// Answers 201, or 200 where it finds what it would make.
    pub(crate) const fn finds_or_creates(self) -> Self {
        Self { successes: &[200, 201], ..self }
    }

    /// Refuses with these statuses too.
    pub(crate) const fn refuses(self, refusals: &'static [u16]) -> Self {
        Self { refusals, ..self }
    }

    /// Says more than a signature can.
    pub(crate) const fn with(self, more: fn(&mut Operation<'_>)) -> Self {
        Self { more, ..self }
    }
}

/// Where schemas are gathered: the same struct may be read and written in different ways.
pub(crate) struct Schemas {
    pub(super) read: SchemaGenerator,
    pub(super) written: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            read: settings.clone().for_deserialize().into_generator(),
            written: settings.for_serialize().into_generator(),
        }
    }
}

/// What is known of an operation.
pub(crate) struct Operation<'a> {
    schemas: &'a mut Schemas,
    about: About,
    security: Option<&'static str>,
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: BTreeMap<u16, Value>,
    refusals: BTreeSet<u16>,
}

impl Operation<'_> {
    /// Everything that is to be said of a route.
    pub(super) fn of(route: &DescribedRoute, schemas: &mut Schemas) -> Value {
        let mut operation = Operation {
            schemas,
            about: route.about,
            security: None,
            parameters: Vec::new(),
            body: None,
            answers: BTreeMap::new(),
            refusals: BTreeSet::from([500, 503]),
        };
        for (name, schema, refusal) in Params::described(route.path) {
            operation.parameters.push(json!({"name": name, "in": "path", "required": true, "schema": schema}));
            operation.refusals.insert(refusal);
        }
        if route.for_keys {
            operation.secure(KEY);
            operation.refuse(&[401, 403]);
        }
        (route.describe)(&mut operation);
        operation.refusals.extend(route.about.refusals);
        (route.about.more)(&mut operation);
        operation.write(route.tag)
    }

    fn write(self, tag: &str) -> Value {
        let mut answers: Map<String, Value> = Map::new();
        for (status, answer) in self.answers {
            answers.insert(status.to_string(), answer);
        }
        for status in self.refusals {
            // A status that an operation describes itself is not the table's.
            answers.entry(status.to_string()).or_insert_with(|| refusals::reference(status));
        }
        let mut written = json!({
            "operationId": self.about.id,
            "summary": self.about.summary,
            "tags": [tag],
            "security": self.security.map(|scheme| vec![json!({scheme: []})]).unwrap_or_default(),
            "responses": answers,
        });
        if !self.parameters.is_empty() {
            written["parameters"] = self.parameters.into();
        }
        if let Some(body) = self.body {
            written["requestBody"] = body;
        }
        written
    }

    /// Needs what this scheme says.
    pub(crate) fn secure(&mut self, scheme: &'static str) {
        self.security = Some(scheme);
    }

    /// May be refused with this status.
    pub(crate) fn refuse(&mut self, statuses: &[u16]) {
        self.refusals.extend(statuses);
    }

    /// Takes a parameter that may be left out, beside the path's.
    pub(crate) fn parameter(&mut self, place: &str, name: &str, description: &str, schema: &Value) {
        let parameter = json!({"name": name, "in": place, "description": description, "schema": schema});
        self.parameters.push(parameter);
    }

    /// Takes the fields of this struct in its query.
    pub(crate) fn query<T: JsonSchema>(&mut self) {
        let schema = T::json_schema(&mut self.schemas.read).to_value();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            let mut parameter = json!({"name": name, "in": "query", "schema": without_null(schema)});
            if required.contains(&json!(name)) {
                parameter["required"] = true.into();
            }
            if let Some(description) =
                parameter["schema"].as_object_mut().and_then(|schema| schema.remove("description"))
            {
                parameter["description"] = description;
            }
            self.parameters.push(parameter);
        }
    }

    /// Takes a body of this type, in this struct's shape; one more type if it takes another already.
    pub(crate) fn body<T: JsonSchema>(&mut self, content_type: &str) {
        let schema = self.schemas.read.subschema_for::<T>().to_value();
        let whole = T::json_schema(&mut self.schemas.read).to_value();
        let needed = whole.get("required").is_some() || whole.get("anyOf").is_some();
        let body = self.body.get_or_insert_with(|| json!({"content": {}}));
        body["content"][content_type] = json!({"schema": schema});
        if needed {
            body["required"] = true.into();
        }
    }

    /// Answers with this in the envelope.
    pub(crate) fn data<T: JsonSchema + 'static>(&mut self) {
        for status in self.about.successes {
            self.answer::<Envelope<'static, T>>(*status);
        }
    }

    /// Answers this status with a body of this struct's shape.
    pub(crate) fn answer<T: JsonSchema>(&mut self, status: u16) {
        let schema = self.schemas.written.subschema_for::<T>().to_value();
        self.answer_with(status, &json!({"application/json": {"schema": schema}}));
    }

    /// Answers this status with these contents, by their types.
    pub(crate) fn answer_with(&mut self, status: u16, content: &Value) {
        let description = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let mut answer = json!({
            "description": description.unwrap_or_default(),
            "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
        });
        if content.as_object().is_some_and(|content| !content.is_empty()) {
            answer["content"] = content.clone();
        }
        self.answers.insert(status, answer);
    }
}

/// What a field of a query can be: a field that may be left out is never `null` there.
fn without_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(types) = schema.get("type").and_then(Value::as_array) {
        let others: Vec<&Value> = types.iter().filter(|name| *name != "null").collect();
        schema["type"] = if let [only] = others.as_slice() { (*only).clone() } else { json!(others) };
    }
    let among = schema.get("anyOf").and_then(Value::as_array).cloned().unwrap_or_default();
    match among.as_slice() {
        [only, null] if null["type"] == "null" => {
            let mut only = only.clone();
            if let Some(description) = schema.get("description") {
                only["description"] = description.clone();
            }
            only
        }
        _ => schema,
    }
}
