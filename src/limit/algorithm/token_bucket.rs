//! Refills continuously, up to the burst.

use super::arithmetic::{narrow, wait_of};
use crate::limit::rate::Rate;
use crate::limit::verdict::Retry;

/// A bucket of `burst` units.
///
/// Stores the debt, the fractions missing from the full bucket, because a debt stays meaningful when the burst
/// changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBucket {
    burst: u64,
    rate: Rate,
    debt: u64,
}

impl TokenBucket {
    /// Creates a full bucket.
    #[must_use]
    pub fn new(burst: u64, rate: Rate) -> Self {
        TokenBucket { burst, rate, debt: 0 }
    }

    /// Creates a bucket with a debt, in fractions.
    #[must_use]
    pub fn with_debt(burst: u64, rate: Rate, debt: u64) -> Self {
        TokenBucket { burst, rate, debt }
    }

    /// Changes the burst and the rate. The debt is rounded up to whole units, because the size of a fraction
    /// may change, and capped at the new burst.
    pub fn change(&mut self, burst: u64, rate: Rate) {
        if (burst, rate) != (self.burst, self.rate) {
            let units = self.debt.div_ceil(self.rate.fractions.max(1)).min(burst);
            self.debt = narrow(product(units, rate.fractions));
        }
        (self.burst, self.rate) = (burst, rate);
    }

    /// Refills for `elapsed` milliseconds.
    pub fn advance(&mut self, elapsed: u64) {
        self.debt = narrow(u128::from(self.debt).saturating_sub(product(elapsed, self.rate.refill)));
    }

    /// Returns how long a request of `cost` units must wait.
    #[must_use]
    pub fn wait(&self, cost: u64) -> Retry {
        let Some(allowed_debt) = self.burst.checked_sub(cost) else { return Retry::Never };
        let excess = u128::from(self.debt).saturating_sub(product(allowed_debt, self.rate.fractions));
        wait_of(excess.div_ceil(u128::from(self.rate.refill.max(1))))
    }

    /// Charges `cost` units.
    pub fn charge(&mut self, cost: u64) {
        self.debt = narrow(u128::from(self.debt).saturating_add(product(cost, self.rate.fractions)));
    }

    /// Returns the whole units in the bucket.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        let level = product(self.burst, self.rate.fractions).saturating_sub(u128::from(self.debt));
        narrow(level / u128::from(self.rate.fractions.max(1)))
    }

    /// Returns the milliseconds until the bucket is full.
    #[must_use]
    pub fn full_in(&self) -> u64 {
        self.debt.div_ceil(self.rate.refill.max(1))
    }
}

fn product(a: u64, b: u64) -> u128 {
    u128::from(a) * u128::from(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Millis;

    /// 7 units per second, up to 10: a unit has 1000 fractions, a millisecond refills 7.
    fn seven_per_second() -> TokenBucket {
        TokenBucket::new(10, Rate { refill: 7, fractions: 1000 })
    }

    #[test]
    fn refills_without_rounding() {
        let mut bucket = seven_per_second();
        bucket.charge(10);
        assert_eq!((bucket.remaining(), bucket.full_in()), (0, 1429));
        assert_eq!(bucket.wait(1), Retry::After(Millis::new(143)), "1000 / 7 = 142.9");
        bucket.advance(142);
        assert_eq!((bucket.remaining(), bucket.wait(1)), (0, Retry::After(Millis::new(1))));
        bucket.advance(1);
        assert_eq!((bucket.remaining(), bucket.wait(1)), (1, Retry::Now));
        // If every unit were rounded up to 143 ms, 7 units would take 1001 ms. They take 1000 ms.
        bucket.advance(857);
        assert_eq!(bucket.remaining(), 7);
        bucket.advance(u64::MAX);
        assert_eq!((bucket.remaining(), bucket.full_in()), (10, 0));
        assert_eq!(bucket.wait(11), Retry::Never);
    }

    #[test]
    fn a_changed_rate_rounds_the_debt_up() {
        let mut bucket = seven_per_second();
        bucket.charge(3);
        bucket.advance(100);
        // The debt is 2300 of 10000 fractions, which rounds up to 3 units.
        bucket.change(20, Rate { refill: 1, fractions: 50 });
        assert_eq!((bucket.remaining(), bucket.full_in()), (17, 150));
        bucket.change(2, Rate { refill: 7, fractions: 1000 });
        assert_eq!((bucket.remaining(), bucket.full_in()), (0, 286), "the debt is capped at the burst");
    }

    #[test]
    fn a_lowered_burst_caps_the_debt() {
        let mut bucket = seven_per_second();
        bucket.charge(10);
        bucket.change(4, Rate { refill: 7, fractions: 1000 });
        assert_eq!((bucket.remaining(), bucket.full_in()), (0, 572));
        assert_eq!((bucket.wait(0), bucket.wait(4)), (Retry::Now, Retry::After(Millis::new(572))));
    }

    #[test]
    fn unchanged_numbers_keep_the_debt() {
        let mut bucket = seven_per_second();
        bucket.charge(3);
        bucket.advance(100);
        let before = bucket;
        bucket.change(10, Rate { refill: 7, fractions: 1000 });
        assert_eq!(bucket, before);
    }

    #[test]
    fn the_largest_bucket_is_exact() {
        let most = (1 << 53) - 1;
        let mut bucket = TokenBucket::new(most, Rate { refill: most, fractions: 1 });
        bucket.charge(most - 1);
        assert_eq!((bucket.remaining(), bucket.full_in()), (1, 1));
        assert_eq!(bucket.wait(2), Retry::After(Millis::new(1)));
        let mut slow = TokenBucket::new(1, Rate { refill: 1, fractions: most });
        slow.charge(1);
        slow.advance(most - 1);
        assert_eq!((slow.remaining(), slow.wait(1)), (0, Retry::After(Millis::new(1))));
    }

    #[test]
    fn extreme_numbers_do_not_panic() {
        let mut bucket = TokenBucket::new(u64::MAX, Rate { refill: 0, fractions: 0 });
        bucket.charge(u64::MAX);
        bucket.change(u64::MAX, Rate { refill: u64::MAX, fractions: u64::MAX });
        bucket.charge(u64::MAX);
        bucket.advance(u64::MAX);
        let _ = (bucket.wait(u64::MAX), bucket.remaining(), bucket.full_in());
    }
}
