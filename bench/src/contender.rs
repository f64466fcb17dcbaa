//! What is compared.

use serde::Serialize;

/// A Worker that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Contender {
    /// Forwards to the origin and nothing else.
    Forward,
    /// Hand-written JavaScript with one raw fetch of our script: the least that a limiter can cost.
    Floor,
    /// JavaScript with npm `@upstash/ratelimit`.
    Upstash,
    /// Our own Worker, as it is deployed.
    Sluicegate,
}

impl Contender {
    /// All, in the order of the table.
    pub(crate) const ALL: [Self; 4] = [Self::Forward, Self::Floor, Self::Upstash, Self::Sluicegate];

    /// Its name in the table; also of its folder.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward",
            Self::Floor => "floor",
            Self::Upstash => "upstash",
            Self::Sluicegate => "sluicegate",
        }
    }

    /// Whether it judges requests, and so must say it in the headers of every answer.
    pub(crate) fn limits(self) -> bool {
        self != Self::Forward
    }
}
