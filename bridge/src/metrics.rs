//! Counters and durations of requests and commands in the Prometheus text format.

use std::time::Duration;

use axum::http::StatusCode;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};

use crate::{operation::Operation, request_error::RequestError};

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

    /// Returns the template of the paths of this kind.
    pub(crate) fn template(self) -> &'static str {
        match self {
            Self::Command => "/",
            Self::Path => "/{command}",
            Self::Pipeline => "/pipeline",
            Self::MultiExec => "/multi-exec",
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

/// What has happened since the process started.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_durations: Family<RequestDurationLabels, Histogram, fn() -> Histogram>,
    commands: Family<CommandLabels, Counter>,
    redis_durations: Family<RedisDurationLabels, Histogram, fn() -> Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestDurationLabels {
    route: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CommandLabels {
    command: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RedisDurationLabels {
    operation: &'static str,
    outcome: &'static str,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("sluicegate_bridge");
        let metrics = Self {
            requests: Family::default(),
            request_durations: Family::new_with_constructor(histogram),
            commands: Family::default(),
            redis_durations: Family::new_with_constructor(histogram),
            registry: Registry::default(),
        };
        registry.register("http_requests", "HTTP requests by route and status", metrics.requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time from the head of a request to its response, by route and outcome",
            Unit::Seconds,
            metrics.request_durations.clone(),
        );
        registry.register("redis_commands", "Commands sent to Redis by name", metrics.commands.clone());
        registry.register_with_unit(
            "redis_duration",
            "Time from a command, pipeline or transaction to the reply of Redis, by operation and outcome",
            Unit::Seconds,
            metrics.redis_durations.clone(),
        );
        Self { registry, ..metrics }
    }

    /// Counts a request by the status of its response, and the time until then.
    pub(crate) fn request(&self, route: Route, status: StatusCode, duration: Duration) {
        let labels = RequestLabels { route: route.label(), status: status.as_u16() };
        self.requests.get_or_create(&labels).inc();
        let outcome = match status {
            status if status.is_server_error() => "failed",
            status if status.is_client_error() => "refused",
            _ => "ok",
        };
        self.request_duration(route, outcome, duration);
    }

    /// Counts the time until a client left before it had a response.
    pub(crate) fn abandoned_request(&self, route: Route, duration: Duration) {
        self.request_duration(route, ABANDONED, duration);
    }

    fn request_duration(&self, route: Route, outcome: &'static str, duration: Duration) {
        let labels = RequestDurationLabels { route: route.label(), outcome };
        self.request_durations.get_or_create(&labels).observe(duration.as_secs_f64());
    }

    /// Counts the time that Redis took. `error` is that of the whole operation; a pipeline has none if only some of its
    /// commands fail.
    pub(crate) fn redis(&self, operation: Operation, error: Option<&RequestError>, duration: Duration) {
        let outcome = match error {
            None => "ok",
            Some(RequestError::Unreachable(_)) => "unreachable",
            Some(RequestError::Timeout) => "timeout",
            Some(_) => "refused",
        };
        self.redis_duration(operation, outcome, duration);
    }

    /// Counts the time that a client waited for Redis before it left.
    pub(crate) fn abandoned_redis(&self, operation: Operation, duration: Duration) {
        self.redis_duration(operation, ABANDONED, duration);
    }

    fn redis_duration(&self, operation: Operation, outcome: &'static str, duration: Duration) {
        let labels = RedisDurationLabels { operation: operation.class(), outcome };
        self.redis_durations.get_or_create(&labels).observe(duration.as_secs_f64());
    }

    /// Counts a command sent to Redis. `command` must be one of a fixed set of names.
    pub(crate) fn command(&self, command: &'static str) {
        self.commands.get_or_create(&CommandLabels { command }).inc();
    }

    /// Returns everything in the `OpenMetrics` text format, which Prometheus reads.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

/// The outcome if the client left before the end.
const ABANDONED: &str = "abandoned";

/// Upper bounds in seconds. Redis beside the bridge takes less than a millisecond; the bridge gives up after six seconds.
const BUCKETS: [f64; 14] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The media type of [`Metrics::text`].
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_label() {
        let metrics = Metrics::new();
        metrics.request(Route::of("/"), StatusCode::OK, Duration::from_micros(700));
        metrics.request(Route::of("/multi-exec"), StatusCode::BAD_REQUEST, Duration::from_millis(1));
        metrics.redis(Operation::Command("evalsha"), None, Duration::from_millis(2));
        metrics.redis(Operation::Command("get"), Some(&RequestError::Timeout), Duration::from_millis(6001));
        metrics.command("evalsha");
        metrics.command("evalsha");
        let text = metrics.text().unwrap();
        for line in [
            "sluicegate_bridge_http_requests_total{route=\"command\",status=\"200\"} 1",
            "sluicegate_bridge_http_requests_total{route=\"multi_exec\",status=\"400\"} 1",
            "sluicegate_bridge_redis_commands_total{command=\"evalsha\"} 2",
            "# TYPE sluicegate_bridge_http_request_duration_seconds histogram",
            "# UNIT sluicegate_bridge_redis_duration_seconds seconds",
            "sluicegate_bridge_http_request_duration_seconds_bucket{le=\"0.0005\",route=\"command\",outcome=\"ok\"} 0",
            "sluicegate_bridge_http_request_duration_seconds_bucket{le=\"0.001\",route=\"command\",outcome=\"ok\"} 1",
            "sluicegate_bridge_http_request_duration_seconds_sum{route=\"command\",outcome=\"ok\"} 0.0007",
            "sluicegate_bridge_http_request_duration_seconds_count{route=\"multi_exec\",outcome=\"refused\"} 1",
            "sluicegate_bridge_redis_duration_seconds_count{operation=\"script\",outcome=\"ok\"} 1",
            "sluicegate_bridge_redis_duration_seconds_bucket{le=\"5.0\",operation=\"command\",outcome=\"timeout\"} 0",
            "sluicegate_bridge_redis_duration_seconds_bucket{le=\"10.0\",operation=\"command\",outcome=\"timeout\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
        }
    }
}
