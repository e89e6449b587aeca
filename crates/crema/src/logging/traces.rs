//! Traces for an OpenTelemetry collector, in a build with the feature `otel`.
//!
//! The spans are those of the log: one a request, named after the endpoint, with the request's id,
//! method and status, and in it what the log says about the request. No parameter, header or token
//! is in them. They are sent in batches by a thread of their own, over OTLP/HTTP (protobuf), to
//! the collector that the variables of the OpenTelemetry specification name. TLS is left to a
//! collector on the same machine.

use anyhow::Context as _;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, Tracer};

/// The program's part in traces: its own crates.
pub(super) const TARGET: &str = "crema";

/// Sends spans; the last ones when it is dropped.
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// Starts sending. The endpoint, its headers and time-outs, sampling and batching are read
    /// from `OTEL_…` by the libraries.
    ///
    /// # Errors
    /// When a variable cannot be understood.
    pub(super) fn start(named: bool) -> anyhow::Result<Traces> {
        let exporter = SpanExporter::builder()
            .with_http()
            .build()
            .context("the export of traces cannot be set up; look at the OTEL_ variables")?;
        let mut resource = Resource::builder()
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        if !named {
            resource = resource.with_service_name("crema");
        }
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        Ok(Traces(provider))
    }

    /// Makes spans.
    pub(super) fn tracer(&self) -> Tracer {
        self.0.tracer("crema")
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // A collector that is away must not keep the server from ending well.
        let _ = self.0.shutdown();
    }
}
