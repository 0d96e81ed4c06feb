//! The targets of spans that make up traces: from what a client asked to the statements that came of it. A program that
//! records traces picks these spans by their targets; while none does, each of them costs a look at a number. They say what
//! was done and how much of it, never who did it or what anybody wrote. Spans of log lines have other targets.

use tracing::Span;

/// Begins a trace; which of them are recorded is the program's choice.
pub const ROOT: &str = "parlance::trace::root";

/// Goes on with a trace that a caller has begun, and has recorded.
pub const CONTINUED: &str = "parlance::trace::continued";

/// Is a part of the trace in which it begins. Outside of a recorded trace there is none.
pub const PART: &str = "parlance::trace::part";

/// One span for what is done for several at once: a part of the trace of the first of them, linked to all others.
pub(crate) fn shared<'a>(spans: impl Iterator<Item = &'a Span>, begin: impl FnOnce() -> Span) -> Span {
    let mut recorded = spans.filter(|span| !span.is_disabled());
    let Some(first) = recorded.next() else { return Span::none() };
    let span = first.in_scope(begin);
    for other in recorded {
        span.follows_from(other);
    }
    span
}

/// A number of things, as spans keep numbers.
pub fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
