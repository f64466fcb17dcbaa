//! Limits the requests in flight.

use std::collections::HashMap;
use std::sync::Arc;

use super::arithmetic::wait_of;
use crate::limit::verdict::Retry;

/// The leases of the requests in flight.
///
/// A lease is alive until it expires. A request with a lease that is alive renews it and is not counted twice.
#[derive(Debug, Clone)]
pub struct Concurrency {
    quota: u64,
    lease: u64,
    /// Expiry and id, sorted. Leases mostly expire in the order they are taken, so a new one usually goes last.
    by_expiry: Vec<(u64, Arc<str>)>,
    expiries: HashMap<Arc<str>, u64>,
    max_leases: u64,
}

impl Concurrency {
    /// Creates a limit with no request in flight. A lease lasts `lease` milliseconds.
    #[must_use]
    pub fn new(quota: u64, lease: u64) -> Self {
        Concurrency { quota, lease, by_expiry: Vec::new(), expiries: HashMap::new(), max_leases: u64::MAX }
    }

    /// Changes the quota, and the duration of leases taken from now on.
    pub fn change(&mut self, quota: u64, lease: u64) {
        (self.quota, self.lease) = (quota, lease);
    }

    /// Returns the number of leases, alive or expired.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_expiry.len()
    }

    /// Returns whether there are no leases.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_expiry.is_empty()
    }

    /// Caps the quota at `max_leases`, at least 1, which bounds memory.
    pub fn bound(&mut self, max_leases: usize) {
        self.max_leases = max_leases.max(1) as u64;
    }

    /// Returns how long a request with this lease must wait. `None` asks for a new lease.
    #[must_use]
    pub fn wait(&self, lease: Option<&str>, now: u64) -> Retry {
        let Some(excess) = self.alive(now).checked_sub(self.quota()) else { return Retry::Now };
        if lease.is_some_and(|lease| self.is_alive(lease, now)) {
            return Retry::Now;
        }
        // A slot is free when one lease more than the excess has expired.
        let end = usize::try_from(excess).ok().and_then(|excess| self.by_expiry.get(self.first_alive(now) + excess));
        wait_of(u128::from(end.map_or(0, |(end, _)| end.saturating_sub(now))))
    }

    /// Takes or renews this lease, and removes expired ones.
    pub fn take(&mut self, lease: &str, now: u64) {
        for (_, expired) in self.by_expiry.drain(..self.first_alive(now)) {
            self.expiries.remove(&expired);
        }
        self.release(lease);
        let id: Arc<str> = Arc::from(lease);
        let entry = (now.saturating_add(self.lease), id);
        self.expiries.insert(Arc::clone(&entry.1), entry.0);
        let index = self.by_expiry.partition_point(|other| *other < entry);
        self.by_expiry.insert(index, entry);
    }

    /// Removes this lease, and returns whether it was there.
    pub fn release(&mut self, lease: &str) -> bool {
        let Some((id, end)) = self.expiries.remove_entry(lease) else { return false };
        if let Ok(index) = self.by_expiry.binary_search(&(end, id)) {
            self.by_expiry.remove(index);
        }
        true
    }

    /// Returns the number of free leases.
    #[must_use]
    pub fn remaining(&self, now: u64) -> u64 {
        self.quota().saturating_sub(self.alive(now))
    }

    /// Returns the milliseconds until the last lease expires.
    #[must_use]
    pub fn full_in(&self, now: u64) -> u64 {
        self.by_expiry.last().map_or(0, |(end, _)| end.saturating_sub(now))
    }

    /// Returns the number of leases that are alive.
    #[must_use]
    pub fn alive(&self, now: u64) -> u64 {
        (self.by_expiry.len() - self.first_alive(now)) as u64
    }

    fn quota(&self) -> u64 {
        self.quota.min(self.max_leases)
    }

    fn is_alive(&self, lease: &str, now: u64) -> bool {
        self.expiries.get(lease).is_some_and(|end| *end > now)
    }

    /// Returns the index of the first lease that is alive.
    fn first_alive(&self, now: u64) -> usize {
        self.by_expiry.partition_point(|(end, _)| *end <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Millis;

    fn after(ms: u64) -> Retry {
        Retry::After(Millis::new(ms))
    }

    /// Two slots, leases of one second: `a` from 5000, `b` from 5400.
    fn both_taken() -> Concurrency {
        let mut leases = Concurrency::new(2, 1000);
        for (lease, now) in [("a", 5000), ("b", 5400)] {
            assert_eq!(leases.wait(Some(lease), now), Retry::Now);
            leases.take(lease, now);
        }
        leases
    }

    #[test]
    fn a_slot_is_free_when_a_lease_expires() {
        let leases = both_taken();
        assert_eq!((leases.remaining(5500), leases.full_in(5500)), (0, 900));
        assert_eq!((leases.wait(Some("c"), 5500), leases.wait(None, 5500)), (after(500), after(500)));
        assert_eq!((leases.wait(Some("c"), 5999), leases.wait(Some("c"), 6000)), (after(1), Retry::Now));
        assert_eq!((leases.remaining(6000), leases.remaining(6400), leases.full_in(6400)), (1, 2, 0));
    }

    #[test]
    fn renewing_a_lease_does_not_count_it_twice() {
        let mut leases = both_taken();
        assert_eq!(leases.wait(Some("a"), 5999), Retry::Now);
        leases.take("a", 5999);
        assert_eq!((leases.len(), leases.alive(5999), leases.full_in(5999)), (2, 2, 1000));
        assert_eq!(leases.wait(Some("c"), 5999), after(401), "b now expires first");
        assert_eq!(leases.wait(Some("b"), 6400), Retry::Now, "its own slot is free");
        leases.take("c", 6400);
        assert_eq!(leases.len(), 2, "b is removed");
        assert_eq!(leases.wait(Some("b"), 6400), after(599), "b would be a new lease");
    }

    #[test]
    fn releasing_a_lease_twice_frees_one_slot() {
        let mut leases = both_taken();
        assert!(leases.release("a"));
        assert!(!leases.release("a"));
        assert_eq!((leases.remaining(5400), leases.wait(Some("c"), 5400)), (1, Retry::Now));
    }

    #[test]
    fn a_lowered_quota_waits_for_enough_expiries() {
        let mut leases = Concurrency::new(4, 1000);
        for (lease, now) in [("a", 5000), ("b", 5100), ("c", 5100), ("d", 5300)] {
            leases.take(lease, now);
        }
        leases.change(2, 50);
        assert_eq!((leases.remaining(5400), leases.wait(Some("e"), 5400)), (0, after(700)));
        assert_eq!(leases.wait(Some("a"), 5400), Retry::Now, "a lease that is alive can be renewed");
        leases.change(1, 50);
        assert_eq!(leases.wait(Some("e"), 5400), after(900));
        assert_eq!(leases.full_in(5400), 900, "existing leases keep their duration");
    }

    #[test]
    fn the_bound_caps_the_quota() {
        let mut leases = Concurrency::new(1 << 53, 1000);
        leases.bound(2);
        leases.take("a", 5000);
        leases.take("b", 5000);
        assert_eq!((leases.remaining(5000), leases.wait(Some("c"), 5000)), (0, after(1000)));
    }

    #[test]
    fn extreme_numbers_do_not_panic() {
        let mut leases = Concurrency::new(0, u64::MAX);
        for now in [u64::MAX, 0, 5] {
            let _ = (leases.wait(Some("a"), now), leases.wait(None, now), leases.remaining(now), leases.full_in(now));
            leases.take("a", now);
        }
    }
}
