//! Statements and transactions as parts of traces. A statement goes by its verb and its table; its text has its place in
//! the code, and its values, which are what people wrote, have none in a trace.

use parlance_domain::trace;
use tracing::Span;

/// What stands before the name of a table.
const BEFORE_TABLES: [&str; 4] = ["FROM", "INTO", "JOIN", "UPDATE"];

/// A statement that runs.
pub(crate) fn statement(text: &str) -> Span {
    named(|| summary(text))
}

/// The beginning of a transaction, with the wait for a connection.
pub(crate) fn begin() -> Span {
    named(|| "BEGIN".to_owned())
}

/// The end of a transaction, with the flush to the disk.
pub(crate) fn commit() -> Span {
    named(|| "COMMIT".to_owned())
}

/// A transaction on a thread of its own, with the wait for that.
pub(crate) fn transaction() -> Span {
    tracing::info_span!(target: trace::PART, "storage.transaction.run")
}

fn named(name: impl FnOnce() -> String) -> Span {
    tracing::info_span!(target: trace::PART, "storage.statement.run", otel.kind = "client", otel.name = name())
}

/// `INSERT messages`: what a statement does, and to which table. What it defines itself (`WITH named AS …`) is no table.
fn summary(text: &str) -> String {
    let words = || text.split_ascii_whitespace();
    let is_verb = |word: &&str| matches!(*word, "SELECT" | "INSERT" | "UPDATE" | "DELETE");
    let (first, changes) = (words().next().unwrap_or_default(), |word: &&str| is_verb(word) && *word != "SELECT");
    let verb = match first {
        "WITH" => words().find(changes).unwrap_or("SELECT"),
        first => first,
    };
    let defined =
        |name: &str| text.contains(&format!("{name} AS (")) || text.contains(&format!("{name} AS MATERIALIZED ("));
    let listed = |name: &str| text.starts_with("WITH ") && text.contains(&format!("{name} ("));
    let is_table = |name: &&str| {
        let plain = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        plain && !defined(name) && (verb == "INSERT" || !listed(name))
    };
    let named = words().zip(words().skip(1)).filter(|(before, _)| BEFORE_TABLES.contains(before));
    let table = named.map(|(_, name)| name.trim_end_matches([',', ')', ';'])).find(is_table);
    table.map_or_else(|| verb.to_owned(), |table| format!("{verb} {table}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_goes_by_its_verb_and_its_table() {
        for (text, name) in [
            ("SELECT count(*)", "SELECT"),
            ("SELECT id FROM users WHERE id = ?", "SELECT users"),
            ("INSERT INTO messages (id, text) VALUES (?1, ?2)", "INSERT messages"),
            ("UPDATE conversations SET rev = d.rev FROM (SELECT 1 FROM json_each(?)) AS d", "UPDATE conversations"),
            ("DELETE FROM blocks WHERE id = ?", "DELETE blocks"),
            (
                "WITH named (id) AS MATERIALIZED (SELECT unhex(atom) FROM json_each(?)) \
                 SELECT m.id FROM named JOIN messages m ON m.id = named.id",
                "SELECT messages",
            ),
            (
                "WITH gone AS (SELECT 1 FROM media) DELETE FROM media_uses WHERE id IN (SELECT id FROM gone)",
                "DELETE media",
            ),
        ] {
            assert_eq!(summary(text), name, "{text}");
        }
    }
}
