//! Request and command counters in the Prometheus text format.

use axum::http::StatusCode;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// The kind of endpoint that a request was sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// `POST /`.
    Command,
    /// `/set/key/value`.
    Path,
    /// `/pipeline`.
    Pipeline,
    /// `/multi-exec`.
    MultiExec,
}

impl Route {
    pub(crate) fn of(path: &str) -> Self {
        match path {
            "" | "/" => Self::Command,
            "/pipeline" => Self::Pipeline,
            "/multi-exec" => Self::MultiExec,
            _ => Self::Path,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Path => "path",
            Self::Pipeline => "pipeline",
            Self::MultiExec => "multi_exec",
        }
    }
}

/// The counters since the process started.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    commands: Family<CommandLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CommandLabels {
    command: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("sluicegate_bridge");
        let (requests, commands) = (Family::default(), Family::default());
        registry.register("http_requests", "HTTP requests by route and status", Family::clone(&requests));
        registry.register("redis_commands", "Commands sent to Redis by name", Family::clone(&commands));
        Self { registry, requests, commands }
    }

    /// Counts a request by the status of its response.
    pub(crate) fn request(&self, route: Route, status: StatusCode) {
        let labels = RequestLabels { route: route.label(), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
    }

    /// Counts a command sent to Redis. `command` must be one of a fixed set of names.
    pub(crate) fn command(&self, command: &'static str) {
        self.commands.get_or_create(&CommandLabels { command }).inc();
    }

    /// Returns the counters in the `OpenMetrics` text format, which Prometheus reads.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// The media type of [`Metrics::text`].
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_label() {
        let metrics = Metrics::new();
        metrics.request(Route::of("/"), StatusCode::OK);
        metrics.request(Route::of("/multi-exec"), StatusCode::BAD_REQUEST);
        metrics.command("evalsha");
        metrics.command("evalsha");
        let text = metrics.text().unwrap();
        for line in [
            "sluicegate_bridge_http_requests_total{route=\"command\",status=\"200\"} 1",
            "sluicegate_bridge_http_requests_total{route=\"multi_exec\",status=\"400\"} 1",
            "sluicegate_bridge_redis_commands_total{command=\"evalsha\"} 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
        }
    }
}
