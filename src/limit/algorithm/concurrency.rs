//! So many requests in flight.

use std::collections::HashMap;
use std::sync::Arc;

use super::arithmetic::wait_of;
use crate::limit::verdict::Retry;

/// The leases of the requests in flight. A lease is alive until it expires; a request that comes again with a lease
/// that is alive renews it and is not counted twice.
#[derive(Debug, Clone)]
pub struct Concurrency {
    quota: u64,
    lease: u64,
    /// Expiry and id, in order. As expiries come mostly in order, a new lease mostly goes to the end.
    ends: Vec<(u64, Arc<str>)>,
    expiries: HashMap<Arc<str>, u64>,
    most: u64,
}

impl Concurrency {
    /// No request in flight; leases of `lease` milliseconds.
    #[must_use]
    pub fn new(quota: u64, lease: u64) -> Self {
        Concurrency { quota, lease, ends: Vec::new(), expiries: HashMap::new(), most: u64::MAX }
    }

    /// Goes on with another quota, and another length for leases taken from now on.
    pub fn change(&mut self, quota: u64, lease: u64) {
        (self.quota, self.lease) = (quota, lease);
    }

    /// How many leases there are, alive or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no leases.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Holds the leases to this many, 1 at least, whatever the quota: a larger one is taken as this.
    pub fn bound(&mut self, most: usize) {
        self.most = most.max(1) as u64;
    }

    /// How long a request with this lease must wait; one without a lease wants a new one.
    #[must_use]
    pub fn wait(&self, lease: Option<&str>, now: u64) -> Retry {
        let Some(surplus) = self.alive(now).checked_sub(self.quota()) else { return Retry::Now };
        if lease.is_some_and(|lease| self.is_alive(lease, now)) {
            return Retry::Now;
        }
        // A place is free when one more lease has ended than there are too many.
        let end = usize::try_from(surplus).ok().and_then(|surplus| self.ends.get(self.first(now) + surplus));
        wait_of(u128::from(end.map_or(0, |(end, _)| end.saturating_sub(now))))
    }

    /// Takes this lease, or renews it, and forgets those that have expired.
    pub fn take(&mut self, lease: &str, now: u64) {
        for (_, expired) in self.ends.drain(..self.first(now)) {
            self.expiries.remove(&expired);
        }
        self.release(lease);
        let id: Arc<str> = Arc::from(lease);
        let entry = (now.saturating_add(self.lease), id);
        self.expiries.insert(Arc::clone(&entry.1), entry.0);
        let place = self.ends.partition_point(|other| *other < entry);
        self.ends.insert(place, entry);
    }

    /// Gives this lease back. Whether it was there.
    pub fn release(&mut self, lease: &str) -> bool {
        let Some((id, end)) = self.expiries.remove_entry(lease) else { return false };
        if let Ok(place) = self.ends.binary_search(&(end, id)) {
            self.ends.remove(place);
        }
        true
    }

    /// The leases that are left.
    #[must_use]
    pub fn remaining(&self, now: u64) -> u64 {
        self.quota().saturating_sub(self.alive(now))
    }

    /// Milliseconds until the last lease has expired.
    #[must_use]
    pub fn full_in(&self, now: u64) -> u64 {
        self.ends.last().map_or(0, |(end, _)| end.saturating_sub(now))
    }

    /// How many leases are alive.
    #[must_use]
    pub fn alive(&self, now: u64) -> u64 {
        (self.ends.len() - self.first(now)) as u64
    }

    fn quota(&self) -> u64 {
        self.quota.min(self.most)
    }

    fn is_alive(&self, lease: &str, now: u64) -> bool {
        self.expiries.get(lease).is_some_and(|end| *end > now)
    }

    /// The index of the first lease that is alive.
    fn first(&self, now: u64) -> usize {
        self.ends.partition_point(|(end, _)| *end <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Millis;

    fn after(ms: u64) -> Retry {
        Retry::After(Millis::new(ms))
    }

    /// Two places, leases of a second: `a` from 5000 on, `b` from 5400 on.
    fn both_taken() -> Concurrency {
        let mut leases = Concurrency::new(2, 1000);
        for (lease, now) in [("a", 5000), ("b", 5400)] {
            assert_eq!(leases.wait(Some(lease), now), Retry::Now);
            leases.take(lease, now);
        }
        leases
    }

    #[test]
    fn a_place_is_free_when_a_lease_ends() {
        let leases = both_taken();
        assert_eq!((leases.remaining(5500), leases.full_in(5500)), (0, 900));
        assert_eq!((leases.wait(Some("c"), 5500), leases.wait(None, 5500)), (after(500), after(500)));
        assert_eq!((leases.wait(Some("c"), 5999), leases.wait(Some("c"), 6000)), (after(1), Retry::Now));
        assert_eq!((leases.remaining(6000), leases.remaining(6400), leases.full_in(6400)), (1, 2, 0));
    }

    #[test]
    fn a_lease_that_is_alive_is_renewed_and_not_counted_twice() {
        let mut leases = both_taken();
        assert_eq!(leases.wait(Some("a"), 5999), Retry::Now);
        leases.take("a", 5999);
        assert_eq!((leases.len(), leases.alive(5999), leases.full_in(5999)), (2, 2, 1000));
        assert_eq!(leases.wait(Some("c"), 5999), after(401), "b ends first now");
        assert_eq!(leases.wait(Some("b"), 6400), Retry::Now, "its own place has become free");
        leases.take("c", 6400);
        assert_eq!(leases.len(), 2, "b is forgotten");
        assert_eq!(leases.wait(Some("b"), 6400), after(599), "and would be a new lease");
    }

    #[test]
    fn a_lease_given_back_frees_its_place_and_twice_is_harmless() {
        let mut leases = both_taken();
        assert!(leases.release("a"));
        assert!(!leases.release("a"));
        assert_eq!((leases.remaining(5400), leases.wait(Some("c"), 5400)), (1, Retry::Now));
    }

    #[test]
    fn a_lowered_quota_waits_until_enough_have_ended() {
        let mut leases = Concurrency::new(4, 1000);
        for (lease, now) in [("a", 5000), ("b", 5100), ("c", 5100), ("d", 5300)] {
            leases.take(lease, now);
        }
        leases.change(2, 50);
        assert_eq!((leases.remaining(5400), leases.wait(Some("e"), 5400)), (0, after(700)));
        assert_eq!(leases.wait(Some("a"), 5400), Retry::Now, "what is alive may go on");
        leases.change(1, 50);
        assert_eq!(leases.wait(Some("e"), 5400), after(900));
        assert_eq!(leases.full_in(5400), 900, "leases keep the length they were taken with");
    }

    #[test]
    fn a_bound_is_a_quota() {
        let mut leases = Concurrency::new(1 << 53, 1000);
        leases.bound(2);
        leases.take("a", 5000);
        leases.take("b", 5000);
        assert_eq!((leases.remaining(5000), leases.wait(Some("c"), 5000)), (0, after(1000)));
    }

    #[test]
    fn no_number_makes_it_panic() {
        let mut leases = Concurrency::new(0, u64::MAX);
        for now in [u64::MAX, 0, 5] {
            let _ = (leases.wait(Some("a"), now), leases.wait(None, now), leases.remaining(now), leases.full_in(now));
            leases.take("a", now);
        }
    }
}
