//! The rule by which an isolate takes units in advance.

use super::invalid::InvalidLimit;
use super::limit::Limit;
use super::parameters::{Algorithm, Window};
use super::verdict::Budget;
use crate::time::Millis;

/// How many units an isolate may take from Redis in advance, and for how long it may hold them.
///
/// A unit passes at most `hold` after it was charged. So a rule does not fit a limit that promises exactness at any
/// instant: a sliding log, or a concurrency limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrefetchRule {
    /// The most units that an isolate holds for one subject.
    units: u64,
    /// How long it holds a unit at most. What is left then is given back.
    hold: Millis,
}

impl PrefetchRule {
    /// Creates a rule.
    ///
    /// # Errors
    /// Fails if a number is out of bounds. The error names the field.
    pub fn new(units: u64, hold: Millis) -> Result<Self, InvalidLimit> {
        if !(1..=MAX_UNITS).contains(&units) {
            return Err(InvalidLimit::new("prefetch.units", format!("expected 1 to {MAX_UNITS}, found {units}")));
        }
        if !(MIN_HOLD..=MAX_HOLD).contains(&hold) {
            return Err(InvalidLimit::new("prefetch.hold", format!("expected {MIN_HOLD} to {MAX_HOLD}, found {hold}")));
        }
        Ok(PrefetchRule { units, hold })
    }

    /// Returns the most units that an isolate holds for one subject.
    #[must_use]
    pub fn units(self) -> u64 {
        self.units
    }

    /// Returns how long an isolate holds a unit at most.
    #[must_use]
    pub fn hold(self) -> Millis {
        self.hold
    }

    /// Checks that units of all these limits may be taken in advance.
    ///
    /// # Errors
    /// Fails if a limit is a sliding log or a concurrency limit, if it does not count by the caller alone, or if its
    /// window is shorter than ten holds.
    pub fn check_fit(self, limits: &[Limit]) -> Result<(), InvalidLimit> {
        for limit in limits {
            let name = limit.name().as_str();
            if let Some(by) = limit.by() {
                let problem = format!(
                    "the limit {name:?} counts by {by}, and units are taken in advance for the caller only (remove \
                     prefetch, or move the limit to a route)"
                );
                return Err(InvalidLimit::new("prefetch", problem));
            }
            let Some(window) = window(limit.algorithm()) else {
                let algorithm = limit.algorithm().name();
                let problem = format!(
                    "the limit {name:?} is a {algorithm}, which is exact at any instant (remove prefetch, or choose another \
                     algorithm)"
                );
                return Err(InvalidLimit::new("prefetch", problem));
            };
            let longest = longest_hold(window);
            if self.hold > longest {
                let problem = format!(
                    "expected at most {longest}, a tenth of the window of the limit {name:?}, found {}",
                    self.hold
                );
                return Err(InvalidLimit::new("prefetch.hold", problem));
            }
        }
        Ok(())
    }

    /// Returns whether units of all these limits may be taken in advance, as [`PrefetchRule::check_fit`] does.
    #[must_use]
    pub fn fits(self, limits: &[Limit]) -> bool {
        let fits = |limit: &Limit| {
            limit.by().is_none() && window(limit.algorithm()).is_some_and(|window| self.hold <= longest_hold(window))
        };
        limits.iter().all(fits)
    }

    /// Returns whether units of a limit may be taken in advance when this time has passed since Redis reported its budget.
    /// Just before a fixed window ends they may not: they could pass, or be given back, in the next one.
    #[must_use]
    pub fn may_take(self, budget: &Budget, passed: Millis) -> bool {
        let ends = matches!(budget.limit.algorithm(), Algorithm::FixedWindow { .. });
        let left = budget.reset.get().saturating_sub(passed.get());
        !ends || left > self.hold.get().saturating_mul(HOLDS_BEFORE_END)
    }
}

/// Returns the window of an algorithm that allows prefetch.
fn window(algorithm: Algorithm) -> Option<Millis> {
    match algorithm {
        Algorithm::FixedWindow { window: Window::Month } => Some(SHORTEST_MONTH),
        Algorithm::FixedWindow { window: Window::Span(window) }
        | Algorithm::SlidingWindow { window }
        | Algorithm::TokenBucket { window, .. } => Some(window),
        Algorithm::SlidingLog { .. } | Algorithm::Concurrency { .. } => None,
    }
}

/// Returns the longest hold for a window.
fn longest_hold(window: Millis) -> Millis {
    Millis::new(window.get() / HOLDS_PER_WINDOW)
}

/// Far above the requests of any isolate in [`MAX_HOLD`].
const MAX_UNITS: u64 = 1_000_000;

const MIN_HOLD: Millis = Millis::new(1);

/// Well within the 30 seconds that a Worker has after its response, in which it gives back what is left.
const MAX_HOLD: Millis = Millis::from_secs(10);

/// A unit passes late by at most this part of its window.
const HOLDS_PER_WINDOW: u64 = 10;

/// One hold for the units to pass, and one to give back the rest.
const HOLDS_BEFORE_END: u64 = 2;

const SHORTEST_MONTH: Millis = Millis::new(28 * Millis::DAY.get());

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::{By, LimitName, Retry};

    fn name() -> LimitName {
        LimitName::new("burst").unwrap()
    }

    fn rule(hold: u64) -> PrefetchRule {
        PrefetchRule::new(50, Millis::new(hold)).unwrap()
    }

    #[test]
    fn numbers_are_bounded() {
        for (units, hold, expected) in [
            (0, 500, "prefetch.units: expected 1 to 1000000, found 0"),
            (1_000_001, 500, "prefetch.units: expected 1 to 1000000, found 1000001"),
            (1, 0, "prefetch.hold: expected 1ms to 10s, found 0ms"),
            (1, 10_001, "prefetch.hold: expected 1ms to 10s, found 10001ms"),
        ] {
            assert_eq!(PrefetchRule::new(units, Millis::new(hold)).unwrap_err().to_string(), expected);
        }
        assert!(PrefetchRule::new(1_000_000, Millis::from_secs(10)).is_ok());
    }

    #[test]
    fn a_rule_fits_windows_of_ten_holds() {
        let second = Millis::from_secs(1);
        let month = Limit::fixed_window(name(), 9, Window::Month).unwrap();
        let fits = [
            Limit::fixed_window(name(), 9, Window::Span(second)).unwrap(),
            Limit::sliding_window(name(), 9, second).unwrap(),
            Limit::token_bucket(name(), 9, second, None).unwrap(),
        ];
        for limit in &fits {
            let limits = std::slice::from_ref(limit);
            assert_eq!(rule(100).check_fit(limits), Ok(()));
            assert!(rule(100).fits(limits) && !rule(101).fits(limits));
            let error = rule(101).check_fit(&[month.clone(), limit.clone()]).unwrap_err();
            let expected =
                "prefetch.hold: expected at most 100ms, a tenth of the window of the limit \"burst\", found 101ms";
            assert_eq!(error.to_string(), expected);
        }
        assert_eq!(rule(10_000).check_fit(&[month]), Ok(()));
        let by = [Limit::token_bucket(name(), 9, second, None).unwrap().counting_by(By::Everyone)];
        assert!(!rule(1).fits(&by));
        let error = rule(1).check_fit(&by).unwrap_err().to_string();
        assert!(error.starts_with("prefetch: the limit \"burst\" counts by everyone, "), "{error}");
        for exact in [Limit::sliding_log(name(), 9, second), Limit::concurrency(name(), 9, second)] {
            let exact = [exact.unwrap()];
            assert!(!rule(1).fits(&exact));
            let error = rule(1).check_fit(&exact).unwrap_err();
            assert!(error.to_string().starts_with("prefetch: the limit \"burst\" is a "), "{error}");
        }
    }

    #[test]
    fn nothing_is_taken_just_before_a_fixed_window_ends() {
        let second = Millis::from_secs(1);
        let budget = |limit: Limit| Budget { limit, remaining: 9, retry: Retry::Now, reset: second };
        let fixed = budget(Limit::fixed_window(name(), 9, Window::Month).unwrap());
        let bucket = budget(Limit::token_bucket(name(), 9, second, None).unwrap());
        for (passed, may_take) in [(0, true), (799, true), (800, false), (1000, false), (1001, false)] {
            assert_eq!(rule(100).may_take(&fixed, Millis::new(passed)), may_take, "{passed}");
            assert!(rule(100).may_take(&bucket, Millis::new(passed)));
        }
    }
}
