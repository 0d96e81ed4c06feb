//! One SQL statement with its bound values. Text is always a literal of this crate and values are always
//! bound, so nothing that a person wrote becomes SQL, and the driver's cache of prepared statements
//! (keyed by text) stays small. Lists are bound as one JSON value and unfolded by `json_each`: the text
//! of a statement, and the number of statements, do not depend on how many things it concerns.
//!
//! Both engines run the same texts, in SQLite's spelling. What PostgreSQL does not have of it (`unhex`, `json_each` of
//! a text) the migrations define there; placeholders and `INDEXED BY` are rewritten here. A statement that the engines
//! must spell differently has its two texts side by side ([`Sql::either`]).

use std::borrow::Cow;
use std::fmt::Write;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, TryGetable, Value};
use serde::Serialize;
use tracing::Instrument;

use crate::spans::statement;

/// A statement that is being put together.
#[derive(Debug)]
pub(crate) struct Sql {
    text: Cow<'static, str>,
    postgres: Option<&'static str>,
    values: Vec<Value>,
}

impl Sql {
    /// A statement with a `?` for each value to be bound.
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), postgres: None, values: Vec::new() }
    }

    /// A statement that the engines spell differently.
    pub(crate) fn either(sqlite: &'static str, postgres: &'static str) -> Self {
        Self { postgres: Some(postgres), ..Self::new(sqlite) }
    }

    /// Binds the next value.
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Binds a list as one JSON text.
    pub(crate) fn bind_json(self, list: &impl Serialize) -> Result<Self, DbErr> {
        let json = serde_json::to_string(list).map_err(|error| DbErr::Json(error.to_string()))?;
        Ok(self.bind(json))
    }

    fn statement(self, engine: DbBackend) -> Statement {
        let Self { text, postgres, values } = self;
        let text = match engine {
            DbBackend::Postgres => for_postgres(postgres.unwrap_or(&text)),
            _ => for_sqlite(&text),
        };
        Statement::from_sql_and_values(engine, text, values)
    }

    /// Runs it and says how many rows it changed.
    pub(crate) async fn run<C: ConnectionTrait>(self, on: &C) -> Result<u64, DbErr> {
        let span = statement(&self.text);
        let ran = on.execute_raw(self.statement(on.get_database_backend())).instrument(span).await?;
        Ok(ran.rows_affected())
    }

    /// Every row, in the order the statement gives.
    pub(crate) async fn rows<R: FromQueryResult, C: ConnectionTrait>(self, on: &C) -> Result<Vec<R>, DbErr> {
        let span = statement(&self.text);
        let rows = on.query_all_raw(self.statement(on.get_database_backend())).instrument(span).await?;
        rows.iter().map(|row| R::from_query_result(row, "")).collect()
    }

    /// The first row, if there is one.
    pub(crate) async fn row<R: FromQueryResult, C: ConnectionTrait>(self, on: &C) -> Result<Option<R>, DbErr> {
        let span = statement(&self.text);
        let row = on.query_one_raw(self.statement(on.get_database_backend())).instrument(span).await?;
        row.map(|row| R::from_query_result(&row, "")).transpose()
    }

    /// The first column of every row.
    pub(crate) async fn scalars<T: TryGetable, C: ConnectionTrait>(self, on: &C) -> Result<Vec<T>, DbErr> {
        let span = statement(&self.text);
        let rows = on.query_all_raw(self.statement(on.get_database_backend())).instrument(span).await?;
        rows.iter().map(|row| row.try_get_by_index(0)).collect()
    }

    /// The first column of the first row, if there is one.
    pub(crate) async fn scalar<T: TryGetable, C: ConnectionTrait>(self, on: &C) -> Result<Option<T>, DbErr> {
        let span = statement(&self.text);
        let row = on.query_one_raw(self.statement(on.get_database_backend())).instrument(span).await?;
        row.map(|row| row.try_get_by_index(0)).transpose()
    }
}

/// Unfolds lists as binary JSON: `value ->> 0` of an inner list then reads where it otherwise writes the list as text and
/// parses it again, once for each of its elements.
fn for_sqlite(text: &str) -> String {
    text.replace("json_each(", "jsonb_each(")
}

/// Writes `?` and `?2` as `$1` and `$2`, and leaves out which index to take, which PostgreSQL decides by itself. No
/// text of this crate has a question mark for another purpose.
fn for_postgres(text: &str) -> String {
    const INDEXED: &str = " INDEXED BY ";
    let mut written = String::with_capacity(text.len() + 16);
    let (mut rest, mut next) = (text, 1);
    while let Some(at) = rest.find(['?', 'I']) {
        let (before, found) = rest.split_at(at);
        written.push_str(before);
        if let Some(after) = found.strip_prefix('?') {
            let end = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
            let (number, after) = after.split_at(end);
            written.push('$');
            if number.is_empty() {
                // Writing to a string does not fail.
                let _ = write!(written, "{next}");
                next += 1;
            } else {
                written.push_str(number);
            }
            rest = after;
        } else if let Some(name) = found.strip_prefix(&INDEXED[1..])
            && written.ends_with(' ')
        {
            written.pop();
            rest = &name[name.find([' ', '\n']).unwrap_or(name.len())..];
        } else {
            written.push('I');
            rest = &found[1..];
        }
    }
    written.push_str(rest);
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_numbered_for_postgres() {
        assert_eq!(for_postgres("SELECT ?, ?2, f(?12) WHERE a = ?"), "SELECT $1, $2, f($12) WHERE a = $2");
        assert_eq!(for_postgres("SELECT 1"), "SELECT 1");
    }

    #[test]
    fn postgres_is_not_told_which_index_to_take() {
        let text = "UPDATE t AS n INDEXED BY t_by_user SET a = ? WHERE b IN (SELECT 1) AND c = ?";
        assert_eq!(for_postgres(text), "UPDATE t AS n SET a = $1 WHERE b IN (SELECT 1) AND c = $2");
        assert_eq!(for_postgres("SELECT 1 FROM t INDEXED BY t_by_id"), "SELECT 1 FROM t");
    }
}
