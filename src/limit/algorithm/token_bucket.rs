//! Refills continuously.

use super::arithmetic::{narrow, wait_of};
use crate::limit::rate::Rate;
use crate::limit::verdict::Retry;

/// A bucket of `burst` units. What is kept is the debt, the fractions that are missing from the full bucket: it
/// outlives a change of the burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBucket {
    burst: u64,
    rate: Rate,
    debt: u64,
}

impl TokenBucket {
    /// A full bucket.
    #[must_use]
    pub fn new(burst: u64, rate: Rate) -> Self {
        TokenBucket { burst, rate, debt: 0 }
    }

    /// Goes on with another burst and rate. A unit that was begun counts as a whole one, because its fractions may
    /// be of another size now, and no more than the new burst is owed.
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

    /// How long a request of `cost` units must wait.
    #[must_use]
    pub fn wait(&self, cost: u64) -> Retry {
        let Some(left) = self.burst.checked_sub(cost) else { return Retry::Never };
        let over = u128::from(self.debt).saturating_sub(product(left, self.rate.fractions));
        wait_of(over.div_ceil(u128::from(self.rate.refill.max(1))))
    }

    /// Takes `cost` units.
    pub fn charge(&mut self, cost: u64) {
        self.debt = narrow(u128::from(self.debt).saturating_add(product(cost, self.rate.fractions)));
    }

    /// The units in the bucket, the begun one not counted.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        let level = product(self.burst, self.rate.fractions).saturating_sub(u128::from(self.debt));
        narrow(level / u128::from(self.rate.fractions.max(1)))
    }

    /// Milliseconds until the bucket is full.
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

    /// 7 units a second, up to 10: a unit has 1000 fractions, a millisecond refills 7.
    fn seven_a_second() -> TokenBucket {
        TokenBucket::new(10, Rate { refill: 7, fractions: 1000 })
    }

    #[test]
    fn refills_without_rounding() {
        let mut bucket = seven_a_second();
        bucket.charge(10);
        assert_eq!((bucket.remaining(), bucket.full_in()), (0, 1429));
        assert_eq!(bucket.wait(1), Retry::After(Millis::new(143)), "1000 / 7 = 142.9");
        bucket.advance(142);
        assert_eq!((bucket.remaining(), bucket.wait(1)), (0, Retry::After(Millis::new(1))));
        bucket.advance(1);
        assert_eq!((bucket.remaining(), bucket.wait(1)), (1, Retry::Now));
        // Seven times 143 ms would be 1001 ms of a rounding bucket; this one has its 7 units after 1000.
        bucket.advance(857);
        assert_eq!(bucket.remaining(), 7);
        bucket.advance(u64::MAX);
        assert_eq!((bucket.remaining(), bucket.full_in()), (10, 0));
        assert_eq!(bucket.wait(11), Retry::Never);
    }

    #[test]
    fn a_changed_quota_counts_a_begun_unit_as_a_whole_one() {
        let mut bucket = seven_a_second();
        bucket.charge(3);
        bucket.advance(100);
        // 2300 of 10000 fractions are owed, 3 units with one begun.
        bucket.change(20, Rate { refill: 1, fractions: 50 });
        assert_eq!((bucket.remaining(), bucket.full_in()), (17, 150));
        bucket.change(2, Rate { refill: 7, fractions: 1000 });
        assert_eq!((bucket.remaining(), bucket.full_in()), (0, 286), "not more than the bucket holds is owed");
    }

    #[test]
    fn a_lowered_burst_is_all_that_is_owed() {
        let mut bucket = seven_a_second();
        bucket.charge(10);
        bucket.change(4, Rate { refill: 7, fractions: 1000 });
        assert_eq!((bucket.remaining(), bucket.full_in()), (0, 572));
        assert_eq!((bucket.wait(0), bucket.wait(4)), (Retry::Now, Retry::After(Millis::new(572))));
    }

    #[test]
    fn the_same_numbers_change_nothing() {
        let mut bucket = seven_a_second();
        bucket.charge(3);
        bucket.advance(100);
        let before = bucket;
        bucket.change(10, Rate { refill: 7, fractions: 1000 });
        assert_eq!(bucket, before);
    }

    #[test]
    fn the_largest_bucket_loses_no_fraction() {
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
    fn no_number_makes_it_panic() {
        let mut bucket = TokenBucket::new(u64::MAX, Rate { refill: 0, fractions: 0 });
        bucket.charge(u64::MAX);
        bucket.change(u64::MAX, Rate { refill: u64::MAX, fractions: u64::MAX });
        bucket.charge(u64::MAX);
        bucket.advance(u64::MAX);
        let _ = (bucket.wait(u64::MAX), bucket.remaining(), bucket.full_in());
    }
}
