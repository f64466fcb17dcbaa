//! How long a lock is held, by whose clock.

use crate::time::Millis;

/// The length of a lease: what Redis is told, and the part of it that the holder relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    ttl: Millis,
    margin: Millis,
}

/// A lease that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// Too short to be renewed in time, or so long that a dead holder would block everybody.
    #[error("lease: expected 10ms to 366d, found {ttl}")]
    Ttl {
        /// What was asked for.
        ttl: Millis,
    },
    /// Nothing of the lease would be left to rely on.
    #[error("margin: expected at most half of the lease of {ttl}, found {margin}")]
    Margin {
        /// The lease's length.
        ttl: Millis,
        /// What was asked for.
        margin: Millis,
    },
}

impl Lease {
    /// A lease of `ttl` by Redis's clock. The holder's margin is 1 % of it and 2 ms, as in Redlock: for clocks
    /// whose rates differ, and for Redis's rounding to whole milliseconds (Redis documentation, "Distributed
    /// Locks with Redis").
    ///
    /// # Errors
    /// [`LeaseError::Ttl`].
    pub fn new(ttl: Millis) -> Result<Self, LeaseError> {
        if !(MIN_TTL..=MAX_TTL).contains(&ttl) {
            return Err(LeaseError::Ttl { ttl });
        }
        Ok(Lease { ttl, margin: Millis::new(ttl.get().div_ceil(100) + 2) })
    }

    /// The same lease with a `margin` of another length, for example where the holder's clock is coarse.
    ///
    /// # Errors
    /// [`LeaseError::Margin`].
    pub fn with_margin(self, margin: Millis) -> Result<Self, LeaseError> {
        let ttl = self.ttl;
        if margin.get() > ttl.get() / 2 { Err(LeaseError::Margin { ttl, margin }) } else { Ok(Lease { ttl, margin }) }
    }

    /// How long Redis keeps the lock.
    #[must_use]
    pub fn ttl(self) -> Millis {
        self.ttl
    }

    /// When a lease ends for its holder that was asked for at `sent`. Redis has begun it then or later.
    pub(super) fn ends(self, sent: Millis) -> Millis {
        Millis::new(sent.get().saturating_add(self.validity()))
    }

    /// How much of a lease may be left when it is time to renew: two thirds, so that one renewal that
    /// fails leaves time for others.
    pub(super) fn renew_at(self) -> u64 {
        self.validity() - self.validity() / 3
    }

    /// The pause after a renewal that failed, in milliseconds.
    pub(super) fn retry_pause(self) -> u64 {
        (self.validity() / 12).max(1)
    }

    fn validity(self) -> u64 {
        self.ttl.get() - self.margin.get()
    }
}

const MIN_TTL: Millis = Millis::new(10);
const MAX_TTL: Millis = Millis::from_secs(366 * 86_400);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lease(ttl: u64) -> Result<Lease, LeaseError> {
        Lease::new(Millis::new(ttl))
    }

    #[test]
    fn impossible_leases_are_refused() {
        for ttl in [0, 9, 366 * 86_400_000 + 1, u64::MAX] {
            assert_eq!(lease(ttl), Err(LeaseError::Ttl { ttl: Millis::new(ttl) }));
        }
        let (ttl, margin) = (Millis::new(100), Millis::new(51));
        assert_eq!(lease(100).unwrap().with_margin(margin), Err(LeaseError::Margin { ttl, margin }));
        assert_eq!(
            LeaseError::Margin { ttl, margin }.to_string(),
            "margin: expected at most half of the lease of 100ms, found 51ms"
        );
        assert_eq!(LeaseError::Ttl { ttl: Millis::new(9) }.to_string(), "lease: expected 10ms to 366d, found 9ms");
    }

    #[test]
    fn the_holder_relies_on_less_than_redis_keeps() {
        assert_eq!(lease(1000).unwrap().ends(Millis::new(5000)), Millis::new(5988));
        let coarse = lease(1000).unwrap().with_margin(Millis::new(500)).unwrap();
        assert_eq!(coarse.ends(Millis::new(5000)), Millis::new(5500));
        assert_eq!(coarse.ttl(), Millis::new(1000));
    }

    proptest! {
        #[test]
        fn every_lease_leaves_time_to_renew(ttl in 10_u64..=366 * 86_400_000) {
            let lease = lease(ttl).unwrap();
            prop_assert!(lease.validity() < ttl);
            prop_assert!(0 < lease.renew_at() && lease.renew_at() < lease.validity());
            prop_assert!(0 < lease.retry_pause() && lease.retry_pause() < lease.renew_at());
        }
    }
}
