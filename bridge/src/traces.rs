//! Traces of requests, for an OpenTelemetry collector.

use std::{
    env,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry::{Key, KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SdkTracer, SdkTracerProvider, SpanData, SpanExporter as Exporter},
};

/// Sends spans to a collector: OTLP over HTTP, with Protobuf bodies.
///
/// Spans wait in a queue of bounded length, and one thread sends them. If the collector is slow or down, spans are
/// dropped, and requests do not notice. The first failure and the first success after it are lines on standard error.
#[derive(Debug, Clone)]
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Traces {
    /// Reads the environment variables of OpenTelemetry. Returns `None`, at no cost, unless
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` is set, or if `OTEL_SDK_DISABLED` is `true`
    /// or `OTEL_TRACES_EXPORTER` is `none`.
    ///
    /// The others are optional: `OTEL_SERVICE_NAME` (by default `sluicegate-bridge`), `OTEL_RESOURCE_ATTRIBUTES`,
    /// `OTEL_TRACES_SAMPLER` with `OTEL_TRACES_SAMPLER_ARG`, `OTEL_EXPORTER_OTLP_HEADERS` and `_TIMEOUT`, and
    /// `OTEL_BSP_…` for the queue.
    ///
    /// # Errors
    ///
    /// Fails if a variable has a value that the bridge does not support.
    pub fn from_environment() -> Result<Option<Self>, TracesError> {
        let is_off = has_value("OTEL_SDK_DISABLED", "true") || has_value("OTEL_TRACES_EXPORTER", "none");
        if is_off || ENDPOINTS.iter().all(|name| variable(name).is_none()) {
            return Ok(None);
        }
        check("OTEL_TRACES_EXPORTER", &["otlp"])?;
        check("OTEL_TRACES_SAMPLER", &SAMPLERS)?;
        check("OTEL_EXPORTER_OTLP_PROTOCOL", &[PROTOCOL])?;
        check("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", &[PROTOCOL])?;
        check_ratio()?;
        let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary).build()?;
        let exporter = ReportingExporter { exporter, is_failing: AtomicBool::new(false) };
        let provider = SdkTracerProvider::builder().with_resource(resource()).with_batch_exporter(exporter).build();
        let tracer = provider.tracer(SERVICE);
        Ok(Some(Self { provider, tracer }))
    }

    pub(crate) fn tracer(&self) -> &SdkTracer {
        &self.tracer
    }

    /// Sends what waits in the queue, for up to 5 s, and ends the thread.
    pub(crate) async fn flush(self) {
        // The thread is detached if it does not end in time; what it still had is lost.
        let shutdown = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(FLUSH_TIMEOUT));
        if !matches!(shutdown.await, Ok(Ok(()))) {
            eprintln!("{SERVICE}: the last traces were not sent");
        }
    }
}

/// An environment variable of OpenTelemetry that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The value is none of those that the bridge supports.
    #[error("{name}: expected {expected}, found \"{found}\"")]
    Unsupported {
        /// The name of the variable.
        name: &'static str,
        /// The supported values.
        expected: String,
        /// The value.
        found: String,
    },
    /// The exporter refuses its variables.
    #[error("OTEL_EXPORTER_OTLP_…: {0}")]
    Exporter(#[from] ExporterBuildError),
}

/// An exporter that reports on standard error when exports begin to fail, and when they succeed again.
#[derive(Debug)]
struct ReportingExporter {
    exporter: SpanExporter,
    is_failing: AtomicBool,
}

impl Exporter for ReportingExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let outcome = self.exporter.export(batch).await;
        match (&outcome, self.is_failing.swap(outcome.is_err(), Ordering::Relaxed)) {
            (Err(error), false) => eprintln!("{SERVICE}: traces cannot be sent: {error} (requests are not affected)"),
            (Ok(()), true) => eprintln!("{SERVICE}: traces are sent again"),
            _ => {}
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Returns what the variables say about this process, with a name of the service in any case.
fn resource() -> Resource {
    let builder = || Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
    // It takes precedence over the attribute of that name (OpenTelemetry specification, "SDK environment variables").
    if let Some(name) = variable("OTEL_SERVICE_NAME") {
        return builder().with_service_name(name).build();
    }
    let resource = builder().build();
    let name = resource.get(&Key::from_static_str("service.name"));
    if name.is_some_and(|name| !name.as_str().starts_with("unknown_service")) {
        return resource;
    }
    builder().with_service_name(SERVICE).build()
}

/// Returns the value of a variable. An empty one counts as not set, as the specification says.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn has_value(name: &str, value: &str) -> bool {
    variable(name).is_some_and(|found| found.eq_ignore_ascii_case(value))
}

fn check(name: &'static str, supported: &[&str]) -> Result<(), TracesError> {
    match variable(name) {
        Some(found) if !supported.contains(&found.as_str()) => {
            let expected: Vec<_> = supported.iter().map(|value| format!("\"{value}\"")).collect();
            Err(TracesError::Unsupported { name, expected: expected.join(" or "), found })
        }
        _ => Ok(()),
    }
}

/// Checks the argument of a sampler that needs a ratio.
fn check_ratio() -> Result<(), TracesError> {
    let needs_ratio = variable("OTEL_TRACES_SAMPLER").is_some_and(|sampler| sampler.ends_with("traceidratio"));
    let found = variable(RATIO).unwrap_or_else(|| "1".to_owned());
    if !needs_ratio || found.parse::<f64>().is_ok_and(|ratio| (0.0..=1.0).contains(&ratio)) {
        return Ok(());
    }
    Err(TracesError::Unsupported { name: RATIO, expected: "a number from 0 to 1".to_owned(), found })
}

/// The default name of the service, and that of the instrumentation scope.
const SERVICE: &str = "sluicegate-bridge";
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
const PROTOCOL: &str = "http/protobuf";
const RATIO: &str = "OTEL_TRACES_SAMPLER_ARG";
const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

/// A collector that is up takes milliseconds.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
