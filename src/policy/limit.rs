//! One limit and how it counts.

use super::{LimitName, MAX_INTEGER, PolicyError};
use crate::time::Millis;

/// One limit: so many units, by an algorithm that says what this means exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    name: LimitName,
    quota: u64,
    algorithm: Algorithm,
}

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

/// How fast a token bucket refills, in fractions of a unit so small that nothing is ever rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Fractions that come back a millisecond.
    pub refill: u64,
    /// Fractions that make one unit.
    pub fractions: u64,
}

impl Limit {
    /// A sliding-window log: never more than `quota` units in any `window`.
    ///
    /// # Errors
    /// When a number is outside its bounds; the error names the field.
    pub fn sliding_log(name: LimitName, quota: u64, window: Millis) -> Result<Self, PolicyError> {
        quota_within_bounds(quota)?;
        span_within_bounds("window", window)?;
        Ok(Limit { name, quota, algorithm: Algorithm::SlidingLog { window } })
    }

    /// A sliding-window counter: about `quota` units in any `window`, and never more than twice that.
    ///
    /// The script weighs units by milliseconds, and the quota times the window must not pass 2^53.
    ///
    /// # Errors
    /// When a number is outside its bounds; the error names the field.
    pub fn sliding_window(name: LimitName, quota: u64, window: Millis) -> Result<Self, PolicyError> {
        quota_within_bounds(quota)?;
        span_within_bounds("window", window)?;
        let weighed = u128::from(quota) * u128::from(window.get());
        if weighed > u128::from(MAX_INTEGER) {
            let problem = format!(
                "{quota} units times {window} are {weighed}, more than 2^53 \
                 (choose a smaller limit, a shorter window, or another algorithm)"
            );
            return Err(PolicyError::new("limit", problem));
        }
        Ok(Limit { name, quota, algorithm: Algorithm::SlidingWindow { window } })
    }

    /// A fixed window: `quota` units in each of its windows.
    ///
    /// # Errors
    /// When a number is outside its bounds; the error names the field.
    pub fn fixed_window(name: LimitName, quota: u64, window: Window) -> Result<Self, PolicyError> {
        quota_within_bounds(quota)?;
        if let Window::Span(span) = window {
            span_within_bounds("window", span)?;
        }
        Ok(Limit { name, quota, algorithm: Algorithm::FixedWindow { window } })
    }

    /// A token bucket: refills at `quota` units a `window`, holds `burst` at most (the quota by default).
    ///
    /// The script keeps the level in fractions of a unit so that nothing is rounded: a unit has
    /// `window / gcd(quota, window)` of them, and a full bucket must not pass 2^53 of them.
    ///
    /// # Errors
    /// When a number is outside its bounds; the error names the field.
    pub fn token_bucket(name: LimitName, quota: u64, window: Millis, burst: Option<u64>) -> Result<Self, PolicyError> {
        quota_within_bounds(quota)?;
        span_within_bounds("window", window)?;
        let field = if burst.is_some() { "burst" } else { "limit" };
        let burst = burst.unwrap_or(quota);
        if !(1..=MAX_INTEGER).contains(&burst) {
            return Err(PolicyError::new("burst", format!("expected 1 to {MAX_INTEGER}, found {burst}")));
        }
        let divisor = gcd(quota, window.get());
        let rate = Rate { refill: quota / divisor, fractions: window.get() / divisor };
        let capacity = u128::from(burst) * u128::from(rate.fractions);
        if capacity > u128::from(MAX_INTEGER) {
            let problem = format!(
                "{burst} units refilled at {quota} per {window} need {capacity} steps, more than 2^53 \
                 (choose a limit and a window with a larger common divisor, or smaller numbers)"
            );
            return Err(PolicyError::new(field, problem));
        }
        if capacity.div_ceil(u128::from(rate.refill)) > u128::from(MAX_WINDOW.get()) {
            let problem = format!("refilling {burst} units at {quota} per {window} takes longer than {MAX_WINDOW}");
            return Err(PolicyError::new(field, problem));
        }
        Ok(Limit { name, quota, algorithm: Algorithm::TokenBucket { window, burst, rate } })
    }

    /// A limit of concurrency: at most `quota` requests in flight, each for `lease` at most.
    ///
    /// # Errors
    /// When a number is outside its bounds; the error names the field.
    pub fn concurrency(name: LimitName, quota: u64, lease: Millis) -> Result<Self, PolicyError> {
        quota_within_bounds(quota)?;
        span_within_bounds("lease", lease)?;
        Ok(Limit { name, quota, algorithm: Algorithm::Concurrency { lease } })
    }

    /// The limit's name.
    #[must_use]
    pub fn name(&self) -> &LimitName {
        &self.name
    }

    /// The units that a window allows; of a limit of concurrency, the requests in flight.
    #[must_use]
    pub fn quota(&self) -> u64 {
        self.quota
    }

    /// The window's length. A month has none that is always the same, and concurrency has no window.
    #[must_use]
    pub fn window(&self) -> Option<Millis> {
        match self.algorithm {
            Algorithm::SlidingLog { window }
            | Algorithm::SlidingWindow { window }
            | Algorithm::FixedWindow { window: Window::Span(window) }
            | Algorithm::TokenBucket { window, .. } => Some(window),
            Algorithm::FixedWindow { window: Window::Month } | Algorithm::Concurrency { .. } => None,
        }
    }

    /// How it counts.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The largest cost that this limit can ever admit at once, in units. Concurrency admits any: it counts requests.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        match self.algorithm {
            Algorithm::SlidingLog { .. } | Algorithm::SlidingWindow { .. } | Algorithm::FixedWindow { .. } => {
                self.quota
            }
            Algorithm::TokenBucket { burst, .. } => burst,
            Algorithm::Concurrency { .. } => MAX_INTEGER,
        }
    }

    /// Whether a request needs a lease id here.
    #[must_use]
    pub fn needs_lease(&self) -> bool {
        matches!(self.algorithm, Algorithm::Concurrency { .. })
    }

    /// Whether a plan that has `other` in place of this limit goes on with this limit's state: the name is the
    /// same, and the algorithm, and what its state is counted in. What has a sorted set goes on whatever its window.
    #[must_use]
    pub fn keeps_state_of(&self, other: &Limit) -> bool {
        self.name == other.name
            && match (self.algorithm, other.algorithm) {
                (Algorithm::SlidingLog { .. }, Algorithm::SlidingLog { .. })
                | (Algorithm::Concurrency { .. }, Algorithm::Concurrency { .. }) => true,
                (Algorithm::SlidingWindow { window }, Algorithm::SlidingWindow { window: other })
                | (Algorithm::TokenBucket { window, .. }, Algorithm::TokenBucket { window: other, .. }) => {
                    window == other
                }
                (Algorithm::FixedWindow { window }, Algorithm::FixedWindow { window: other }) => window == other,
                _ => false,
            }
    }
}

fn quota_within_bounds(quota: u64) -> Result<(), PolicyError> {
    if !(1..=MAX_INTEGER).contains(&quota) {
        return Err(PolicyError::new("limit", format!("expected 1 to {MAX_INTEGER}, found {quota}")));
    }
    Ok(())
}

fn span_within_bounds(field: &'static str, span: Millis) -> Result<(), PolicyError> {
    if !(Millis::new(1)..=MAX_WINDOW).contains(&span) {
        return Err(PolicyError::new(field, format!("expected 1ms to {MAX_WINDOW}, found {span}")));
    }
    Ok(())
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Ten years: a limit that looks back or refills longer is a mistake in a unit.
const MAX_WINDOW: Millis = Millis::from_secs(3650 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> LimitName {
        LimitName::new(text).unwrap()
    }

    fn bucket(quota: u64, window_ms: u64, burst: Option<u64>) -> Result<Limit, &'static str> {
        Limit::token_bucket(name("b"), quota, Millis::new(window_ms), burst).map_err(|error| error.field)
    }

    #[test]
    fn numbers_have_bounds() {
        assert_eq!(bucket(0, 1000, None), Err("limit"));
        assert_eq!(bucket(MAX_INTEGER + 1, 1000, None), Err("limit"));
        assert_eq!(bucket(1, 0, None), Err("window"));
        assert_eq!(bucket(1, 3651 * 86_400_000, None), Err("window"));
        assert_eq!(bucket(1, 1000, Some(0)), Err("burst"));
        assert_eq!(bucket(1, 1000, Some(MAX_INTEGER + 1)), Err("burst"));
        assert!(Limit::sliding_log(name("l"), MAX_INTEGER, Millis::new(1)).is_ok());
    }

    #[test]
    fn a_bucket_whose_fractions_pass_2_53_is_refused() {
        // The divisor of 10^9 and a day in milliseconds is large: a unit has only 54 fractions.
        assert!(bucket(1_000_000_000, 86_400_000, None).is_ok());
        assert_eq!(bucket(1_000_000_007, 86_400_000, None), Err("limit"));
        assert!(bucket(9_007_199_254_739, 1000, None).is_ok());
        assert_eq!(bucket(9_007_199_254_741, 1000, None), Err("limit"));
        assert_eq!(bucket(9_007_199_254_739, 1000, Some(9_007_199_254_741)), Err("burst"));
    }

    #[test]
    fn a_bucket_that_needs_centuries_is_refused() {
        assert_eq!(bucket(1, 86_400_000, Some(4000)), Err("burst"));
    }

    #[test]
    fn a_buckets_rate_is_in_lowest_terms() {
        for (quota, window, refill, fractions) in [(20, 10_000, 1, 500), (7, 1000, 7, 1000), (6000, 1000, 6, 1)] {
            let limit = Limit::token_bucket(name("b"), quota, Millis::new(window), None).unwrap();
            let Algorithm::TokenBucket { rate, .. } = limit.algorithm() else { panic!("{limit:?}") };
            assert_eq!(rate, Rate { refill, fractions }, "{quota} per {window}");
        }
    }

    #[test]
    fn a_sliding_window_whose_weights_pass_2_53_is_refused() {
        let sliding = |quota, window| Limit::sliding_window(name("s"), quota, Millis::new(window));
        // 2^53 - 1 = 6361 * 69431 * 20394401.
        assert!(sliding(69_431 * 20_394_401, 6361).is_ok());
        assert!(sliding(MAX_INTEGER, 1).is_ok());
        let error = sliding(1 << 40, 1 << 13).unwrap_err();
        assert_eq!(
            error.to_string(),
            "limit: 1099511627776 units times 8192ms are 9007199254740992, more than 2^53 \
             (choose a smaller limit, a shorter window, or another algorithm)"
        );
    }

    #[test]
    fn every_algorithm_has_the_same_bounds() {
        let (zero, ten_years) = (Millis::ZERO, Millis::new(3650 * 86_400_000));
        let over = Millis::new(ten_years.get() + 1);
        let field = |result: Result<Limit, PolicyError>| result.map_err(|error| error.field);
        for span in [zero, over] {
            assert_eq!(field(Limit::sliding_log(name("l"), 1, span)), Err("window"));
            assert_eq!(field(Limit::sliding_window(name("l"), 1, span)), Err("window"));
            assert_eq!(field(Limit::fixed_window(name("l"), 1, Window::Span(span))), Err("window"));
            assert_eq!(field(Limit::concurrency(name("l"), 1, span)), Err("lease"));
        }
        for quota in [0, MAX_INTEGER + 1] {
            assert_eq!(field(Limit::fixed_window(name("l"), quota, Window::Month)), Err("limit"));
            assert_eq!(field(Limit::sliding_window(name("l"), quota, Millis::new(1))), Err("limit"));
            assert_eq!(field(Limit::concurrency(name("l"), quota, ten_years)), Err("limit"));
        }
        assert!(Limit::fixed_window(name("l"), MAX_INTEGER, Window::Month).is_ok());
        assert!(Limit::concurrency(name("l"), MAX_INTEGER, ten_years).is_ok());
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
