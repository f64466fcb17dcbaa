//! The periods in which something was made to fail.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Why an answer may differ from that of a healthy system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Redis, or the way to it, fails, or the Worker has not noticed yet that it is back.
    Redis,
    /// The origin is down.
    Origin,
    /// Redis has lost the tenants.
    Tenants,
    /// The scripts are gone, which no client notices.
    Scripts,
    /// This machine is so busy that a healthy Redis may look late.
    Machine,
}

/// The periods so far.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    periods: Mutex<Vec<Period>>,
}

#[derive(Debug)]
struct Period {
    cause: Cause,
    name: &'static str,
    start: Instant,
    end: Option<Instant>,
}

impl Timeline {
    /// Begins a period that [`Timeline::end`] ends.
    pub(crate) fn begin(&self, cause: Cause, name: &'static str, now: Instant) {
        self.lock().push(Period { cause, name, start: now, end: None });
    }

    /// Ends the period of this cause.
    pub(crate) fn end(&self, cause: Cause, now: Instant) {
        if let Some(period) = self.lock().iter_mut().rfind(|period| period.cause == cause) {
            period.end = Some(now);
        }
    }

    /// Adds a period. Overlapping periods of one cause are one.
    pub(crate) fn add(&self, cause: Cause, start: Instant, end: Instant) {
        let mut periods = self.lock();
        match periods.iter_mut().rfind(|period| period.cause == cause) {
            Some(last) if last.end.is_none_or(|end| end >= start) => last.end = Some(end),
            _ => periods.push(Period { cause, name: "a slow machine", start, end: Some(end) }),
        }
    }

    /// Returns whether a period of this cause overlaps the time from `start` to `end`.
    pub(crate) fn has(&self, cause: Cause, start: Instant, end: Instant) -> bool {
        let overlaps = |period: &Period| period.start <= end && period.end.is_none_or(|ended| ended >= start);
        self.lock().iter().rev().any(|period| period.cause == cause && overlaps(period))
    }

    /// Returns the last period that began before `moment`: its name, and the time since its end.
    pub(crate) fn before(&self, moment: Instant) -> Option<(&'static str, Duration)> {
        let periods = self.lock();
        let last = periods.iter().filter(|period| period.start <= moment).max_by_key(|period| period.end)?;
        Some((last.name, moment.saturating_duration_since(last.end.unwrap_or(moment))))
    }

    /// Returns the number of periods of this cause and how long they were together.
    pub(crate) fn total(&self, cause: Cause, now: Instant) -> (usize, Duration) {
        let periods = self.lock();
        let lengths = periods.iter().filter(|period| period.cause == cause);
        let lengths: Vec<_> = lengths.map(|period| period.end.unwrap_or(now) - period.start).collect();
        (lengths.len(), lengths.iter().sum())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Period>> {
        // No panic can leave the list in an inconsistent state.
        self.periods.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_covers_what_overlaps_it() {
        let timeline = Timeline::default();
        let start = tokio::time::Instant::now();
        let at = |second| start + Duration::from_secs(second);
        timeline.begin(Cause::Redis, "a fault", at(1));
        assert!(timeline.has(Cause::Redis, at(0), at(1)) && !timeline.has(Cause::Redis, at(0), at(0)));
        timeline.end(Cause::Redis, at(2));
        assert!(timeline.has(Cause::Redis, at(2), at(4)) && !timeline.has(Cause::Redis, at(3), at(4)));
        assert!(!timeline.has(Cause::Origin, at(0), at(9)));
        timeline.add(Cause::Machine, at(2), at(4));
        timeline.add(Cause::Machine, at(3), at(5));
        timeline.add(Cause::Machine, at(7), at(8));
        assert_eq!(timeline.before(at(6)), Some(("a slow machine", Duration::from_secs(1))));
        assert_eq!(timeline.total(Cause::Redis, at(9)), (1, Duration::from_secs(1)));
        assert_eq!(timeline.total(Cause::Machine, at(9)), (2, Duration::from_secs(4)));
    }
}
