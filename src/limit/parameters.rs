//! How a limit counts.

use super::rate::Rate;
use crate::time::Millis;

/// How a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Exact: never more than the quota in any window. One sorted-set entry an admitted request.
    SlidingLog {
        /// The window's length.
        window: Millis,
    },
    /// Two counters, of this window and of the one before it, which weighs less the longer ago it ended.
    SlidingWindow {
        /// The window's length. Windows are aligned to the epoch.
        window: Millis,
    },
    /// The quota anew in each window.
    FixedWindow {
        /// Which windows.
        window: Window,
    },
    /// Refills continuously at quota a window, holds at most `burst` units.
    TokenBucket {
        /// The time in which the quota is refilled.
        window: Millis,
        /// The most that the bucket holds, in units.
        burst: u64,
        /// The quota a window in whole numbers.
        rate: Rate,
    },
    /// At most the quota of requests in flight. Each holds a lease that ends by itself if nobody releases it.
    Concurrency {
        /// How long a lease lives.
        lease: Millis,
    },
}

/// The windows of a fixed window. They follow one another without a gap, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Of this length, aligned to the epoch: a day begins at midnight UTC, a week on Thursday.
    Span(Millis),
    /// The months of the calendar.
    Month,
}

impl Algorithm {
    /// Its name in the configuration.
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

    /// Whether the state of `other` means the same here. What has a sorted set goes on whatever its window.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::limit::Limit;
    use crate::limit::name::LimitName;

    fn name(text: &str) -> LimitName {
        LimitName::new(text).unwrap()
    }

    #[test]
    fn a_changed_limit_keeps_its_state_while_its_counting_stays() {
        let ms = Millis::new;
        let bucket = |quota, window, burst| Limit::token_bucket(name("a"), quota, ms(window), Some(burst)).unwrap();
        assert!(bucket(1, 1000, 1).keeps_state_of(&bucket(5, 1000, 9)));
        assert!(!bucket(1, 1000, 1).keeps_state_of(&bucket(1, 2000, 1)));
        let fixed = |window| Limit::fixed_window(name("a"), 1, window).unwrap();
        assert!(!fixed(Window::Month).keeps_state_of(&fixed(Window::Span(ms(1)))));
        let log = |text, window| Limit::sliding_log(name(text), 1, ms(window)).unwrap();
        assert!(log("a", 1).keeps_state_of(&log("a", 2)));
        assert!(!log("a", 1).keeps_state_of(&log("b", 1)));
        assert!(!log("a", 1000).keeps_state_of(&bucket(1, 1000, 1)));
    }
}
