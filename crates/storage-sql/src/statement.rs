//! One SQL statement with its bound values. Text is always a literal of this crate and values are always
//! bound, so nothing that a person wrote becomes SQL, and the driver's cache of prepared statements
//! (keyed by text) stays small. Lists are bound as one JSON value and unfolded by `json_each`: the text
//! of a statement, and the number of statements, do not depend on how many things it concerns.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, TryGetable, Value};
use serde::Serialize;

/// A statement that is being put together.
#[derive(Debug)]
pub(crate) struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    /// A statement with a `?` for each value to be bound.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), values: Vec::new() }
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

    fn statement(self) -> Statement {
        Statement::from_sql_and_values(DbBackend::Sqlite, self.text, self.values)
    }

    /// Runs it and says how many rows it changed.
    pub(crate) async fn run<C: ConnectionTrait>(self, on: &C) -> Result<u64, DbErr> {
        Ok(on.execute_raw(self.statement()).await?.rows_affected())
    }

    /// Every row, in the order the statement gives.
    pub(crate) async fn rows<R: FromQueryResult, C: ConnectionTrait>(self, on: &C) -> Result<Vec<R>, DbErr> {
        on.query_all_raw(self.statement()).await?.iter().map(|row| R::from_query_result(row, "")).collect()
    }

    /// The first row, if there is one.
    pub(crate) async fn row<R: FromQueryResult, C: ConnectionTrait>(self, on: &C) -> Result<Option<R>, DbErr> {
        on.query_one_raw(self.statement()).await?.map(|row| R::from_query_result(&row, "")).transpose()
    }

    /// The first column of every row.
    pub(crate) async fn scalars<T: TryGetable, C: ConnectionTrait>(self, on: &C) -> Result<Vec<T>, DbErr> {
        on.query_all_raw(self.statement()).await?.iter().map(|row| row.try_get_by_index(0)).collect()
    }

    /// The first column of the first row, if there is one.
    pub(crate) async fn scalar<T: TryGetable, C: ConnectionTrait>(self, on: &C) -> Result<Option<T>, DbErr> {
        on.query_one_raw(self.statement()).await?.map(|row| row.try_get_by_index(0)).transpose()
    }
}
