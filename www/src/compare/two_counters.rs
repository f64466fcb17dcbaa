//! A model of another limiter: two counters, with a cache that blocks.
//!
//! It decides as `slidingWindow` of the npm package `@upstash/ratelimit` 2.2.0 does by default, in one isolate and with
//! requests of one unit. `www/tests/two_counters.rs` compares it with the package.

use sluicegate::limit::Retry;
use sluicegate::time::Millis;

/// The two counters and the cache.
///
/// - The requests of the previous window are assumed to have come evenly: a share of them still counts, rounded down.
///   If they came at its end, the next window admits nearly all of its own limit, too.
/// - A refusal blocks all requests until the current window ends, from the memory of the isolate, and the client is
///   told to come back then. But units come back earlier. And when a full window has ended, nearly all of its units still
///   count, so one of the first requests of the next window is refused, and blocks the whole of it.
#[derive(Debug, Clone)]
pub struct TwoCounters {
    limit: u64,
    window: u64,
    /// The window that `current` counts, by its number since the epoch.
    number: u64,
    previous: u64,
    current: u64,
    blocked_until: Option<u64>,
}

impl TwoCounters {
    /// Creates the counters with nothing used.
    #[must_use]
    pub fn new(limit: u64, window: Millis) -> Self {
        let window = window.get().max(1);
        TwoCounters { limit, window, number: 0, previous: 0, current: 0, blocked_until: None }
    }

    /// Decides one request at an instant that is not before the last one.
    pub fn decide(&mut self, now: u64) -> Retry {
        let number = now / self.window;
        let end = (number + 1) * self.window;
        if let Some(until) = self.blocked_until {
            // The package still blocks at the very millisecond until which it blocks.
            if until >= now {
                return told_until(until, now);
            }
            self.blocked_until = None;
        }
        if number != self.number {
            self.previous = if number == self.number + 1 { self.current } else { 0 };
            (self.number, self.current) = (number, 0);
        }
        if self.counted_of_previous(now) + self.current >= self.limit {
            self.blocked_until = Some(end);
            return told_until(end, now);
        }
        self.current += 1;
        Retry::Now
    }

    /// Returns how many requests of the previous window still count, rounded as the package rounds: with the same
    /// operations on 64-bit floats.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below 2^53 and not negative"
    )]
    fn counted_of_previous(&self, now: u64) -> u64 {
        let elapsed = (now % self.window) as f64 / self.window as f64;
        ((1.0 - elapsed) * self.previous as f64).floor() as u64
    }
}

/// A client that is told an instant waits at least a millisecond.
fn told_until(until: u64, now: u64) -> Retry {
    Retry::After(Millis::new(until.saturating_sub(now).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(counters: &mut TwoCounters, times: impl IntoIterator<Item = u64>) -> Vec<u64> {
        times.into_iter().filter(|now| counters.decide(*now) == Retry::Now).collect()
    }

    #[test]
    fn a_burst_at_the_end_of_a_window_lets_nearly_twice_the_limit_pass() {
        let mut counters = TwoCounters::new(10, Millis::new(1000));
        assert_eq!(admitted(&mut counters, 990..1000).len(), 10);
        // As soon as the weight of the previous window makes room for one.
        let after = admitted(&mut counters, (1..=9).map(|i| 1000 + 100 * i + 1));
        assert_eq!(after.len(), 9, "{after:?}");
    }

    #[test]
    fn a_refusal_blocks_until_the_window_ends() {
        let mut counters = TwoCounters::new(10, Millis::new(1000));
        assert_eq!(admitted(&mut counters, 100..110).len(), 10);
        assert_eq!(counters.decide(110), Retry::After(Millis::new(890)));
        assert_eq!(counters.decide(1000), Retry::After(Millis::new(1)), "still blocked at the end itself");
        // One admission would fit 100 ms into the next window, but the refusal before blocks it all.
        assert_eq!(counters.decide(1001), Retry::Now);
        assert_eq!(counters.decide(1002), Retry::After(Millis::new(998)));
        assert_eq!(counters.decide(1999), Retry::After(Millis::new(1)));
    }

    #[test]
    fn steady_overload_gets_far_less_than_the_quota() {
        let mut counters = TwoCounters::new(100, Millis::new(10_000));
        let admitted = admitted(&mut counters, (0..100_000).step_by(50)).len();
        assert!(admitted < 700, "{admitted} of 1000");
    }
}
