//! A limit: a name, a quota and an algorithm.

use super::by::By;
use super::invalid::{InvalidLimit, MAX_INTEGER};
use super::name::LimitName;
use super::parameters::{Algorithm, Window};
use super::rate::Rate;
use crate::time::Millis;

/// A limit: a quota of units, enforced by an algorithm. Every `Limit` value is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    name: LimitName,
    quota: u64,
    algorithm: Algorithm,
    /// Whether every request counts as one unit, whatever its cost.
    counts_requests: bool,
    /// What it counts by, if not by the caller alone.
    by: Option<By>,
}

impl Limit {
    /// Creates a sliding-window log: never more than `quota` units in any `window`.
    ///
    /// # Errors
    /// Fails if a number is out of bounds. The error names the field.
    pub fn sliding_log(name: LimitName, quota: u64, window: Millis) -> Result<Self, InvalidLimit> {
        quota_within_bounds(quota)?;
        span_within_bounds("window", window)?;
        Ok(Limit::new(name, quota, Algorithm::SlidingLog { window }))
    }

    /// Creates a sliding-window counter: about `quota` units in any `window`, never more than twice that.
    ///
    /// The quota times the window must be below 2^53, because the script weights units by milliseconds.
    ///
    /// # Errors
    /// Fails if a number is out of bounds. The error names the field.
    pub fn sliding_window(name: LimitName, quota: u64, window: Millis) -> Result<Self, InvalidLimit> {
        quota_within_bounds(quota)?;
        span_within_bounds("window", window)?;
        let weight = u128::from(quota) * u128::from(window.get());
        if weight > u128::from(MAX_INTEGER) {
            let problem = format!(
                "{quota} units times {window} are {weight}, more than 2^53 \
                 (choose a smaller limit, a shorter window, or another algorithm)"
            );
            return Err(InvalidLimit::new("limit", problem));
        }
        Ok(Limit::new(name, quota, Algorithm::SlidingWindow { window }))
    }

    /// Creates a fixed-window limit: `quota` units in each window.
    ///
    /// # Errors
    /// Fails if a number is out of bounds. The error names the field.
    pub fn fixed_window(name: LimitName, quota: u64, window: Window) -> Result<Self, InvalidLimit> {
        quota_within_bounds(quota)?;
        if let Window::Span(span) = window {
            span_within_bounds("window", span)?;
        }
        Ok(Limit::new(name, quota, Algorithm::FixedWindow { window }))
    }

    /// Creates a usage meter: a fixed window that no request can exhaust, with a window of any length and a
    /// name that no configured limit can have. See [`crate::limit::usage`].
    pub(crate) fn meter(name: &'static str, window: Millis) -> Self {
        let algorithm = Algorithm::FixedWindow { window: Window::Span(window) };
        Limit::new(LimitName(name.to_owned()), MAX_INTEGER, algorithm)
    }

    /// Creates a token bucket: refills at `quota` units per `window`, and holds at most `burst` units (default:
    /// `quota`).
    ///
    /// The script stores fractions of a unit so that nothing is rounded. A unit has
    /// `window / gcd(quota, window)` of them, and a full bucket must have fewer than 2^53.
    ///
    /// # Errors
    /// Fails if a number is out of bounds. The error names the field.
    pub fn token_bucket(name: LimitName, quota: u64, window: Millis, burst: Option<u64>) -> Result<Self, InvalidLimit> {
        quota_within_bounds(quota)?;
        span_within_bounds("window", window)?;
        let field = if burst.is_some() { "burst" } else { "limit" };
        let burst = burst.unwrap_or(quota);
        if !(1..=MAX_INTEGER).contains(&burst) {
            return Err(InvalidLimit::new("burst", format!("expected 1 to {MAX_INTEGER}, found {burst}")));
        }
        let rate = Rate::new(quota, window, burst, MAX_WINDOW).map_err(|problem| InvalidLimit::new(field, problem))?;
        Ok(Limit::new(name, quota, Algorithm::TokenBucket { window, burst, rate }))
    }

    /// Creates a concurrency limit: at most `quota` requests in flight, each for at most `lease`.
    ///
    /// # Errors
    /// Fails if a number is out of bounds. The error names the field.
    pub fn concurrency(name: LimitName, quota: u64, lease: Millis) -> Result<Self, InvalidLimit> {
        quota_within_bounds(quota)?;
        span_within_bounds("lease", lease)?;
        Ok(Limit::new(name, quota, Algorithm::Concurrency { lease }))
    }

    /// Returns this limit with another quota. Name, algorithm and window stay, so the limit keeps its state.
    ///
    /// Without `burst`, a token bucket keeps its burst, unless that equals its quota (the default): then the
    /// burst becomes the new quota.
    ///
    /// # Errors
    /// Fails if a number is out of bounds, or if `burst` is given for another algorithm. The error names the
    /// field.
    pub fn with_quota(&self, quota: u64, burst: Option<u64>) -> Result<Self, InvalidLimit> {
        let name = self.name.clone();
        let (counts_requests, by) = (self.counts_requests, self.by.clone());
        let changed = match self.algorithm {
            Algorithm::TokenBucket { window, burst: old, .. } => {
                let kept_burst = if old == self.quota { None } else { Some(old) };
                Limit::token_bucket(name, quota, window, burst.or(kept_burst))
            }
            _ if burst.is_some() => {
                let problem = format!("a {} has none (a token_bucket has)", self.algorithm.name());
                Err(InvalidLimit::new("burst", problem))
            }
            Algorithm::SlidingLog { window } => Limit::sliding_log(name, quota, window),
            Algorithm::SlidingWindow { window } => Limit::sliding_window(name, quota, window),
            Algorithm::FixedWindow { window } => Limit::fixed_window(name, quota, window),
            Algorithm::Concurrency { lease } => Limit::concurrency(name, quota, lease),
        };
        changed.map(|limit| Limit { counts_requests, by, ..limit })
    }

    /// Returns this limit, counting every request as one unit, whatever its cost.
    #[must_use]
    pub fn counting_requests(self) -> Self {
        Limit { counts_requests: true, ..self }
    }

    /// Returns whether every request counts as one unit, whatever its cost.
    #[must_use]
    pub fn counts_requests(&self) -> bool {
        self.counts_requests
    }

    /// Returns the units that this limit charges for a request of this cost; 0 for a cost of 0.
    #[must_use]
    pub fn charge_for(&self, cost: u64) -> u64 {
        if self.counts_requests { cost.min(1) } else { cost }
    }

    /// Returns this limit, with one quota for each value of `by`.
    #[must_use]
    pub fn counting_by(self, by: By) -> Self {
        Limit { by: Some(by), ..self }
    }

    /// Returns what this limit counts by, if not by the caller alone.
    #[must_use]
    pub fn by(&self) -> Option<&By> {
        self.by.as_ref()
    }

    fn new(name: LimitName, quota: u64, algorithm: Algorithm) -> Self {
        Limit { name, quota, algorithm, counts_requests: false, by: None }
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &LimitName {
        &self.name
    }

    /// Returns the units allowed per window; for concurrency, the requests allowed in flight.
    #[must_use]
    pub fn quota(&self) -> u64 {
        self.quota
    }

    /// Returns the length of the window. Months differ in length and concurrency has no window: `None`.
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

    /// Returns the algorithm with its parameters.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the largest cost that this limit can ever admit, in units. Concurrency admits any cost: it
    /// counts requests.
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

    /// Returns whether a request needs a lease at this limit.
    #[must_use]
    pub fn needs_lease(&self) -> bool {
        matches!(self.algorithm, Algorithm::Concurrency { .. })
    }

    /// Returns whether this limit can use the state of `other`: name, algorithm and what they count by are the same, and the
    /// window unless the state is in a sorted set.
    #[must_use]
    pub fn keeps_state_of(&self, other: &Limit) -> bool {
        self.name == other.name && self.by == other.by && self.algorithm.keeps_state_of(other.algorithm)
    }
}

fn quota_within_bounds(quota: u64) -> Result<(), InvalidLimit> {
    if !(1..=MAX_INTEGER).contains(&quota) {
        return Err(InvalidLimit::new("limit", format!("expected 1 to {MAX_INTEGER}, found {quota}")));
    }
    Ok(())
}

fn span_within_bounds(field: &'static str, span: Millis) -> Result<(), InvalidLimit> {
    if !(Millis::new(1)..=MAX_WINDOW).contains(&span) {
        return Err(InvalidLimit::new(field, format!("expected 1ms to {MAX_WINDOW}, found {span}")));
    }
    Ok(())
}

/// Ten years: a longer window or refill is a wrong unit.
const MAX_WINDOW: Millis = Millis::from_secs(3650 * 86_400);

#[cfg(test)]
mod tests;
