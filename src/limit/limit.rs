//! One limit and how it counts.

use super::invalid::{InvalidLimit, MAX_INTEGER};
use super::name::LimitName;
use super::parameters::{Algorithm, Window};
use super::rate::Rate;
use crate::time::Millis;

/// One limit: so many units, by an algorithm that says what this means exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    name: LimitName,
    quota: u64,
    algorithm: Algorithm,
    /// Whether every request counts as one, whatever it costs.
    counts_requests: bool,
}

impl Limit {
    /// A sliding-window log: never more than `quota` units in any `window`.
    ///
    /// # Errors
    /// When a number is outside its bounds; the error names the field.
    pub fn sliding_log(name: LimitName, quota: u64, window: Millis) -> Result<Self, InvalidLimit> {
        quota_within_bounds(quota)?;
        span_within_bounds("window", window)?;
        Ok(Limit::new(name, quota, Algorithm::SlidingLog { window }))
    }

    /// A sliding-window counter: about `quota` units in any `window`, and never more than twice that.
    ///
    /// The script weighs units by milliseconds, and the quota times the window must not pass 2^53.
    ///
    /// # Errors
    /// When a number is outside its bounds; the error names the field.
    pub fn sliding_window(name: LimitName, quota: u64, window: Millis) -> Result<Self, InvalidLimit> {
        quota_within_bounds(quota)?;
        span_within_bounds("window", window)?;
        let weighed = u128::from(quota) * u128::from(window.get());
        if weighed > u128::from(MAX_INTEGER) {
            let problem = format!(
                "{quota} units times {window} are {weighed}, more than 2^53 \
                 (choose a smaller limit, a shorter window, or another algorithm)"
            );
            return Err(InvalidLimit::new("limit", problem));
        }
        Ok(Limit::new(name, quota, Algorithm::SlidingWindow { window }))
    }

    /// A fixed window: `quota` units in each of its windows.
    ///
    /// # Errors
    /// When a number is outside its bounds; the error names the field.
    pub fn fixed_window(name: LimitName, quota: u64, window: Window) -> Result<Self, InvalidLimit> {
        quota_within_bounds(quota)?;
        if let Window::Span(span) = window {
            span_within_bounds("window", span)?;
        }
        Ok(Limit::new(name, quota, Algorithm::FixedWindow { window }))
    }

    /// A fixed window that no request can exhaust and that may be longer than a limit's: see [`crate::limit::usage`].
    /// The name is one that no configured limit can have.
    pub(crate) fn meter(name: &'static str, window: Millis) -> Self {
        let algorithm = Algorithm::FixedWindow { window: Window::Span(window) };
        Limit::new(LimitName(name.to_owned()), MAX_INTEGER, algorithm)
    }

    /// A token bucket: refills at `quota` units a `window`, holds `burst` at most (the quota by default).
    ///
    /// The script keeps the level in fractions of a unit so that nothing is rounded: a unit has
    /// `window / gcd(quota, window)` of them, and a full bucket must not pass 2^53 of them.
    ///
    /// # Errors
    /// When a number is outside its bounds; the error names the field.
    pub fn token_bucket(name: LimitName, quota: u64, window: Millis, burst: Option<u64>) -> Result<Self, InvalidLimit> {
        quota_within_bounds(quota)?;
        span_within_bounds("window", window)?;
        let field = if burst.is_some() { "burst" } else { "limit" };
        let burst = burst.unwrap_or(quota);
        if !(1..=MAX_INTEGER).contains(&burst) {
            return Err(InvalidLimit::new("burst", format!("expected 1 to {MAX_INTEGER}, found {burst}")));
        }
        let rate = Rate::of(quota, window, burst, MAX_WINDOW).map_err(|problem| InvalidLimit::new(field, problem))?;
        Ok(Limit::new(name, quota, Algorithm::TokenBucket { window, burst, rate }))
    }

    /// A limit of concurrency: at most `quota` requests in flight, each for `lease` at most.
    ///
    /// # Errors
    /// When a number is outside its bounds; the error names the field.
    pub fn concurrency(name: LimitName, quota: u64, lease: Millis) -> Result<Self, InvalidLimit> {
        quota_within_bounds(quota)?;
        span_within_bounds("lease", lease)?;
        Ok(Limit::new(name, quota, Algorithm::Concurrency { lease }))
    }

    /// The same limit with another quota: same name, algorithm and window, so it goes on with the same state.
    ///
    /// A token bucket without a `burst` here keeps its own, unless that was its quota, as it is by default:
    /// then it is the new one.
    ///
    /// # Errors
    /// When a number is outside its bounds, or what is no token bucket gets a burst; the error names the field.
    pub fn with_quota(&self, quota: u64, burst: Option<u64>) -> Result<Self, InvalidLimit> {
        let name = self.name.clone();
        let counts_requests = self.counts_requests;
        let changed = match self.algorithm {
            Algorithm::TokenBucket { window, burst: old, .. } => {
                let own = if old == self.quota { None } else { Some(old) };
                Limit::token_bucket(name, quota, window, burst.or(own))
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
        changed.map(|limit| Limit { counts_requests, ..limit })
    }

    /// The same limit, but every request counts as one, whatever it costs.
    #[must_use]
    pub fn counting_requests(self) -> Self {
        Limit { counts_requests: true, ..self }
    }

    /// Whether every request counts as one, whatever it costs.
    #[must_use]
    pub fn counts_requests(&self) -> bool {
        self.counts_requests
    }

    /// What a request of this cost is charged here, in units: 0 for one that only looks.
    #[must_use]
    pub fn charge_for(&self, cost: u64) -> u64 {
        if self.counts_requests { cost.min(1) } else { cost }
    }

    fn new(name: LimitName, quota: u64, algorithm: Algorithm) -> Self {
        Limit { name, quota, algorithm, counts_requests: false }
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
        self.name == other.name && self.algorithm.keeps_state_of(other.algorithm)
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

/// Ten years: a limit that looks back or refills longer is a mistake in a unit.
const MAX_WINDOW: Millis = Millis::from_secs(3650 * 86_400);

#[cfg(test)]
mod tests;
