//! One document of a collection, in the extended JSON of `mongoexport`: relaxed or canonical. A field is asked for by the
//! names that schemas have for it; the first that is there counts, and `null` counts as absent.

use std::path::Path;
use std::str::FromStr;

use parlance_domain::model::Timestamp;
use serde_json::{Map, Value};

/// Why a collection cannot be taken.
#[derive(Debug, thiserror::Error)]
#[error("{file}{}: {problem}", .line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct Unusable {
    /// Which file.
    pub file: &'static str,
    /// Which of its lines, if it is about one.
    pub line: Option<usize>,
    /// What is wrong with it.
    pub problem: String,
}

/// A document, and where it stands.
#[derive(Debug)]
pub struct Document {
    file: &'static str,
    line: usize,
    fields: Map<String, Value>,
}

impl Document {
    /// The documents of a file, one a line.
    ///
    /// # Errors
    /// [`Unusable`] for a file that is not there, and for a line that is no document.
    pub fn read_all(folder: &Path, file: &'static str) -> Result<Vec<Self>, Unusable> {
        let text = std::fs::read_to_string(folder.join(file)).map_err(|error| Unusable {
            file,
            line: None,
            problem: error.to_string(),
        })?;
        let documents = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        documents
            .map(|(index, text)| {
                let line = index + 1;
                let unusable = |problem: String| Unusable { file, line: Some(line), problem };
                let fields = serde_json::from_str(text).map_err(|error| unusable(error.to_string()))?;
                Ok(Self { file, line, fields })
            })
            .collect()
    }

    /// A refusal of this document.
    pub(crate) fn unusable(&self, problem: impl Into<String>) -> Unusable {
        Unusable { file: self.file, line: Some(self.line), problem: problem.into() }
    }

    fn get(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.fields.get(*name).filter(|value| !value.is_null()))
    }

    pub(crate) fn text(&self, names: &[&str]) -> Option<&str> {
        self.get(names)?.as_str().filter(|text| !text.is_empty())
    }

    pub(crate) fn flag(&self, names: &[&str]) -> bool {
        self.get(names).is_some_and(|value| *value == true)
    }

    /// A list of objects.
    pub(crate) fn objects(&self, names: &[&str]) -> impl Iterator<Item = Self> {
        let items = self.get(names).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_object).map(|fields| Self {
            file: self.file,
            line: self.line,
            fields: fields.clone(),
        })
    }

    /// An id that may be left out.
    pub(crate) fn id<T: FromStr>(&self, names: &[&str]) -> Result<Option<T>, Unusable> {
        self.get(names).map(|value| self.parsed(value)).transpose()
    }

    /// An id that must be there.
    pub(crate) fn needed_id<T: FromStr>(&self, names: &[&str]) -> Result<T, Unusable> {
        self.id(names)?.ok_or_else(|| self.unusable(format!("{} is missing", names.join(" or "))))
    }

    /// A list of ids: bare, of populated documents, or in objects that name a user.
    pub(crate) fn ids<T: FromStr>(&self, names: &[&str]) -> Result<Vec<T>, Unusable> {
        let items = self.get(names).and_then(Value::as_array).into_iter().flatten();
        items.map(|item| self.parsed(item)).collect()
    }

    fn parsed<T: FromStr>(&self, value: &Value) -> Result<T, Unusable> {
        key(value).and_then(|id| id.parse().ok()).ok_or_else(|| self.unusable(format!("{value} is no id")))
    }

    /// A moment. What is no date counts as absent.
    pub(crate) fn moment(&self, names: &[&str]) -> Option<Timestamp> {
        moment(self.get(names)?)
    }

    /// A whole number.
    pub(crate) fn number(&self, names: &[&str]) -> Option<u64> {
        whole(self.get(names)?)?.try_into().ok()
    }
}

/// An `ObjectId`, a text, or either of them inside a document.
fn key(value: &Value) -> Option<&str> {
    match value {
        Value::String(id) => Some(id),
        Value::Object(fields) => match fields.get("$oid") {
            Some(id) => id.as_str(),
            None => ["user", "userId", "_id", "id"].iter().find_map(|name| fields.get(*name)).and_then(key),
        },
        _ => None,
    }
}

fn moment(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => {
            let moment: jiff::Timestamp = text.parse().ok()?;
            Some(Timestamp::from_millis(moment.as_millisecond()))
        }
        Value::Object(fields) => match fields.get("$date") {
            Some(date) => moment(date),
            None => whole(value).map(Timestamp::from_millis),
        },
        Value::Number(_) => whole(value).map(Timestamp::from_millis),
        _ => None,
    }
}

/// A number as both kinds of extended JSON write it.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Object(fields) => {
            ["$numberLong", "$numberInt"].iter().find_map(|name| fields.get(*name))?.as_str()?.parse().ok()
        }
        number => number.as_i64(),
    }
}
