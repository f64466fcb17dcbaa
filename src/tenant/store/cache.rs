//! What an isolate remembers of tenants. Pure: `now` is a parameter, and it never waits.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::tenant::id::TenantId;
use crate::tenant::tenant::Tenant;
use crate::time::Millis;

/// The tenants that an isolate has read, and the ids of which it has read that there is none.
///
/// An entry is fresh for the time to live. For as long again it is served while one caller is told to read the document
/// anew: neither that request nor the others wait. After that one caller is told to read first; what is known is used
/// where that fails, for a day at most.
///
/// Of both kinds only so many are kept; the one that was read longest ago goes first. Ids without a tenant have
/// a quarter for themselves, so that whoever tries ids pushes out no tenant.
#[derive(Debug)]
pub struct TenantCache {
    ttl: Millis,
    tenants: Shelf<Arc<Tenant>>,
    absent: Shelf<()>,
}

/// What the cache knows of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CacheLookup {
    /// It was read less than a time to live ago; `None`: there is no such tenant.
    Fresh(Option<Arc<Tenant>>),
    /// It was read less than two times to live ago, and may be used.
    Stale {
        /// What was read; `None`: there was no such tenant.
        value: Option<Arc<Tenant>>,
        /// Whether this caller shall read the document, and [`TenantCache::put`] it. No other is told so until
        /// then, or for five seconds if it never happens.
        refresh: bool,
    },
    /// It was read longer ago, and may be used by whoever cannot read it.
    Old {
        /// What was read; `None`: there was no such tenant.
        value: Option<Arc<Tenant>>,
        /// Whether this caller shall read the document before it judges. No other is told so until then, or for five
        /// seconds if it never happens: while Redis is away not everybody waits for it.
        read: bool,
    },
    /// Nothing: the caller has to read the document before it can judge.
    Absent,
}

impl TenantCache {
    /// A cache of `capacity` entries at most (2 at least), each fresh for `ttl`.
    #[must_use]
    pub fn new(capacity: usize, ttl: Millis) -> Self {
        let absent = (capacity / 4).max(1);
        let tenants = capacity.saturating_sub(absent).max(1);
        TenantCache { ttl, tenants: Shelf::new(tenants), absent: Shelf::new(absent) }
    }

    /// What is known of `id` at `now`.
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
            CacheLookup::Stale { value, refresh: read.ask(RETRY.min(self.ttl), now) }
        } else if age < LONGEST_OLD {
            CacheLookup::Old { value, read: read.ask(RETRY.min(self.ttl), now) }
        } else {
            CacheLookup::Absent
        }
    }

    /// Keeps what was read at `now` (`None`: there is no such tenant), and returns it.
    pub fn put(&mut self, id: &TenantId, tenant: Option<Tenant>, now: Millis) -> Option<Arc<Tenant>> {
        self.forget(id);
        let tenant = tenant.map(Arc::new);
        match &tenant {
            Some(tenant) => self.tenants.put(id, tenant.clone(), now),
            None => self.absent.put(id, (), now),
        }
        tenant
    }

    /// Forgets the tenant: somebody has changed it.
    pub fn forget(&mut self, id: &TenantId) {
        self.tenants.remove(id);
        self.absent.remove(id);
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tenants.entries.len() + self.absent.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Entries of one kind, so many at most.
#[derive(Debug)]
struct Shelf<V> {
    capacity: usize,
    entries: HashMap<TenantId, Entry<V>>,
    /// The ids by their entries' numbers: the oldest first.
    order: BTreeMap<u64, TenantId>,
    next: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    read: Read,
    number: u64,
}

/// When something was read, and when somebody was last told to read it.
#[derive(Debug)]
struct Read {
    at: Millis,
    asked: Millis,
}

impl Read {
    /// Whether the caller is the one to read it anew: nobody has, or was told to, for `pause`.
    fn ask(&mut self, pause: Millis, now: Millis) -> bool {
        let ask = since(self.asked, now) >= pause;
        if ask {
            self.asked = now;
        }
        ask
    }
}

impl<V> Shelf<V> {
    fn new(capacity: usize) -> Self {
        Shelf { capacity, entries: HashMap::new(), order: BTreeMap::new(), next: 0 }
    }

    /// Adds what is not there.
    fn put(&mut self, id: &TenantId, value: V, now: Millis) {
        if self.entries.len() >= self.capacity
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.entries.remove(&oldest);
        }
        let number = self.next;
        self.next += 1;
        self.order.insert(number, id.clone());
        self.entries.insert(id.clone(), Entry { value, read: Read { at: now, asked: now }, number });
    }

    fn remove(&mut self, id: &TenantId) {
        if let Some(entry) = self.entries.remove(id) {
            self.order.remove(&entry.number);
        }
    }
}

/// The time between two instants. A clock that was turned back must not make an entry fresh for longer, so the
/// future counts like the past.
fn since(then: Millis, now: Millis) -> Millis {
    Millis::new(now.get().abs_diff(then.get()))
}

/// How long a document is used while it cannot be read anew: an outage of Redis should not lock customers out.
const LONGEST_OLD: Millis = Millis::from_secs(86_400);

/// After this long, or the time to live if that is shorter, whoever was told to read has failed.
const RETRY: Millis = Millis::from_secs(5);

#[cfg(test)]
mod tests;
