//! Commands as parts of traces: by their names and collections, never by what they look for or write.

use parlance_domain::trace;
use tracing::Span;

/// A command that the server carries out.
pub(crate) fn command(name: &str, collection: &str) -> Span {
    let name = format_args!("{name} {collection}");
    tracing::info_span!(target: trace::PART, "storage.command.run", otel.kind = "client", otel.name = name)
}

/// The end of a transaction.
pub(crate) fn commit() -> Span {
    tracing::info_span!(target: trace::PART, "storage.command.run", otel.kind = "client", otel.name = "commitTransaction")
}
