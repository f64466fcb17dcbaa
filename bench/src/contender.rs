//! The Workers that are compared.

use serde::Serialize;

/// A Worker to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Contender {
    /// Forwards to the origin, without a limiter.
    Forward,
    /// Hand-written JavaScript that runs our script with one raw fetch: the minimum a limiter can cost.
    Floor,
    /// JavaScript with npm `@upstash/ratelimit`.
    Upstash,
    /// Our Worker, as it is deployed.
    Sluicegate,
}

impl Contender {
    /// All contenders, in the order of the table.
    pub(crate) const ALL: [Self; 4] = [Self::Forward, Self::Floor, Self::Upstash, Self::Sluicegate];

    /// Returns its name in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Floor => "floor",
            Self::Upstash => "upstash",
            Self::Sluicegate => "sluicegate",
        }
    }

    /// Returns whether it limits requests, so that every response must have `RateLimit` headers.
    pub(crate) fn limits(self) -> bool {
        self != Self::Forward
    }
}
