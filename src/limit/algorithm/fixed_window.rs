//! Restores the whole quota at the start of each window.

use super::arithmetic::wait_of;
use super::calendar;
use crate::limit::parameters::Window;
use crate::limit::verdict::Retry;

/// The units used in the current window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedWindow {
    quota: u64,
    window: Window,
    used: u64,
}

impl FixedWindow {
    /// Creates a window with nothing used.
    #[must_use]
    pub fn new(quota: u64, window: Window) -> Self {
        FixedWindow { quota, window, used: 0 }
    }

    /// Changes the quota. Used units stay used.
    pub fn change(&mut self, quota: u64) {
        self.quota = quota;
    }

    /// Advances from one instant to a later one.
    pub fn advance(&mut self, from: u64, to: u64) {
        if self.end(from) != self.end(to) {
            self.used = 0;
        }
    }

    /// Returns how long a request of `cost` units must wait.
    #[must_use]
    pub fn wait(&self, cost: u64, now: u64) -> Retry {
        if cost > self.quota {
            return Retry::Never;
        }
        let fits = self.used.saturating_add(cost) <= self.quota;
        wait_of(if fits { 0 } else { u128::from(self.until_end(now)) })
    }

    /// Charges `cost` units.
    pub fn charge(&mut self, cost: u64) {
        self.used = self.used.saturating_add(cost);
    }

    /// Returns the units left in this window.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.quota.saturating_sub(self.used)
    }

    /// Returns the milliseconds until the next window, or 0 if nothing is used in this one.
    #[must_use]
    pub fn full_in(&self, now: u64) -> u64 {
        if self.used > 0 { self.until_end(now) } else { 0 }
    }

    fn until_end(&self, now: u64) -> u64 {
        self.end(now).saturating_sub(now)
    }

    /// Returns the end of the window that contains `time`.
    fn end(&self, time: u64) -> u64 {
        match self.window {
            Window::Span(span) => (time - time % span.get().max(1)).saturating_add(span.get()),
            Window::Month => calendar::end_of_month(time),
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
    fn each_window_starts_with_the_whole_quota() {
        let mut fixed = FixedWindow::new(3, Window::Span(Millis::new(1000)));
        fixed.advance(0, 1250);
        assert_eq!((fixed.wait(3, 1250), fixed.wait(4, 1250)), (Retry::Now, Retry::Never));
        fixed.charge(2);
        assert_eq!((fixed.remaining(), fixed.full_in(1250)), (1, 750));
        assert_eq!((fixed.wait(1, 1250), fixed.wait(2, 1250)), (Retry::Now, after(750)));
        fixed.advance(1250, 1999);
        assert_eq!((fixed.wait(2, 1999), fixed.full_in(1999)), (after(1), 1));
        fixed.advance(1999, 2000);
        assert_eq!((fixed.wait(3, 2000), fixed.full_in(2000)), (Retry::Now, 0));
    }

    #[test]
    fn a_month_window_ends_with_the_month() {
        // From 2024-02-29 23:59:59.999 to 2024-03-01, UTC.
        let march = 1_709_251_200_000;
        let mut fixed = FixedWindow::new(1, Window::Month);
        fixed.advance(0, march - 1);
        fixed.charge(1);
        assert_eq!(fixed.wait(1, march - 1), after(1));
        fixed.advance(march - 1, march);
        assert_eq!(fixed.wait(1, march), Retry::Now);
        fixed.charge(1);
        assert_eq!(fixed.full_in(march), 31 * 86_400_000);
    }

    #[test]
    fn a_changed_quota_applies_at_once() {
        let mut fixed = FixedWindow::new(10, Window::Span(Millis::new(1000)));
        fixed.charge(8);
        fixed.change(5);
        assert_eq!((fixed.remaining(), fixed.wait(0, 400), fixed.wait(5, 400)), (0, after(600), after(600)));
        fixed.change(9);
        assert_eq!((fixed.remaining(), fixed.wait(1, 400)), (1, Retry::Now));
    }

    #[test]
    fn extreme_numbers_do_not_panic() {
        for window in [Window::Month, Window::Span(Millis::ZERO), Window::Span(Millis::new(u64::MAX))] {
            let mut fixed = FixedWindow::new(u64::MAX, window);
            fixed.advance(u64::MAX, 0);
            fixed.charge(u64::MAX);
            fixed.charge(u64::MAX);
            let _ = (fixed.wait(1, u64::MAX), fixed.full_in(u64::MAX), fixed.remaining());
        }
    }
}
