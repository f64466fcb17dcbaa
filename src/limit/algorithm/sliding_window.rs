//! Approximates a sliding window by two counters, the older one weighted.

use super::arithmetic::{narrow, wait_of};
use crate::limit::verdict::Retry;

/// The units used in the current window and in the previous one.
///
/// The units of the previous window are assumed to have arrived evenly, so `e` milliseconds into the current
/// window a share of `(window - e) / window` of them still counts. A weight is units times milliseconds. The
/// quota times the window is at most 2^53 - 1, and so is every weight, because a counter never exceeds the
/// quota it was charged under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlidingWindow {
    quota: u64,
    window: u64,
    previous: u64,
    current: u64,
}

impl SlidingWindow {
    /// Creates a window of `window` milliseconds with nothing used.
    #[must_use]
    pub fn new(quota: u64, window: u64) -> Self {
        SlidingWindow { quota, window: window.max(1), previous: 0, current: 0 }
    }

    /// Creates a window of `window` milliseconds with the units of the current and of the previous one.
    #[must_use]
    pub fn with_units(quota: u64, window: u64, current: u64, previous: u64) -> Self {
        SlidingWindow { previous, current, ..SlidingWindow::new(quota, window) }
    }

    /// Changes the quota. Used units stay used.
    pub fn change(&mut self, quota: u64) {
        self.quota = quota;
    }

    /// Advances from one instant to a later one.
    pub fn advance(&mut self, from: u64, to: u64) {
        match (to / self.window).saturating_sub(from / self.window) {
            0 => {}
            1 => (self.previous, self.current) = (self.current, 0),
            _ => (self.previous, self.current) = (0, 0),
        }
    }

    /// Returns how long a request of `cost` units must wait.
    #[must_use]
    pub fn wait(&self, cost: u64, now: u64) -> Retry {
        let Some(room) = self.quota.checked_sub(cost) else { return Retry::Never };
        let to_end = self.until_end(now);
        let ms = match room.checked_sub(self.current) {
            Some(free) if weight(self.previous, to_end) <= weight(free, self.window) => 0,
            // Within the current window, at the latest at its end, when the previous window stops counting.
            Some(free) => u128::from(to_end) - weight(free, self.window) / u128::from(self.previous.max(1)),
            // Within the next window, when the current one has become the previous one. The current one has
            // more than `room` units, so the quotient is less than the window.
            None => {
                u128::from(to_end) + u128::from(self.window)
                    - weight(room, self.window) / u128::from(self.current.max(1))
            }
        };
        wait_of(ms)
    }

    /// Charges `cost` units.
    pub fn charge(&mut self, cost: u64) {
        self.current = self.current.saturating_add(cost);
    }

    /// Returns the largest cost that is admitted now, in units.
    #[must_use]
    pub fn remaining(&self, now: u64) -> u64 {
        let counted = weight(self.previous, self.until_end(now)).div_ceil(u128::from(self.window));
        self.quota.saturating_sub(self.current).saturating_sub(narrow(counted))
    }

    /// Returns the milliseconds until no unit counts any more.
    #[must_use]
    pub fn full_in(&self, now: u64) -> u64 {
        let to_end = self.until_end(now);
        match (self.current, self.previous) {
            (0, 0) => 0,
            (0, _) => to_end,
            _ => to_end.saturating_add(self.window),
        }
    }

    /// Returns the milliseconds until the current window ends, from 1 to the window's length.
    fn until_end(&self, now: u64) -> u64 {
        self.window - now % self.window
    }
}

fn weight(units: u64, ms: u64) -> u128 {
    u128::from(units) * u128::from(ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Millis;

    fn after(ms: u64) -> Retry {
        Retry::After(Millis::new(ms))
    }

    /// 10 units per second, 8 of them used in the window before 2000.
    fn eight_used_before() -> SlidingWindow {
        let mut sliding = SlidingWindow::new(10, 1000);
        sliding.advance(0, 1500);
        sliding.charge(8);
        sliding.advance(1500, 2000);
        sliding
    }

    #[test]
    fn the_weight_of_the_previous_window_decreases() {
        let sliding = eight_used_before();
        for (now, remaining) in [(2000, 2), (2124, 2), (2125, 3), (2500, 6), (2874, 8), (2875, 9), (2999, 9)] {
            assert_eq!(sliding.remaining(now), remaining, "{now}");
            assert_eq!(sliding.wait(remaining, now), Retry::Now, "{now}");
            assert_ne!(sliding.wait(remaining + 1, now), Retry::Now, "{now}");
        }
        // 3 units are admitted when 8 * (1000 - e) <= 7 * 1000: from e = 125 on.
        assert_eq!((sliding.wait(3, 2000), sliding.wait(3, 2124)), (after(125), after(1)));
        // All 10 are admitted when the previous window stops counting.
        assert_eq!(sliding.wait(10, 2400), after(600));
        assert_eq!(sliding.wait(11, 2400), Retry::Never);
        assert_eq!(sliding.full_in(2400), 600);
    }

    #[test]
    fn a_cost_too_large_now_waits_for_the_next_window() {
        let mut sliding = eight_used_before();
        sliding.charge(2);
        assert_eq!((sliding.remaining(2000), sliding.full_in(2000)), (0, 2000));
        // 9 units fit next to 2 when 2 * (1000 - e) <= 1 * 1000 in the next window: 500 ms into it.
        assert_eq!(sliding.wait(9, 2300), after(1200));
        assert_eq!(sliding.wait(10, 2300), after(1700));
        sliding.advance(2300, 3499);
        assert_eq!(sliding.wait(9, 3499), after(1));
        sliding.advance(3499, 3500);
        assert_eq!(sliding.wait(9, 3500), Retry::Now);
        sliding.advance(3500, 4000);
        assert_eq!(sliding.full_in(4000), 0);
    }

    #[test]
    fn nothing_counts_two_windows_later() {
        let mut sliding = eight_used_before();
        sliding.charge(2);
        sliding.advance(2000, 4000);
        assert_eq!((sliding.remaining(4000), sliding.full_in(4000)), (10, 0));
    }

    #[test]
    fn a_lowered_quota_applies_at_once() {
        let mut sliding = eight_used_before();
        sliding.change(4);
        assert_eq!(
            (sliding.remaining(2000), sliding.wait(0, 2000), sliding.wait(1, 2000)),
            (0, after(500), after(625))
        );
        sliding.charge(0);
        assert_eq!(sliding.remaining(2500), 0);
        assert_eq!(sliding.remaining(2625), 1);
    }

    #[test]
    fn the_largest_quota_is_exact() {
        let most = (1 << 53) - 1;
        let mut sliding = SlidingWindow::new(most, 1);
        sliding.charge(most - 1);
        assert_eq!((sliding.remaining(0), sliding.wait(2, 0)), (1, after(2)));
        sliding.advance(0, 1);
        assert_eq!((sliding.remaining(1), sliding.wait(2, 1)), (1, after(1)));
    }

    #[test]
    fn extreme_numbers_do_not_panic() {
        for window in [0, 1, u64::MAX] {
            let mut sliding = SlidingWindow::new(u64::MAX, window);
            sliding.advance(u64::MAX, 0);
            sliding.charge(u64::MAX);
            sliding.charge(u64::MAX);
            sliding.advance(0, 1);
            sliding.charge(u64::MAX);
            sliding.change(1);
            let _ = (sliding.wait(1, u64::MAX), sliding.full_in(u64::MAX), sliding.remaining(0));
        }
    }
}
