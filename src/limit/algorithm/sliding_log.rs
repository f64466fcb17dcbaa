//! Never more than the quota in any window.

use std::collections::VecDeque;

use super::arithmetic::wait_of;
use crate::limit::verdict::Retry;

/// Every admitted request with its time and cost, the oldest first.
#[derive(Debug, Clone)]
pub struct SlidingLog {
    quota: u64,
    window: u64,
    entries: VecDeque<Entry>,
    most: usize,
}

/// One admitted request, or several that are taken as one at the time of the last.
#[derive(Debug, Clone, Copy)]
struct Entry {
    time: u64,
    /// How many units were admitted before it, modulo 2^64. Units between two entries are the difference of their
    /// numbers: exact, because the entries of a log never hold more than the largest quota, below 2^53.
    before: u64,
    cost: u64,
}

impl Entry {
    fn after(&self) -> u64 {
        self.before.wrapping_add(self.cost)
    }
}

impl SlidingLog {
    /// An empty log of `window` milliseconds.
    #[must_use]
    pub fn new(quota: u64, window: u64) -> Self {
        SlidingLog { quota, window, entries: VecDeque::new(), most: usize::MAX }
    }

    /// Goes on with another quota and window.
    pub fn change(&mut self, quota: u64, window: u64) {
        (self.quota, self.window) = (quota, window);
    }

    /// The time of the newest entry; 0 if there is none.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.entries.back().map_or(0, |entry| entry.time)
    }

    /// How many entries there are, counted or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Holds the log to this many entries, 1 at least: from now on the oldest ones are taken as one that came when
    /// the last of them did. So units stay counted longer than they must, never shorter.
    pub fn bound(&mut self, most: usize) {
        self.most = most.max(1);
        self.merge();
    }

    /// How long a request of `cost` units must wait.
    #[must_use]
    pub fn wait(&self, cost: u64, now: u64) -> Retry {
        if cost > self.quota {
            return Retry::Never;
        }
        let first = self.first(now);
        let over = (u128::from(self.used_from(first)) + u128::from(cost)).saturating_sub(u128::from(self.quota));
        if over == 0 {
            return Retry::Now;
        }
        // The request fits when the entry that holds the `over`-th unit is no longer counted.
        let start = self.entries.get(first).map_or(0, |entry| entry.before);
        let holder = self.entries.partition_point(|entry| {
            entry.time.saturating_add(self.window) <= now || u128::from(entry.after().wrapping_sub(start)) < over
        });
        wait_of(u128::from(self.entries.get(holder).map_or(0, |entry| self.counted_for(entry, now))))
    }

    /// Takes `cost` units at `now`, and forgets what is no longer counted.
    pub fn charge(&mut self, cost: u64, now: u64) {
        let first = self.first(now);
        self.entries.drain(..first);
        let before = self.entries.back().map_or(0, Entry::after);
        self.entries.push_back(Entry { time: now.max(self.newest()), before, cost });
        self.merge();
    }

    /// The units that the window has room for.
    #[must_use]
    pub fn remaining(&self, now: u64) -> u64 {
        self.quota.saturating_sub(self.used_from(self.first(now)))
    }

    /// Milliseconds until nothing is counted any more.
    #[must_use]
    pub fn full_in(&self, now: u64) -> u64 {
        self.entries.back().map_or(0, |entry| self.counted_for(entry, now))
    }

    /// The index of the first entry that is counted: one of a time after `now - window`.
    fn first(&self, now: u64) -> usize {
        self.entries.partition_point(|entry| entry.time.saturating_add(self.window) <= now)
    }

    fn used_from(&self, first: usize) -> u64 {
        match (self.entries.get(first), self.entries.back()) {
            (Some(first), Some(last)) => last.after().wrapping_sub(first.before),
            _ => 0,
        }
    }

    /// Milliseconds for which an entry is still counted.
    fn counted_for(&self, entry: &Entry, now: u64) -> u64 {
        entry.time.saturating_add(self.window).saturating_sub(now)
    }

    fn merge(&mut self) {
        while self.entries.len() > self.most {
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
        assert_eq!(log.len(), 3, "what is outside the window is gone");
    }

    #[test]
    fn a_changed_quota_or_window_holds_at_once() {
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
    fn units_are_numbered_around_2_64() {
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
    fn a_bounded_log_never_admits_more_than_a_whole_one() {
        let (mut whole, mut bounded) = (SlidingLog::new(10, 1000), SlidingLog::new(10, 1000));
        bounded.bound(3);
        for i in 0..10 {
            for log in [&mut whole, &mut bounded] {
                log.charge(1, 5000 + 10 * i);
            }
        }
        assert_eq!((bounded.len(), whole.len()), (3, 10));
        for now in [5090, 6000, 6050, 6070, 6080, 6090] {
            assert!(bounded.remaining(now) <= whole.remaining(now), "{now}");
            for cost in 1..=10 {
                let wait = |log: &SlidingLog| match log.wait(cost, now) {
                    Retry::After(wait) => wait.get(),
                    _ => 0,
                };
                assert!(wait(&bounded) >= wait(&whole), "{cost} at {now}");
            }
        }
        assert_eq!(bounded.full_in(5090), whole.full_in(5090));
    }

    #[test]
    fn no_number_makes_it_panic() {
        let mut log = SlidingLog::new(u64::MAX, u64::MAX);
        log.bound(0);
        for now in [u64::MAX, 0, 5] {
            log.charge(u64::MAX, now);
            let _ = (log.wait(u64::MAX, now), log.remaining(0), log.full_in(now));
        }
    }
}
