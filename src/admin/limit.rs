//! A limit as JSON.

use serde_json::Value;

use super::members::object;
use crate::limit::{Algorithm, Limit, Window};

/// Returns a limit as JSON, with the fields of the configuration and all defaults, and with `more` members.
pub(super) fn limit(limit: &Limit, more: Vec<(&str, Value)>) -> Value {
    let (window, burst, lease) = match limit.algorithm() {
        Algorithm::FixedWindow { window: Window::Month } => (Some("month".to_owned()), None, None),
        Algorithm::SlidingLog { window }
        | Algorithm::SlidingWindow { window }
        | Algorithm::FixedWindow { window: Window::Span(window) } => (Some(window.to_string()), None, None),
        Algorithm::TokenBucket { window, burst, .. } => (Some(window.to_string()), Some(burst), None),
        Algorithm::Concurrency { lease } => (None, None, Some(lease.to_string())),
    };
    let counts_requests = limit.counts_requests() || limit.needs_lease();
    let mut members = vec![
        ("name", limit.name().as_str().into()),
        ("algorithm", limit.algorithm().name().into()),
        ("limit", limit.quota().into()),
        ("window", window.into()),
        ("burst", burst.into()),
        ("lease", lease.into()),
        ("counts", if counts_requests { "requests" } else { "cost" }.into()),
        ("by", limit.by().map(ToString::to_string).into()),
    ];
    members.extend(more);
    object(members)
}

/// Returns limits as JSON.
pub(super) fn limits(limits: &[Limit]) -> Value {
    Value::Array(limits.iter().map(|one| limit(one, Vec::new())).collect())
}
