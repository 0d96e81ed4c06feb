//! Fields of bodies and queries become structs here, so that what is read is what is described. Whatever does not fit is
//! refused with the name of its field, in words for people who write clients and not for those who write this.

use parlance_domain::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

/// The fields of an object as a struct. Fields that it does not have are passed over.
pub(crate) fn read<T: DeserializeOwned>(fields: &Value) -> Result<T> {
    serde_path_to_error::deserialize(fields).map_err(|error| {
        let field = match error.path().iter().next() {
            Some(Segment::Map { key }) => Some(key.clone()),
            _ => None,
        };
        refusal(field, &error.into_inner().to_string())
    })
}

/// Says the same as serde's error, in the contract's words.
fn refusal(field: Option<String>, problem: &str) -> Error {
    let missing = problem.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    if let Some(missing) = missing {
        return Error::validation(missing.to_owned(), "is required");
    }
    let field = field.unwrap_or_else(|| "body".to_owned());
    let Some(expected) = problem.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected ")) else {
        return Error::validation(field, problem.to_owned());
    };
    match expected {
        ("null", _) => Error::validation(field, "is required"),
        (_, "a sequence") => Error::validation(field, "must be a list"),
        (_, "a boolean") => Error::validation(field, "must be true or false"),
        (_, expected) => Error::validation(field, format!("must be {expected}")),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Sample {
        #[serde(rename = "text")]
        _text: String,
        #[serde(rename = "flag")]
        _flag: Option<bool>,
        #[serde(rename = "list")]
        _list: Option<Vec<String>>,
    }

    #[test]
    fn what_does_not_fit_is_named_in_plain_words() {
        for (fields, says) in [
            (json!({}), "text is required"),
            (json!({"text": null}), "text is required"),
            (json!({"text": 7}), "text must be a string"),
            (json!({"text": "x", "flag": "yes"}), "flag must be true or false"),
            (json!({"text": "x", "list": {"0": "a"}}), "list must be a list"),
            (json!({"text": "x", "list": ["a", 7]}), "list must be a string"),
        ] {
            let error = read::<Sample>(&fields).expect_err("a refusal");
            let Error::Validation { field, message } = error else { unreachable!("{error}") };
            assert_eq!(format!("{field} {message}"), says);
        }
        read::<Sample>(&json!({"text": "x", "flag": null, "list": null, "other": 1})).expect("fields that fit");
    }
}
