//! The limits of a scenario.

use serde::Serialize;
use serde_json::{Value, json};

/// A number of units per window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Quota {
    /// The units.
    pub units: u64,
    /// The window, in milliseconds.
    pub window_ms: u64,
}

/// A limit of our Worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub(crate) name: &'static str,
    pub(crate) algorithm: &'static str,
    /// The quota.
    pub quota: Quota,
    burst: Option<u64>,
}

impl Limit {
    /// Returns a token bucket that refills `units` per `window_ms` and holds `burst`.
    pub(crate) const fn token_bucket(name: &'static str, units: u64, window_ms: u64, burst: u64) -> Self {
        Self { name, algorithm: "token_bucket", quota: Quota { units, window_ms }, burst: Some(burst) }
    }

    /// Returns a sliding window of two counters.
    pub(crate) const fn sliding_window(name: &'static str, units: u64, window_ms: u64) -> Self {
        Self { name, algorithm: "sliding_window", quota: Quota { units, window_ms }, burst: None }
    }

    /// Returns a fixed window.
    pub(crate) const fn fixed_window(name: &'static str, units: u64, window_ms: u64) -> Self {
        Self { name, algorithm: "fixed_window", quota: Quota { units, window_ms }, burst: None }
    }

    /// Returns its entry in the configuration of our Worker.
    pub(crate) fn document(self) -> Value {
        let Self { name, algorithm, quota: Quota { units, window_ms }, burst } = self;
        let mut document =
            json!({ "name": name, "algorithm": algorithm, "limit": units, "window": format!("{window_ms}ms") });
        if let (Some(burst), Some(document)) = (burst, document.as_object_mut()) {
            document.insert("burst".to_owned(), burst.into());
        }
        document
    }
}
