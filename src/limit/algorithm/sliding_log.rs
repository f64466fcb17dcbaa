//! Exact: never more than the quota in any window.

use std::collections::VecDeque;

use super::arithmetic::wait_of;
use crate::limit::verdict::Retry;

/// The time and cost of every admitted request, oldest first.
#[derive(Debug, Clone)]
pub struct SlidingLog {
    quota: u64,
    window: u64,
    entries: VecDeque<Entry>,
    max_entries: usize,
}

/// One admitted request, or several merged into one at the time of the last.
#[derive(Debug, Clone, Copy)]
struct Entry {
    time: u64,
    /// The units admitted before it, modulo 2^64. The difference between two entries is the units between them:
    /// exact, because a log never holds more units than the largest quota, which is below 2^53.
    before: u64,
    cost: u64,
}

impl Entry {
    fn after(&self) -> u64 {
        self.before.wrapping_add(self.cost)
    }
}

impl SlidingLog {
    /// Creates an empty log with a window of `window` milliseconds.
    #[must_use]
    pub fn new(quota: u64, window: u64) -> Self {
        SlidingLog { quota, window, entries: VecDeque::new(), max_entries: usize::MAX }
    }

    /// Changes the quota and the window. Entries stay.
    pub fn change(&mut self, quota: u64, window: u64) {
        (self.quota, self.window) = (quota, window);
    }

    /// Returns the time of the newest entry, or 0 if there is none.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.entries.back().map_or(0, |entry| entry.time)
    }

    /// Returns the number of entries, inside the window or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bounds the log to `max_entries`, at least 1. The oldest entries are merged into one at the time of the
    /// last of them, so units count longer than in an unbounded log, never shorter.
    pub fn bound(&mut self, max_entries: usize) {
        self.max_entries = max_entries.max(1);
        self.merge();
    }

    /// Returns how long a request of `cost` units must wait.
    #[must_use]
    pub fn wait(&self, cost: u64, now: u64) -> Retry {
        if cost > self.quota {
            return Retry::Never;
        }
        let first = self.first_counted(now);
        let excess = (u128::from(self.used_from(first)) + u128::from(cost)).saturating_sub(u128::from(self.quota));
        if excess == 0 {
            return Retry::Now;
        }
        // The request fits when the entry that holds the `excess`-th unit leaves the window.
        let start = self.entries.get(first).map_or(0, |entry| entry.before);
        let holder = self.entries.partition_point(|entry| {
            entry.time.saturating_add(self.window) <= now || u128::from(entry.after().wrapping_sub(start)) < excess
        });
        wait_of(u128::from(self.entries.get(holder).map_or(0, |entry| self.counted_for(entry, now))))
    }

    /// Charges `cost` units at `now`, and removes entries that left the window.
    pub fn charge(&mut self, cost: u64, now: u64) {
        let first = self.first_counted(now);
        self.entries.drain(..first);
        let before = self.entries.back().map_or(0, Entry::after);
        self.entries.push_back(Entry { time: now.max(self.newest()), before, cost });
        self.merge();
    }

    /// Returns the units left in the window.
    #[must_use]
    pub fn remaining(&self, now: u64) -> u64 {
        self.quota.saturating_sub(self.used_from(self.first_counted(now)))
    }

    /// Returns the milliseconds until the last entry leaves the window.
    #[must_use]
    pub fn full_in(&self, now: u64) -> u64 {
        self.entries.back().map_or(0, |entry| self.counted_for(entry, now))
    }

    /// Returns the index of the first entry in the window: the first one later than `now - window`.
    fn first_counted(&self, now: u64) -> usize {
        self.entries.partition_point(|entry| entry.time.saturating_add(self.window) <= now)
    }

    /// Returns the units of all entries from index `first`.
    fn used_from(&self, first: usize) -> u64 {
        match (self.entries.get(first), self.entries.back()) {
            (Some(first), Some(last)) => last.after().wrapping_sub(first.before),
            _ => 0,
        }
    }

    /// Returns the milliseconds until an entry leaves the window.
    fn counted_for(&self, entry: &Entry, now: u64) -> u64 {
        entry.time.saturating_add(self.window).saturating_sub(now)
    }

    /// Merges the oldest entries until at most `max_entries` are left.
    fn merge(&mut self) {
        while self.entries.len() > self.max_entries {
            let (oldest, next) = (self.entries.pop_front(), self.entries.front_mut());
            if let (Some(oldest), Some(next)) = (oldest, next) {
                next.before = oldest.before;
                next.cost = next.cost.wrapping_add(oldest.cost);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Millis;

    fn after(ms: u64) -> Retry {
        Retry::After(Millis::new(ms))
    }

    #[test]
    fn units_leave_the_window_one_entry_at_a_time() {
        let mut log = SlidingLog::new(10, 1000);
        for (cost, now) in [(4, 5000), (3, 5100), (3, 5250)] {
            assert_eq!(log.wait(cost, now), Retry::Now);
            log.charge(cost, now);
        }
        assert_eq!((log.remaining(5300), log.full_in(5300)), (0, 950));
        for (cost, wait) in [(1, 700), (4, 700), (5, 800), (7, 800), (8, 950), (10, 950)] {
            assert_eq!(log.wait(cost, 5300), after(wait), "cost {cost}");
        }
        assert_eq!((log.wait(11, 5300), log.wait(0, 5300)), (Retry::Never, Retry::Now));
        assert_eq!((log.remaining(5999), log.remaining(6000), log.remaining(6250)), (0, 4, 10));
        log.charge(4, 6000);
        assert_eq!(log.len(), 3, "entries outside the window are removed");
    }

    #[test]
    fn a_changed_quota_or_window_applies_at_once() {
        let mut log = SlidingLog::new(10, 1000);
        log.charge(6, 5000);
        log.charge(4, 5500);
        log.change(5, 1000);
        assert_eq!((log.remaining(5500), log.wait(0, 5500), log.wait(2, 5500)), (0, after(500), after(1000)));
        log.change(20, 2000);
        assert_eq!((log.remaining(6400), log.full_in(6400)), (10, 1100));
        log.change(20, 400);
        assert_eq!(log.remaining(5500), 16);
    }

    #[test]
    fn unit_numbers_wrap_around_2_64() {
        let most = (1 << 53) - 1;
        let mut log = SlidingLog::new(most, 1000);
        for i in 0..5000 {
            assert_eq!(log.wait(most, 1000 * i), Retry::Now, "{i}");
            log.charge(most, 1000 * i);
            assert_eq!(log.remaining(1000 * i), 0);
        }
        log.charge(1, 5_000_000);
        assert_eq!(log.wait(most, 5_000_500), after(500));
        assert_eq!(log.remaining(5_000_500), most - 1);
    }

    #[test]
    fn a_bounded_log_never_admits_more() {
        let (mut unbounded, mut bounded) = (SlidingLog::new(10, 1000), SlidingLog::new(10, 1000));
        bounded.bound(3);
        for i in 0..10 {
            for log in [&mut unbounded, &mut bounded] {
                log.charge(1, 5000 + 10 * i);
            }
        }
        assert_eq!((bounded.len(), unbounded.len()), (3, 10));
        for now in [5090, 6000, 6050, 6070, 6080, 6090] {
            assert!(bounded.remaining(now) <= unbounded.remaining(now), "{now}");
            for cost in 1..=10 {
                let wait = |log: &SlidingLog| match log.wait(cost, now) {
                    Retry::After(wait) => wait.get(),
                    _ => 0,
                };
                assert!(wait(&bounded) >= wait(&unbounded), "{cost} at {now}");
            }
        }
        assert_eq!(bounded.full_in(5090), unbounded.full_in(5090));
    }

    #[test]
    fn extreme_numbers_do_not_panic() {
        let mut log = SlidingLog::new(u64::MAX, u64::MAX);
        log.bound(0);
        for now in [u64::MAX, 0, 5] {
            log.charge(u64::MAX, now);
            let _ = (log.wait(u64::MAX, now), log.remaining(0), log.full_in(now));
        }
    }
}
