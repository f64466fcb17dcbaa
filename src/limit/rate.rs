//! The refill rate of a token bucket.

use super::invalid::MAX_INTEGER;
use crate::time::Millis;

/// The refill rate of a token bucket, in fractions of a unit small enough that nothing is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The fractions refilled per millisecond.
    pub refill: u64,
    /// The fractions in one unit.
    pub fractions: u64,
}

impl Rate {
    /// Creates the rate of `quota` units per `window`, in lowest terms, for a bucket of `burst` units.
    ///
    /// # Errors
    /// Fails if a full bucket has 2^53 fractions or more, or needs longer than `max_refill` to refill.
    pub(super) fn new(quota: u64, window: Millis, burst: u64, max_refill: Millis) -> Result<Self, String> {
        let divisor = gcd(quota, window.get());
        let rate = Rate { refill: quota / divisor, fractions: window.get() / divisor };
        let capacity = u128::from(burst) * u128::from(rate.fractions);
        if capacity > u128::from(MAX_INTEGER) {
            return Err(format!(
                "{burst} units refilled at {quota} per {window} need {capacity} steps, more than 2^53 \
                 (choose a limit and a window with a larger common divisor, or smaller numbers)"
            ));
        }
        if capacity.div_ceil(u128::from(rate.refill)) > u128::from(max_refill.get()) {
            return Err(format!("refilling {burst} units at {quota} per {window} takes longer than {max_refill}"));
        }
        Ok(rate)
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::limit::Limit;
    use crate::limit::name::LimitName;
    use crate::limit::parameters::Algorithm;

    fn bucket(quota: u64, window_ms: u64, burst: Option<u64>) -> Result<Limit, &'static str> {
        let name = LimitName::new("b").unwrap();
        Limit::token_bucket(name, quota, Millis::new(window_ms), burst).map_err(|error| error.field)
    }

    #[test]
    fn more_than_2_53_fractions_are_rejected() {
        // 10^9 and a day in milliseconds have a large common divisor: a unit has only 54 fractions.
        assert!(bucket(1_000_000_000, 86_400_000, None).is_ok());
        assert_eq!(bucket(1_000_000_007, 86_400_000, None), Err("limit"));
        assert!(bucket(9_007_199_254_739, 1000, None).is_ok());
        assert_eq!(bucket(9_007_199_254_741, 1000, None), Err("limit"));
        assert_eq!(bucket(9_007_199_254_739, 1000, Some(9_007_199_254_741)), Err("burst"));
    }

    #[test]
    fn a_refill_longer_than_ten_years_is_rejected() {
        assert_eq!(bucket(1, 86_400_000, Some(4000)), Err("burst"));
    }

    #[test]
    fn rates_are_in_lowest_terms() {
        for (quota, window, refill, fractions) in [(20, 10_000, 1, 500), (7, 1000, 7, 1000), (6000, 1000, 6, 1)] {
            let limit = bucket(quota, window, None).unwrap();
            let Algorithm::TokenBucket { rate, .. } = limit.algorithm() else { panic!("{limit:?}") };
            assert_eq!(rate, Rate { refill, fractions }, "{quota} per {window}");
        }
    }
}
