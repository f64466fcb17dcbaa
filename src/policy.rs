//! What may be configured: limits, plans and what an outage means. A value that exists is valid.

use std::fmt;

use crate::time::Millis;

/// The name of a limit, as it appears in headers and keys: 1 to 64 of `A-Z a-z 0-9 _ - .`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LimitName(String);

impl LimitName {
    /// Takes a name.
    ///
    /// # Errors
    /// When it is empty, too long, or has another character.
    pub fn new(name: &str) -> Result<Self, PolicyError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if (1..=64).contains(&name.len()) && name.bytes().all(allowed) {
            Ok(LimitName(name.to_owned()))
        } else {
            Err(PolicyError::new("name", format!("expected 1 to 64 of A-Z a-z 0-9 _ - . , found {name:?}")))
        }
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One limit: so many units a window, by an algorithm that says what this means exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    name: LimitName,
    quota: u64,
    window: Millis,
    algorithm: Algorithm,
}

/// How a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Exact: never more than the quota in any window. One sorted-set entry an admitted request.
    SlidingLog,
    /// Refills continuously at quota a window, holds at most `burst` units.
    TokenBucket {
        /// The most that the bucket holds, in units.
        burst: u64,
    },
}

impl Limit {
    /// A sliding-window log: never more than `quota` units in any `window`.
    ///
    /// # Errors
    /// When a number is outside its bounds; the error names the field.
    pub fn sliding_log(name: LimitName, quota: u64, window: Millis) -> Result<Self, PolicyError> {
        within_bounds(quota, window)?;
        Ok(Limit { name, quota, window, algorithm: Algorithm::SlidingLog })
    }

    /// A token bucket: refills at `quota` units a `window`, holds `burst` at most (the quota by default).
    ///
    /// The script keeps the level in fractions of a unit so that nothing is rounded: a unit has
    /// `window / gcd(quota, window)` of them, and a full bucket must not pass 2^53 of them.
    ///
    /// # Errors
    /// When a number is outside its bounds; the error names the field.
    pub fn token_bucket(name: LimitName, quota: u64, window: Millis, burst: Option<u64>) -> Result<Self, PolicyError> {
        within_bounds(quota, window)?;
        let field = if burst.is_some() { "burst" } else { "limit" };
        let burst = burst.unwrap_or(quota);
        if !(1..=MAX_INTEGER).contains(&burst) {
            return Err(PolicyError::new("burst", format!("expected 1 to {MAX_INTEGER}, found {burst}")));
        }
        let divisor = gcd(quota, window.get());
        let fractions = u128::from(burst) * u128::from(window.get() / divisor);
        if fractions > u128::from(MAX_INTEGER) {
            let problem = format!(
                "{burst} units refilled at {quota} per {window} need {fractions} steps, more than 2^53 \
                 (choose a limit and a window with a larger common divisor, or smaller numbers)"
            );
            return Err(PolicyError::new(field, problem));
        }
        let refill = fractions.div_ceil(u128::from(quota / divisor));
        if refill > u128::from(MAX_WINDOW.get()) {
            let problem = format!("refilling {burst} units at {quota} per {window} takes longer than {MAX_WINDOW}");
            return Err(PolicyError::new(field, problem));
        }
        Ok(Limit { name, quota, window, algorithm: Algorithm::TokenBucket { burst } })
    }

    /// The limit's name.
    #[must_use]
    pub fn name(&self) -> &LimitName {
        &self.name
    }

    /// The units that a window allows.
    #[must_use]
    pub fn quota(&self) -> u64 {
        self.quota
    }

    /// The window's length.
    #[must_use]
    pub fn window(&self) -> Millis {
        self.window
    }

    /// How it counts.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The largest cost that this limit can ever admit at once, in units.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        match self.algorithm {
            Algorithm::SlidingLog => self.quota,
            Algorithm::TokenBucket { burst } => burst,
        }
    }
}

/// The limits that hold together for one subject: 1 to 16, each name once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    limits: Vec<Limit>,
}

impl Plan {
    /// A plan of these limits, judged in this order.
    ///
    /// # Errors
    /// When there are none, too many, or two of the same name.
    pub fn new(limits: Vec<Limit>) -> Result<Self, PolicyError> {
        if !(1..=MAX_LIMITS).contains(&limits.len()) {
            let problem = format!("expected 1 to {MAX_LIMITS} limits, found {}", limits.len());
            return Err(PolicyError::new("limits", problem));
        }
        for (i, limit) in limits.iter().enumerate() {
            if limits.iter().take(i).any(|other| other.name == limit.name) {
                let problem = format!("two limits are named {:?}", limit.name.as_str());
                return Err(PolicyError::new("limits", problem));
            }
        }
        Ok(Plan { limits })
    }

    /// The limits, in order.
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }
}

/// What a failure of Redis means for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnOutage {
    /// Forward it unjudged, and say so in the log and in `Server-Timing`.
    Open,
    /// Refuse it with 503.
    Closed,
}

/// Whose clock judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The edge's: no further command, off by the skew between edges.
    Edge,
    /// Redis's: one more billed command a request, immune to skew.
    Redis,
}

/// A number or a name that a policy cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct PolicyError {
    /// The field of the configuration that is wrong.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl PolicyError {
    fn new(field: &'static str, problem: String) -> Self {
        PolicyError { field, problem }
    }
}

fn within_bounds(quota: u64, window: Millis) -> Result<(), PolicyError> {
    if !(1..=MAX_INTEGER).contains(&quota) {
        return Err(PolicyError::new("limit", format!("expected 1 to {MAX_INTEGER}, found {quota}")));
    }
    if !(Millis::new(1)..=MAX_WINDOW).contains(&window) {
        return Err(PolicyError::new("window", format!("expected 1ms to {MAX_WINDOW}, found {window}")));
    }
    Ok(())
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// 2^53 - 1: up to here a double, which is all that a Lua script has, holds every integer and its successor.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Ten years: a limit that looks back or refills longer is a mistake in a unit.
const MAX_WINDOW: Millis = Millis::from_secs(3650 * 86_400);

/// Enough for every plan seen, and a bound on what one script call does.
const MAX_LIMITS: usize = 16;

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
    fn names_are_plain() {
        let long = "x".repeat(65);
        for bad in ["", "a b", "a/b", "a;b", "a=b", "a,b", "é", "a{b}", long.as_str()] {
            assert!(LimitName::new(bad).is_err(), "{bad}");
        }
        assert_eq!(name("per-minute_1.5").to_string(), "per-minute_1.5");
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
    fn a_plan_has_limits_with_different_names() {
        let limit = |text: &str| Limit::sliding_log(name(text), 1, Millis::new(1)).unwrap();
        assert!(Plan::new(vec![]).is_err());
        assert!(Plan::new(vec![limit("a"), limit("b"), limit("a")]).is_err());
        assert!(Plan::new((0..17).map(|i| limit(&i.to_string())).collect()).is_err());
        assert_eq!(Plan::new(vec![limit("a"), limit("b")]).unwrap().limits().len(), 2);
    }
}
