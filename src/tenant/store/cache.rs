//! An isolate's cache of tenants. Pure: `now` is a parameter, and nothing waits.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::tenant::id::TenantId;
use crate::tenant::tenant::Tenant;
use crate::time::Millis;

/// The tenants that an isolate has read, and the ids that it found to have no tenant.
///
/// An entry is fresh for the time to live. Then it is stale for as long again: it is used, and one caller is
/// told to refresh it after its request, so nobody waits. After that it is expired: one caller is told to read
/// the document first, and the entry is used if that fails, for up to a day.
///
/// The cache is bounded and evicts the entry that was read longest ago. Ids without a tenant have a quarter of
/// the capacity to themselves, so a client that tries random ids evicts no tenant.
#[derive(Debug)]
pub struct TenantCache {
    ttl: Millis,
    tenants: BoundedMap<Arc<Tenant>>,
    absent: BoundedMap<()>,
}

/// The result of a cache lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheLookup {
    /// Read less than a time to live ago; `None` if there is no such tenant.
    Fresh(Option<Arc<Tenant>>),
    /// Read less than twice the time to live ago. The value may be used.
    Stale {
        /// The value read; `None` if there was no such tenant.
        value: Option<Arc<Tenant>>,
        /// Whether this caller must read the document and [`put`](TenantCache::put) it. Other callers get
        /// `false` until then, for at most five seconds.
        refresh: bool,
    },
    /// Read longer ago. The value may be used if the document cannot be read.
    Expired {
        /// The value read; `None` if there was no such tenant.
        value: Option<Arc<Tenant>>,
        /// Whether this caller must read the document before it decides. Other callers get `false` until then,
        /// for at most five seconds, so that not every request waits while Redis is unavailable.
        read_first: bool,
    },
    /// Not in the cache. The caller must read the document.
    Absent,
}

impl TenantCache {
    /// Creates a cache of at most `capacity` entries (at least 2), each fresh for `ttl`.
    #[must_use]
    pub fn new(capacity: usize, ttl: Millis) -> Self {
        let absent = (capacity / 4).max(1);
        let tenants = capacity.saturating_sub(absent).max(1);
        TenantCache { ttl, tenants: BoundedMap::new(tenants), absent: BoundedMap::new(absent) }
    }

    /// Looks up `id` at `now`.
    pub fn lookup(&mut self, id: &TenantId, now: Millis) -> CacheLookup {
        let (value, read) = match (self.tenants.entries.get_mut(id), self.absent.entries.get_mut(id)) {
            (Some(entry), _) => (Some(entry.value.clone()), &mut entry.read),
            (None, Some(entry)) => (None, &mut entry.read),
            (None, None) => return CacheLookup::Absent,
        };
        let age = since(read.at, now);
        if age < self.ttl {
            CacheLookup::Fresh(value)
        } else if age.get() < self.ttl.get().saturating_mul(2) {
            CacheLookup::Stale { value, refresh: read.claim(RETRY.min(self.ttl), now) }
        } else if age < MAX_AGE {
            CacheLookup::Expired { value, read_first: read.claim(RETRY.min(self.ttl), now) }
        } else {
            CacheLookup::Absent
        }
    }

    /// Stores the result of a read at `now` (`None` if there is no such tenant), and returns it.
    pub fn put(&mut self, id: &TenantId, tenant: Option<Tenant>, now: Millis) -> Option<Arc<Tenant>> {
        self.forget(id);
        let tenant = tenant.map(Arc::new);
        match &tenant {
            Some(tenant) => self.tenants.put(id, tenant.clone(), now),
            None => self.absent.put(id, (), now),
        }
        tenant
    }

    /// Removes a tenant, because it has changed.
    pub fn forget(&mut self, id: &TenantId) {
        self.tenants.remove(id);
        self.absent.remove(id);
    }

    /// Returns the number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tenants.entries.len() + self.absent.entries.len()
    }

    /// Returns whether the cache is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A bounded number of entries of one kind.
#[derive(Debug)]
struct BoundedMap<V> {
    capacity: usize,
    entries: HashMap<TenantId, Entry<V>>,
    /// The ids by the numbers of their entries, the oldest first.
    order: BTreeMap<u64, TenantId>,
    next: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    read: Read,
    number: u64,
}

/// When an entry was last read, and when a caller was last told to read it.
#[derive(Debug)]
struct Read {
    at: Millis,
    claimed: Millis,
}

impl Read {
    /// Claims the next read for this caller, unless another caller claimed it less than `pause` ago.
    fn claim(&mut self, pause: Millis, now: Millis) -> bool {
        let is_due = since(self.claimed, now) >= pause;
        if is_due {
            self.claimed = now;
        }
        is_due
    }
}

impl<V> BoundedMap<V> {
    fn new(capacity: usize) -> Self {
        BoundedMap { capacity, entries: HashMap::new(), order: BTreeMap::new(), next: 0 }
    }

    /// Adds an entry for an id that has none, and evicts the oldest entry if there is no room.
    fn put(&mut self, id: &TenantId, value: V, now: Millis) {
        if self.entries.len() >= self.capacity
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.entries.remove(&oldest);
        }
        let number = self.next;
        self.next += 1;
        self.order.insert(number, id.clone());
        self.entries.insert(id.clone(), Entry { value, read: Read { at: now, claimed: now }, number });
    }

    fn remove(&mut self, id: &TenantId) {
        if let Some(entry) = self.entries.remove(id) {
            self.order.remove(&entry.number);
        }
    }
}

/// Returns the time between two instants, in either order: a clock that goes back must not keep an entry fresh
/// for longer.
fn since(then: Millis, now: Millis) -> Millis {
    Millis::new(now.get().abs_diff(then.get()))
}

/// How long a document is used while it cannot be read: an outage of Redis should not lock customers out.
const MAX_AGE: Millis = Millis::from_secs(86_400);

/// The time after which a claimed read counts as failed, or the time to live if that is shorter.
const RETRY: Millis = Millis::from_secs(5);

#[cfg(test)]
mod tests;
