//! Recording traces: the spans of `parlance_domain::trace` go to a collector, as OTLP over HTTP, in batches. What waits to be
//! sent is bounded, and what finds no room is lost: a collector that is slow or away costs traces, never messages.
//! Which spans there are is decided by `gate`, sending by `collector`.

mod collector;
mod gate;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::config::{Config, ConfigError, OTEL_EXPORTER_OTLP_ENDPOINT};
use collector::Collector;

pub(crate) use gate::{Gate, is_traced};

/// Spans that wait to be sent, at most.
const WAITING: usize = 4096;
/// How long they wait, when they are few.
const SEND_EVERY: Duration = Duration::from_secs(2);

/// What is recorded in this process. Cheap to clone.
#[derive(Clone)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Begins to record what `config` says, if it names a collector. The collector is not tried.
    ///
    /// # Errors
    /// [`ConfigError`] where nothing can be sent to it.
    pub fn open(config: &Config) -> Result<Option<Self>, ConfigError> {
        let Some(endpoint) = &config.traces.endpoint else { return Ok(None) };
        let refused = |error: &dyn fmt::Display| config.refuse(OTEL_EXPORTER_OTLP_ENDPOINT, error);
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_http_client(Collector::new().map_err(|error| refused(&error))?)
            .with_endpoint(format!("{endpoint}/v1/traces"))
            .build()
            .map_err(|error| refused(&error))?;
        let batches =
            BatchConfigBuilder::default().with_max_queue_size(WAITING).with_scheduled_delay(SEND_EVERY).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches).build())
            // The gate has decided before there is a span.
            .with_sampler(Sampler::AlwaysOn)
            .with_resource(
                Resource::builder()
                    .with_service_name(config.traces.service_name.clone())
                    .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
                    .build(),
            )
            .build();
        Ok(Some(Self { provider }))
    }

    /// What turns spans into traces. It sees no lines of the log.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("parlance"))
            .with_location(false)
            .with_threads(false)
            .with_level(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false)
            .with_filter(filter_fn(|metadata| metadata.is_span() && is_traced(metadata)))
    }

    /// Sends what waits, for so long at most. Nothing is recorded after it.
    pub(crate) async fn flush(self, limit: Duration) {
        let flushed = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(limit));
        if !matches!(flushed.await, Ok(Ok(()))) {
            tracing::warn!("the last traces could not be sent");
        }
    }

    /// How requests go on with traces of their callers.
    pub(crate) fn of_callers() -> Arc<dyn parlance_rest::Traces> {
        Arc::new(OfCallers(TraceContextPropagator::new()))
    }
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").finish_non_exhaustive()
    }
}

/// Reads `traceparent` and `tracestate`.
struct OfCallers(TraceContextPropagator);

impl OfCallers {
    fn context(&self, headers: &HeaderMap) -> Context {
        self.0.extract_with_context(&Context::new(), &HeaderExtractor(headers))
    }
}

impl parlance_rest::Traces for OfCallers {
    fn is_recorded(&self, headers: &HeaderMap) -> Option<bool> {
        let context = self.context(headers);
        let span = context.span().span_context().clone();
        span.is_valid().then(|| span.is_sampled())
    }

    fn go_on(&self, headers: &HeaderMap, span: &Span) {
        // It fails where nobody records the span.
        let _ = span.set_parent(self.context(headers));
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use parlance_rest::Traces as _;

    use super::*;

    #[test]
    fn a_caller_says_whether_its_trace_is_recorded() {
        let recorded = |parent: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", HeaderValue::from_str(parent).unwrap());
            OfCallers(TraceContextPropagator::new()).is_recorded(&headers)
        };
        assert_eq!(recorded("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), Some(true));
        assert_eq!(recorded("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"), Some(false));
        for nothing in ["", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "hello"] {
            assert_eq!(recorded(nothing), None, "{nothing}");
        }
        assert_eq!(OfCallers(TraceContextPropagator::new()).is_recorded(&HeaderMap::new()), None);
    }
}
