//! Whole windows of a limit. All contenders align their windows to the Unix epoch.

use std::time::{Duration, SystemTime};

use sluicegate_bench::limit::Quota;
use tokio::time::Instant;

/// A number of whole windows in which a flood is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Windows {
    /// When the first one begins. The flood has begun at least one whole window before.
    pub(crate) start: Instant,
    /// When the last one ends.
    pub(crate) end: Instant,
    /// The quota of all of them together, in units.
    pub(crate) units: u64,
}

impl Windows {
    /// Returns the next windows that take about `each`.
    #[expect(clippy::disallowed_methods, reason = "the limiters count by this clock")]
    pub(crate) fn next(quota: Quota, each: Duration) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let window = Duration::from_millis(quota.window_ms);
        let start = Instant::now() + until_next(now, window) + window;
        let count = count(window, each);
        Self { start, end: start + window * count, units: quota.units * u64::from(count) }
    }
}

/// Returns the time from `now`, since the epoch, to the start of the next window.
fn until_next(now: Duration, window: Duration) -> Duration {
    let into = now.as_nanos() % window.as_nanos();
    Duration::from_nanos(u64::try_from(window.as_nanos() - into).unwrap_or_default())
}

/// Returns the number of windows in `each`, rounded up to an even one: a limiter may favor every other window.
fn count(window: Duration, each: Duration) -> u32 {
    u32::try_from(each.as_nanos().div_ceil(2 * window.as_nanos())).unwrap_or(u32::MAX / 2).max(1) * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_at_multiples_since_the_epoch() {
        let window = Duration::from_millis(250);
        assert_eq!(until_next(Duration::from_millis(1_000_010), window), Duration::from_millis(240));
        assert_eq!(until_next(Duration::from_secs(1000), window), window);
    }

    #[test]
    fn the_number_of_windows_is_even() {
        let window = Duration::from_millis(500);
        for (each, expected) in [(0, 2), (50, 2), (1000, 2), (1001, 4), (2000, 4)] {
            assert_eq!(count(window, Duration::from_millis(each)), expected, "{each}");
        }
    }
}
