//! The parameters of each algorithm.

use super::rate::Rate;
use crate::time::Millis;

/// The algorithm of a limit, with its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Exact: never more than the quota in any window. Stores one sorted-set entry per admitted request.
    SlidingLog {
        /// The length of the window.
        window: Millis,
    },
    /// Approximate: counts the current window and the previous one, which weighs less the longer ago it ended.
    SlidingWindow {
        /// The length of a window. Windows are aligned to the epoch.
        window: Millis,
    },
    /// Restores the whole quota at the start of each window.
    FixedWindow {
        /// The kind of window.
        window: Window,
    },
    /// Refills continuously at the quota per window, and holds at most `burst` units.
    TokenBucket {
        /// The time in which one quota is refilled.
        window: Millis,
        /// The most units that the bucket holds.
        burst: u64,
        /// The quota per window in whole numbers.
        rate: Rate,
    },
    /// Limits the requests in flight to the quota. Each holds a lease, which expires unless released before.
    Concurrency {
        /// The time until a lease expires.
        lease: Millis,
    },
}

/// The windows of a fixed-window limit, consecutive and in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Windows of this length, aligned to the epoch: a day begins at midnight UTC, a week on Thursday.
    Span(Millis),
    /// Calendar months.
    Month,
}

impl Algorithm {
    /// Returns the name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::SlidingLog { .. } => "sliding_log",
            Algorithm::SlidingWindow { .. } => "sliding_window",
            Algorithm::FixedWindow { .. } => "fixed_window",
            Algorithm::TokenBucket { .. } => "token_bucket",
            Algorithm::Concurrency { .. } => "concurrency",
        }
    }

    /// Returns whether the state of `other` is valid here. State in a sorted set is valid for any window.
    pub(super) fn keeps_state_of(self, other: Algorithm) -> bool {
        match (self, other) {
            (Algorithm::SlidingLog { .. }, Algorithm::SlidingLog { .. })
            | (Algorithm::Concurrency { .. }, Algorithm::Concurrency { .. }) => true,
            (Algorithm::SlidingWindow { window }, Algorithm::SlidingWindow { window: other })
            | (Algorithm::TokenBucket { window, .. }, Algorithm::TokenBucket { window: other, .. }) => window == other,
            (Algorithm::FixedWindow { window }, Algorithm::FixedWindow { window: other }) => window == other,
            _ => false,
        }
    }
}
