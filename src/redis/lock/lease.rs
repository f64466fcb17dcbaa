//! How long a lock is held, by Redis's clock and by the holder's.

use crate::time::Millis;

/// The length of a lease in Redis, and the margin by which it ends earlier for the holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    ttl: Millis,
    margin: Millis,
}

/// Why a lease is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// The lease is too short to be renewed in time, or so long that a dead holder would block all others.
    #[error("lease: expected 10ms to 366d, found {ttl}")]
    Ttl {
        /// The given length.
        ttl: Millis,
    },
    /// The margin is more than half of the lease.
    #[error("margin: expected at most half of the lease of {ttl}, found {margin}")]
    Margin {
        /// The length of the lease.
        ttl: Millis,
        /// The given margin.
        margin: Millis,
    },
}

impl Lease {
    /// Creates a lease of `ttl` by Redis's clock.
    ///
    /// The margin is 1 % of `ttl` plus 2 ms, as in Redlock: for clock drift, and for Redis's rounding to whole
    /// milliseconds (Redis documentation, "Distributed Locks with Redis").
    ///
    /// # Errors
    /// Returns [`LeaseError::Ttl`] if `ttl` is not 10 ms to 366 days.
    pub fn new(ttl: Millis) -> Result<Self, LeaseError> {
        if !(MIN_TTL..=MAX_TTL).contains(&ttl) {
            return Err(LeaseError::Ttl { ttl });
        }
        Ok(Lease { ttl, margin: Millis::new(ttl.get().div_ceil(100) + 2) })
    }

    /// Returns the lease with another `margin`, for example for a holder with a coarse clock.
    ///
    /// # Errors
    /// Returns [`LeaseError::Margin`] if `margin` is more than half of the lease.
    pub fn with_margin(self, margin: Millis) -> Result<Self, LeaseError> {
        let ttl = self.ttl;
        if margin.get() > ttl.get() / 2 { Err(LeaseError::Margin { ttl, margin }) } else { Ok(Lease { ttl, margin }) }
    }

    /// Returns how long Redis keeps the lock.
    #[must_use]
    pub fn ttl(self) -> Millis {
        self.ttl
    }

    /// Returns when a lease ends for its holder if it sent the request at `sent`. In Redis the lease starts no
    /// earlier.
    pub(super) fn ends(self, sent: Millis) -> Millis {
        Millis::new(sent.get().saturating_add(self.validity()))
    }

    /// Returns the remaining time, in milliseconds, at which to renew: two thirds, so that a failed renewal
    /// leaves time for retries.
    pub(super) fn renew_at(self) -> u64 {
        self.validity() - self.validity() / 3
    }

    /// Returns the pause after a failed renewal, in milliseconds.
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
    fn invalid_leases_are_refused() {
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
    fn lease_ends_earlier_for_the_holder_than_in_redis() {
        assert_eq!(lease(1000).unwrap().ends(Millis::new(5000)), Millis::new(5988));
        let coarse = lease(1000).unwrap().with_margin(Millis::new(500)).unwrap();
        assert_eq!(coarse.ends(Millis::new(5000)), Millis::new(5500));
        assert_eq!(coarse.ttl(), Millis::new(1000));
    }

    proptest! {
        #[test]
        fn valid_leases_leave_time_to_renew(ttl in 10_u64..=366 * 86_400_000) {
            let lease = lease(ttl).unwrap();
            prop_assert!(lease.validity() < ttl);
            prop_assert!(0 < lease.renew_at() && lease.renew_at() < lease.validity());
            prop_assert!(0 < lease.retry_pause() && lease.retry_pause() < lease.renew_at());
        }
    }
}
