//! The recent demand of a subject.

use crate::time::Millis;

/// The requests of a subject in the last span: counted as in a sliding window, by the current span and the part of the
/// previous one that is still recent.
#[derive(Debug, Default)]
pub(super) struct Demand {
    start: Millis,
    current: Recent,
    previous: Recent,
}

/// The requests of a span, and their units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Recent {
    pub(super) requests: u64,
    pub(super) units: u64,
}

impl Demand {
    /// Counts a request of this cost at `now`, and returns what was seen in the last `span`, the request included.
    pub(super) fn count(&mut self, cost: u64, now: Millis, span: Millis) -> Recent {
        let passed = now.get().checked_sub(self.start.get());
        match passed {
            Some(passed) if passed < span.get() => {}
            Some(passed) if passed / 2 < span.get() => {
                self.previous = self.current;
                self.current = Recent::default();
                self.start = Millis::new(self.start.get() + span.get());
            }
            // Long ago, or the clock was set back.
            _ => *self = Demand { start: now, ..Demand::default() },
        }
        self.current.requests = self.current.requests.saturating_add(1);
        self.current.units = self.current.units.saturating_add(cost);
        let recent = span.get() - (now.get() - self.start.get()).min(span.get());
        let recent = |previous: u64| u128::from(previous) * u128::from(recent) / u128::from(span.get().max(1));
        let sum = |current: u64, previous| current.saturating_add(u64::try_from(recent(previous)).unwrap_or(u64::MAX));
        Recent {
            requests: sum(self.current.requests, self.previous.requests),
            units: sum(self.current.units, self.previous.units),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_span_counts() {
        let mut demand = Demand::default();
        let mut count = |cost, ms| {
            let seen = demand.count(cost, Millis::new(ms), Millis::new(100));
            (seen.requests, seen.units)
        };
        assert_eq!(count(3, 1000), (1, 3));
        assert_eq!(count(1, 1099), (2, 4));
        // Of the previous span, half is recent.
        assert_eq!(count(10, 1150), (1 + 1, 10 + 2));
        assert_eq!(count(1, 1199), (2, 11));
        // Nothing of the span before the previous one.
        assert_eq!(count(1, 1200), (2 + 1, 11 + 1));
        assert_eq!(count(1, 1400), (1, 1));
        // A clock that is set back begins again.
        assert_eq!(count(1, 900), (1, 1));
        assert_eq!(count(u64::MAX, 901), (2, u64::MAX));
    }
}
