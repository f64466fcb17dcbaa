//! What an outage of Redis means for a request.

use serde::Deserialize;

/// What a failure of Redis means for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnOutage {
    /// Forward it unjudged, and say so in the log and in `Server-Timing`.
    Open,
    /// Refuse it with 503.
    Closed,
    /// Judge it by what this isolate alone has seen.
    Local,
}

impl OnOutage {
    /// The policy as the configuration spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            OnOutage::Open => "open",
            OnOutage::Closed => "closed",
            OnOutage::Local => "local",
        }
    }
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawOnOutage {
    #[default]
    Open,
    Closed,
    Local,
}
