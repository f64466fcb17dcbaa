//! The Workers that are compared.

use serde::Serialize;

/// A Worker to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Contender {
    /// Forwards to the origin, without a limiter.
    Forward,
    /// Hand-written JavaScript that runs our script with one raw fetch: the minimum a limiter can cost.
    Floor,
    /// JavaScript with npm `@upstash/ratelimit`.
    Upstash,
    /// Our Worker, as it is deployed.
    Sluicegate,
    /// Our Worker with `prefetch`.
    Prefetch,
}

impl Contender {
    /// The contenders of every scenario, in the order of the table.
    pub const ALL: &[Self] = &[Self::Forward, Self::Floor, Self::Upstash, Self::Sluicegate];

    /// The contenders where one client sends many requests.
    pub const WITH_PREFETCH: &[Self] = &[Self::Forward, Self::Floor, Self::Upstash, Self::Sluicegate, Self::Prefetch];

    /// Returns its name in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Floor => "floor",
            Self::Upstash => "upstash",
            Self::Sluicegate => "sluicegate",
            Self::Prefetch => "prefetch",
        }
    }

    /// Returns its script in `bench/workers`; `None` for our Worker.
    #[must_use]
    pub fn script(self) -> Option<&'static str> {
        match self {
            Self::Forward => Some("forward.js"),
            Self::Floor => Some("floor.js"),
            Self::Upstash => Some("upstash.js"),
            Self::Sluicegate | Self::Prefetch => None,
        }
    }

    /// Returns whether it limits requests, so that every response must have `RateLimit` headers.
    #[must_use]
    pub fn limits(self) -> bool {
        self != Self::Forward
    }
}
