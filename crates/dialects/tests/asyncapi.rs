//! The description of the five vocabularies: it is what the repository has checked in, it names what is said and heard
//! and nothing besides, and what is read and written fits the schemas that it gives.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod examples;
mod samples;

use std::collections::BTreeSet;
use std::path::Path;

use parlance_dialects::{Dialect, Dialects, Wire, asyncapi};
use parlance_domain::Error;
use serde_json::{Value, json};

/// Writes the checked-in file anew instead of comparing with it.
const REWRITE: &str = "REWRITE_API_DOCS";

#[test]
fn the_checked_in_document_is_the_one_that_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/asyncapi.json");
    let made = format!("{}\n", serde_json::to_string_pretty(&asyncapi(&Dialects::default())).unwrap());
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "docs/asyncapi.json differs from the code: {REWRITE}=1 cargo test -p parlance-dialects --test asyncapi"
    );
}

/// Why a value does not fit a schema. Knows the words that our schemas have; another one fails the test.
fn misfit(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    let Some(words) = schema.as_object() else {
        return (schema != &json!(true)).then(|| format!("{schema} is no schema for {value}"));
    };
    words.iter().find_map(|(word, says)| word_misfit(document, (word, says), words, value)).map(|why| {
        match &words.get("title") {
            Some(title) => format!("{title}: {why}"),
            None => why,
        }
    })
}

fn word_misfit(
    document: &Value,
    (word, says): (&str, &Value),
    words: &serde_json::Map<String, Value>,
    value: &Value,
) -> Option<String> {
    let wrong = || Some(format!("{value} is not {word} {says}"));
    let fits = match word {
        "$ref" => {
            let place = says.as_str().unwrap().strip_prefix('#').unwrap();
            return misfit(document, document.pointer(place).unwrap(), value);
        }
        "allOf" => return says.as_array().unwrap().iter().find_map(|schema| misfit(document, schema, value)),
        "anyOf" | "oneOf" => says.as_array().unwrap().iter().any(|schema| misfit(document, schema, value).is_none()),
        "type" => {
            let is = |name: &Value| match name.as_str().unwrap() {
                "null" => value.is_null(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_u64() || value.is_i64(),
                "number" => value.is_number(),
                "string" => value.is_string(),
                "array" => value.is_array(),
                "object" => value.is_object(),
                other => panic!("no type {other}"),
            };
            says.as_array().map_or_else(|| is(says), |names| names.iter().any(is))
        }
        "const" => says == value,
        "enum" => says.as_array().unwrap().contains(value),
        "required" => says.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
        "properties" => {
            return says.as_object().unwrap().iter().find_map(|(name, schema)| {
                let why = value.get(name).and_then(|value| misfit(document, schema, value))?;
                Some(format!("{name}: {why}"))
            });
        }
        "additionalProperties" => {
            let own = words.get("properties").and_then(Value::as_object);
            let others = value
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(name, _)| own.is_none_or(|own| !own.contains_key(*name)));
            return others.into_iter().find_map(|(_, value)| misfit(document, says, value));
        }
        "items" => return value.as_array()?.iter().find_map(|item| misfit(document, says, item)),
        "pattern" if says == "^[0-9a-fA-F]{24}$" => {
            value.as_str().is_none_or(|text| text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
        }
        "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= says.as_u64().unwrap()),
        "minLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 >= says.as_u64().unwrap()),
        "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= says.as_u64().unwrap()),
        "minimum" => value.as_u64().is_none_or(|number| number >= says.as_u64().unwrap()),
        "maximum" => value.as_u64().is_none_or(|number| number <= says.as_u64().unwrap()),
        "maxProperties" => value.as_object().is_none_or(|fields| fields.len() as u64 <= says.as_u64().unwrap()),
        "description" | "title" | "format" | "examples" | "default" => true,
        other => panic!("the test does not know {other}"),
    };
    if fits { None } else { wrong() }
}

fn payload<'a>(document: &'a Value, dialect: Dialect, way: &str, event: &str) -> Option<&'a Value> {
    let id = format!("{dialect}.{way}.{}", event.replace(':', "."));
    Some(&document["components"]["messages"].get(id)?["payload"])
}

#[test]
fn the_checker_finds_what_does_not_fit() {
    let document = asyncapi(&Dialects::default());
    let schema = payload(&document, Dialect::Talentbridge, "out", "message:new").unwrap();
    let view = samples::full();
    let message: Value = serde_json::from_str(Dialect::Talentbridge.message(&view).get()).unwrap();
    let fits = json!({"message": message, "conversationId": message["conversationId"]});
    assert_eq!(misfit(&document, schema, &fits), None);
    for (place, wrong) in [
        ("/message/seq", json!("7")),
        ("/message/messageType", json!("audio")),
        ("/message/sender/fullName", Value::Null),
        ("/message/reactions/0/userIds", json!([7])),
        ("/conversationId", json!("64f456")),
    ] {
        let mut unfit = fits.clone();
        *unfit.pointer_mut(place).unwrap() = wrong;
        assert!(misfit(&document, schema, &unfit).is_some(), "{place}");
    }
    assert!(misfit(&document, schema, &json!({"message": message})).is_some());
}

/// What the sockets of a dialect hear of everything that can happen, what they are answered with included.
fn heard(dialect: Dialect) -> Vec<Wire> {
    let mut wires: Vec<Wire> =
        samples::events().iter().flat_map(|event| dialect.encode(event, samples::UNREAD)).collect();
    wires.extend(dialect.unread_notifications(3));
    for (event, args) in examples::inbound(dialect) {
        let decoded = dialect.decode(event, &args);
        let answer = match &decoded {
            Ok(_) => dialect.answer(event, &args, Ok(&samples::reply(event))),
            Err(error) => dialect.answer(event, &args, Err(error)),
        };
        wires.extend(answer.events.into_iter().chain(answer.instead_of_ack));
    }
    wires
}

#[test]
fn everything_that_is_heard_is_described_and_fits() {
    let document = asyncapi(&Dialects::default());
    for dialect in Dialect::ALL {
        let product: BTreeSet<String> = samples::events()
            .iter()
            .filter(|event| samples::kind(event) == "Product")
            .flat_map(|event| dialect.encode(event, samples::UNREAD))
            .map(|wire| wire.event.into_owned())
            .collect();
        // Made by the transport; its own tests hold it to the contract.
        let mut names = BTreeSet::from(["session:expired".to_owned()]);
        for wire in heard(dialect).into_iter().filter(|wire| !product.contains(&*wire.event)) {
            let schema = payload(&document, dialect, "out", &wire.event);
            let schema = schema.unwrap_or_else(|| panic!("{dialect} says {}", wire.event));
            let argument = wire.args.first().map_or(Value::Null, |arg| serde_json::from_str(arg.get()).unwrap());
            assert_eq!(misfit(&document, schema, &argument), None, "{dialect} {}", wire.event);
            names.insert(wire.event.into_owned());
        }
        let described: BTreeSet<String> = dialect.outbound().map(str::to_owned).collect();
        assert_eq!(described, names, "{dialect}");
    }
}

#[test]
fn every_ack_fits() {
    let document = asyncapi(&Dialects::default());
    for dialect in Dialect::ALL {
        for (event, args) in examples::inbound(dialect) {
            let Some(schema) = payload(&document, dialect, "ack", event) else { continue };
            let refused = dialect.answer(event, &args, Err(&Error::Blocked));
            let mut answers = vec![refused];
            if dialect.decode(event, &args).is_ok() {
                let done = dialect.answer(event, &args, Ok(&samples::reply(event)));
                let ack: Value = serde_json::from_str(done.ack.get()).unwrap();
                // Of the two that an envelope may be, it is the one for success.
                let success = &schema["anyOf"][0];
                assert_eq!(
                    misfit(&document, if success.is_null() { schema } else { success }, &ack),
                    None,
                    "{dialect} {event}"
                );
                answers.push(done);
            }
            for answer in answers {
                let ack: Value = serde_json::from_str(answer.ack.get()).unwrap();
                assert_eq!(misfit(&document, schema, &ack), None, "{dialect} {event}");
            }
        }
    }
}

/// The objects that a schema lets through: itself, or among those that it may be.
fn objects<'a>(document: &'a Value, schema: &'a Value) -> Vec<&'a Value> {
    if let Some(place) = schema["$ref"].as_str() {
        return objects(document, document.pointer(place.strip_prefix('#').unwrap()).unwrap());
    }
    let among = schema["anyOf"].as_array().into_iter().flatten().flat_map(|schema| objects(document, schema));
    schema["properties"].is_object().then_some(schema).into_iter().chain(among).collect()
}

#[test]
fn what_is_read_fits_and_has_no_fields_that_are_not_described() {
    let document = asyncapi(&Dialects::default());
    for dialect in Dialect::ALL {
        for (event, args) in examples::inbound(dialect) {
            let argument = args.first().cloned().unwrap_or_default();
            if dialect.decode(event, &args).is_err() {
                continue;
            }
            // Read so that it can be refused by its name, and no type that clients are told of.
            if argument["messageType"] == "audio" {
                continue;
            }
            let schema = payload(&document, dialect, "in", event).unwrap();
            assert_eq!(misfit(&document, schema, &argument), None, "{dialect} {event} {argument}");
            for field in argument.as_object().into_iter().flatten().map(|(name, _)| name) {
                let known = objects(&document, schema).iter().any(|object| object["properties"].get(field).is_some());
                assert!(known, "{dialect} {event}: {field}");
            }
        }
    }
}

#[test]
fn required_fields_are_those_without_which_nothing_is_read() {
    let document = asyncapi(&Dialects::default());
    let mut tried = 0;
    for dialect in Dialect::ALL {
        for (event, args) in examples::inbound(dialect) {
            let Some(Value::Object(fields)) = args.first() else { continue };
            if dialect.decode(event, &args).is_err() {
                continue;
            }
            let schema = payload(&document, dialect, "in", event).unwrap();
            for field in fields.keys() {
                let mut fewer = fields.clone();
                fewer.remove(field);
                let object = objects(&document, schema)[0];
                let required = object["required"].as_array().is_some_and(|required| required.contains(&json!(field)));
                let read = dialect.decode(event, &[Value::Object(fewer)]);
                assert_eq!(read.is_err(), required, "{dialect} {event} without {field}: {read:?}");
                // What is described is looked at: a value of a type that no field has is refused.
                let mut wrong = fields.clone();
                wrong.insert(field.clone(), json!({"a": [1.5]}));
                let any = object["properties"][field].get("type").is_none() && field == "data";
                let read = dialect.decode(event, &[Value::Object(wrong)]);
                assert_eq!(read.is_ok(), any, "{dialect} {event} with a wrong {field}: {read:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn what_it_points_to_is_there() {
    fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = asyncapi(&Dialects::default());
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(found.contains(format!("#/components/schemas/{name}").as_str()), "{name}");
    }
}
