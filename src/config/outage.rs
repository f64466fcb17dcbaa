//! The outage policy.

use serde::Deserialize;

/// The outage policy: what to do with a request while Redis is unavailable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename = "outage policy", rename_all = "snake_case")]
pub enum OnOutage {
    /// Forward it without a check, and report this in the log and in `Server-Timing`.
    #[default]
    Open,
    /// Refuse it with 503.
    Closed,
    /// Check it against what this isolate alone has seen.
    Local,
}

impl OnOutage {
    /// Returns the policy's name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            OnOutage::Open => "open",
            OnOutage::Closed => "closed",
            OnOutage::Local => "local",
        }
    }
}
