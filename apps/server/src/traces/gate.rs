//! What passes of what the program says: lines and the spans around them by the operator's filter, spans of traces by chance.
//! A trace is recorded whole or not at all: its root decides, and its parts are there where it is. While nobody
//! records traces, each place that would begin a span knows that it is off and asks nobody.

use parlance_domain::trace;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer};

use crate::system::random_bytes;

/// What the targets of spans of traces begin with.
const TRACED: &str = "parlance::trace::";

/// The one filter of everything.
#[derive(Debug)]
pub(crate) struct Gate {
    /// By the operator's wish.
    pub(crate) lines: EnvFilter,
    /// Which part of all traces is recorded; `None` where nobody records any.
    pub(crate) ratio: Option<f64>,
}

/// Whether this is a span of a trace.
pub(crate) fn is_traced(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with(TRACED)
}

impl Gate {
    /// Whether a span of a trace begins.
    fn records<S>(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        match metadata.target() {
            trace::ROOT => self.ratio.is_some_and(falls_within),
            trace::CONTINUED => true,
            // The span of a log line may stand between.
            _ => context.lookup_current().is_some_and(|span| span.scope().any(|outer| is_traced(outer.metadata()))),
        }
    }
}

/// A throw of dice.
fn falls_within(ratio: f64) -> bool {
    let thrown = f64::from(u32::from_ne_bytes(random_bytes())) / (f64::from(u32::MAX) + 1.0);
    thrown < ratio
}

impl<S> Layer<S> for Gate
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match (is_traced(metadata), self.ratio) {
            (false, _) => Layer::<S>::register_callsite(&self.lines, metadata),
            (true, Some(_)) => Interest::sometimes(),
            (true, None) => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        if is_traced(metadata) {
            self.ratio.is_some() && self.records(metadata, &context)
        } else {
            Layer::<S>::enabled(&self.lines, metadata, context)
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        let lines = Layer::<S>::max_level_hint(&self.lines)?;
        Some(if self.ratio.is_some() { lines.max(LevelFilter::INFO) } else { lines })
    }

    // The filter of lines may depend on the spans around them.
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if !is_traced(attributes.metadata()) {
            self.lines.on_new_span(attributes, id, context);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.lines.on_record(id, values, context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.lines.on_enter(id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.lines.on_exit(id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.lines.on_close(id, context);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::{info_span, warn_span};
    use tracing_subscriber::Registry;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Notes which spans begin.
    #[derive(Clone, Default)]
    struct Begun(Arc<Mutex<Vec<&'static str>>>);

    impl<S: Subscriber> Layer<S> for Begun {
        fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
            self.0.lock().unwrap().push(attributes.metadata().name());
        }
    }

    fn begun(filter: &str, ratio: Option<f64>, act: impl FnOnce()) -> Vec<&'static str> {
        let begun = Begun::default();
        let gate = Gate { lines: EnvFilter::new(filter), ratio };
        let subscriber = tracing_subscriber::registry().with(begun.clone()).with(gate);
        tracing::subscriber::with_default(subscriber, act);
        let begun = begun.0.lock().unwrap();
        begun.clone()
    }

    fn request() {
        let root = info_span!(target: trace::ROOT, "root");
        root.in_scope(|| {
            warn_span!("logged").in_scope(|| {
                let part = info_span!(target: trace::PART, "part");
                part.in_scope(|| info_span!(target: trace::PART, "inner"));
                info_span!("line")
            })
        });
        info_span!(target: trace::PART, "alone");
    }

    #[test]
    fn a_trace_is_recorded_whole_whatever_lines_are_logged() {
        assert_eq!(begun("off", Some(1.0), request), ["root", "part", "inner"]);
        assert_eq!(begun("warn", Some(1.0), request), ["root", "logged", "part", "inner"]);
        assert_eq!(begun("info", Some(1.0), request), ["root", "logged", "part", "inner", "line"]);
    }

    #[test]
    fn a_trace_that_is_not_recorded_has_no_parts() {
        assert_eq!(begun("warn", Some(0.0), request), ["logged"]);
        assert_eq!(begun("warn", None, request), ["logged"]);
        assert_eq!(begun("trace", None, request), ["logged", "line"]);
    }

    #[test]
    fn a_trace_that_a_caller_has_recorded_is_recorded_here() {
        let go_on = || {
            let continued = info_span!(target: trace::CONTINUED, "continued");
            continued.in_scope(|| info_span!(target: trace::PART, "part"));
        };
        assert_eq!(begun("off", Some(0.0), go_on), ["continued", "part"]);
        assert!(begun("off", None, go_on).is_empty());
    }

    #[test]
    fn while_nobody_records_traces_nobody_is_asked() {
        let interest = |ratio, span: tracing::Span| {
            let gate = Gate { lines: EnvFilter::new("trace"), ratio };
            Layer::<Registry>::register_callsite(&gate, span.metadata().unwrap())
        };
        let part = || info_span!(target: trace::PART, "part");
        assert!(interest(None, part()).is_never(), "the place remembers that it is off");
        assert!(interest(Some(0.1), part()).is_sometimes());
    }

    #[test]
    fn about_the_part_that_is_wanted_is_recorded() {
        let many = || (0..4_000).for_each(|_| drop(info_span!(target: trace::ROOT, "root")));
        let recorded = begun("off", Some(0.25), many).len();
        // Six standard deviations to each side.
        assert!((835..=1_165).contains(&recorded), "{recorded}");
    }
}
