//! Where traces go, and how many of them. Recording them is `traces`' part.

use super::layers::Layers;
use super::{ConfigError, needed, optional, setting, value};

/// What is recorded of traces.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceSettings {
    /// The collector that they go to, without the path of traces; nobody records any without one.
    pub endpoint: Option<String>,
    /// What this server is called.
    pub service_name: String,
    /// Which part of all traces is recorded.
    pub ratio: f64,
}

impl TraceSettings {
    pub(super) fn read(layers: &Layers) -> Result<Self, ConfigError> {
        Ok(Self {
            endpoint: optional(layers, &setting::OTEL_EXPORTER_OTLP_ENDPOINT, value::collector)?,
            service_name: needed(layers, &setting::OTEL_SERVICE_NAME, value::text)?,
            ratio: needed(layers, &setting::OTEL_TRACES_SAMPLER_ARG, value::ratio)?,
        })
    }
}
