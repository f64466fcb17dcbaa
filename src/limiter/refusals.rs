//! The deny cache: remembers refusals, so that a flood of requests that cannot pass does not reach Redis.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::limit::{Budget, Limit, Retry, Subject, Verdict};
use crate::time::Millis;

/// The refusals that an isolate remembers.
///
/// Redis has refused a request and reported a retry time. Until then no request of the same subject with the same
/// limits and at least the same cost can pass, unless units are given back meanwhile. So it is refused here. A refusal is
/// remembered until its retry time, but at most for `local_refusals`: that bounds how late units that another isolate
/// gives back are seen. What this isolate gives back is seen at once ([`Refusals::forget`]).
///
/// Before an entry ends, one request asks Redis again, and the others are still refused from memory. So a flood that goes on
/// does not reach Redis all at once when the entry ends.
///
/// A refusal by a concurrency limit is not remembered, because a lease can end at any time.
#[derive(Debug)]
pub struct Refusals {
    /// The longest life of an entry; 0 remembers nothing.
    life: Millis,
    /// How long before its end an entry is renewed.
    lead: Millis,
    /// The most budgets, of all entries together; when there are more, the entries that end first are evicted.
    capacity: usize,
    // Never contended: an isolate has one thread.
    entries: Mutex<Entries>,
}

#[derive(Debug)]
struct Entries {
    /// The entries of each subject: one for each list of limits.
    subjects: HashMap<Subject, Vec<Entry>>,
    /// The subjects with further ones, by the owner of a limit that refused one of their entries.
    refused_by: HashMap<Subject, HashSet<Subject>>,
    /// The subjects by the end of their entries. The second number makes keys with the same millisecond unique.
    by_end: BTreeMap<(Millis, u64), Subject>,
    /// The number of budgets of all entries. A further subject of an entry counts as two.
    budgets: usize,
    /// The number of entries so far, the source of those unique numbers.
    counter: u64,
    /// How often subjects were forgotten, by the hash of the subject.
    forgotten: [u64; SLOTS],
}

#[derive(Debug)]
struct Entry {
    /// The budgets at `asked`, and the cost that was refused.
    budgets: Vec<Budget>,
    cost: u64,
    asked: Millis,
    /// The key in `by_end`: when the entry ends, and a unique number.
    key: (Millis, u64),
    /// When to ask Redis again, before the entry ends; `None` if somebody has, or if the entry ends with its retry time.
    renewal: Option<Millis>,
}

/// What the cache knows about a request.
#[derive(Debug)]
pub(super) enum Recall {
    /// It is refused.
    Refuse(Verdict),
    /// Redis must be asked. [`Refusals::remember`] needs the ticket.
    Ask(Ticket),
}

/// The state of the cache when Redis was asked.
#[derive(Debug)]
pub(super) struct Ticket {
    forgotten: u64,
}

impl Refusals {
    /// Creates an empty cache whose entries live for at most `local_refusals`. `timeout` is how long the call may take
    /// that renews an entry.
    #[must_use]
    pub fn new(local_refusals: Millis, timeout: Millis) -> Self {
        Refusals::with_capacity(local_refusals, timeout, CAPACITY)
    }

    /// Same as [`Refusals::new`], with at most `capacity` budgets of limits.
    #[must_use]
    pub fn with_capacity(local_refusals: Millis, timeout: Millis, capacity: usize) -> Self {
        let entries = Entries {
            subjects: HashMap::new(),
            refused_by: HashMap::new(),
            by_end: BTreeMap::new(),
            budgets: 0,
            counter: 0,
            forgotten: [0; SLOTS],
        };
        let life = local_refusals.get();
        let lead = Millis::new(timeout.get().clamp(life / 8, life / 4));
        Refusals { life: local_refusals, lead, capacity, entries: Mutex::new(entries) }
    }

    /// Forgets what was refused by limits of a subject or its further ones, because units were given back to them. Also a
    /// refusal that is on its way from Redis is not remembered.
    pub fn forget(&self, subject: &Subject) {
        let mut entries = self.lock();
        if subject.further().len() == 0 {
            entries.forget(subject);
            return;
        }
        entries.forget(&subject.alone());
        for owner in subject.further() {
            entries.forget(owner);
        }
    }

    /// Returns the number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().by_end.len()
    }

    /// Returns whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Looks for a refusal of a request with this cost at `now`.
    pub(super) fn recall(&self, subject: &Subject, limits: &[Limit], cost: u64, now: Millis) -> Recall {
        let mut entries = self.lock();
        let ticket = Ticket { forgotten: entries.forgotten(subject) };
        let found = entries.find(subject, limits);
        let Some(entry) = found.filter(|entry| entry.applies(cost, now)) else { return Recall::Ask(ticket) };
        if entry.renewal.is_some_and(|renewal| renewal <= now) {
            entry.renewal = None;
            return Recall::Ask(ticket);
        }
        Recall::Refuse(entry.verdict(cost, now))
    }

    /// Returns the refusal of a request with this cost that is remembered at `now`, even if it should be renewed.
    pub(super) fn remembered(&self, subject: &Subject, limits: &[Limit], cost: u64, now: Millis) -> Option<Verdict> {
        let mut entries = self.lock();
        let entry = entries.find(subject, limits).filter(|entry| entry.applies(cost, now))?;
        Some(entry.verdict(cost, now))
    }

    /// Remembers the verdict of Redis, which was asked at `asked` with this ticket.
    pub(super) fn remember(&self, ticket: &Ticket, subject: &Subject, cost: u64, verdict: &Verdict, asked: Millis) {
        let mut entries = self.lock();
        entries.remove_ended(asked);
        if cost == 0 || ticket.forgotten != entries.forgotten(subject) {
            return;
        }
        entries.remove_outdated(subject, cost, verdict);
        if verdict.is_allow() || verdict.refusing().any(|budget| budget.limit.needs_lease()) {
            return;
        }
        let refused_until = match verdict.retry() {
            Retry::After(wait) => asked.saturating_add(wait),
            Retry::Never => Millis::new(u64::MAX),
            Retry::Now => return,
        };
        let end = refused_until.min(asked.saturating_add(self.life));
        if end <= asked {
            return;
        }
        entries.counter += 1;
        // An entry that ends with its retry time needs no renewal: the request may pass then.
        let renewal = (end < refused_until).then(|| Millis::new(end.get() - self.lead.get()));
        let key = (end, entries.counter);
        let budgets = verdict.budgets().to_vec();
        entries.insert(subject, Entry { budgets, cost, asked, key, renewal });
        while entries.budgets > self.capacity {
            entries.remove_first();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        // A panic cannot leave the entries half changed in a way that matters: at worst a refusal is forgotten.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn find(&mut self, subject: &Subject, limits: &[Limit]) -> Option<&mut Entry> {
        self.subjects.get_mut(subject)?.iter_mut().find(|entry| entry.has_limits(limits.iter()))
    }

    fn insert(&mut self, subject: &Subject, entry: Entry) {
        self.by_end.insert(entry.key, subject.clone());
        self.budgets += entry.weight(subject);
        if subject.further().len() > 0 {
            for owner in entry.refusing().filter_map(|limit| subject.owner(limit)) {
                self.refused_by.entry(owner.alone()).or_default().insert(subject.clone());
            }
        }
        let entries = self.subjects.entry(subject.clone()).or_default();
        entries.push(entry);
        if entries.len() > PER_SUBJECT
            && let Some(oldest) = entries.first().map(|entry| entry.key)
        {
            self.by_end.remove(&oldest);
            self.remove(subject, oldest);
        }
    }

    /// Removes the entries that a new verdict on a request of this cost replaces.
    ///
    /// If the request was allowed although an entry covers it, units were given back elsewhere. If it was charged to a limit
    /// of the same name with other parameters, the state of that limit has changed: for every subject that shares it.
    fn remove_outdated(&mut self, subject: &Subject, cost: u64, verdict: &Verdict) {
        let limits = || verdict.budgets().iter().map(|budget| &budget.limit);
        let is_replaced = |entry: &Entry| entry.has_limits(limits()) && (!verdict.is_allow() || entry.covers(cost));
        self.remove_where(subject, is_replaced);
        if !verdict.is_allow() || self.subjects.is_empty() {
            return;
        }
        let is_changed = |sharing: &Subject, entry: &Entry| {
            entry.budgets.iter().any(|own| {
                let owner = sharing.owner(&own.limit);
                let shares = |limit: &Limit| owner.zip(subject.owner(limit)).is_some_and(|(own, other)| own.is(other));
                limits().any(|limit| limit.name() == own.limit.name() && *limit != own.limit && shares(limit))
            })
        };
        let alone = subject.alone();
        let has_changed = |sharing: &&Subject| {
            self.subjects.get(*sharing).is_some_and(|entries| entries.iter().any(|entry| is_changed(sharing, entry)))
        };
        // Nearly always none: a copy of each would cost a flood of refusals more than the calls it saves.
        let changed: Vec<Subject> = self.sharing(subject, &alone).filter(has_changed).cloned().collect();
        for sharing in changed {
            self.remove_where(&sharing, |entry| is_changed(&sharing, entry));
        }
    }

    /// Returns the subjects with entries that may have been refused by a state of this subject. `alone` is the subject
    /// without further ones.
    fn sharing<'a>(&'a self, subject: &'a Subject, alone: &'a Subject) -> impl Iterator<Item = &'a Subject> {
        let refused = |owner| self.refused_by.get(owner).into_iter().flatten();
        subject.further().chain([alone]).flat_map(move |owner| refused(owner).chain([owner]))
    }

    /// Removes the entries of a subject for which this holds.
    fn remove_where(&mut self, subject: &Subject, is_removed: impl Fn(&Entry) -> bool) {
        let entries = self.subjects.get(subject).into_iter().flatten();
        let removed: Vec<_> = entries.filter(|entry| is_removed(entry)).map(|entry| entry.key).collect();
        for key in removed {
            self.by_end.remove(&key);
            self.remove(subject, key);
        }
    }

    /// Forgets what was refused by limits whose state `owner` owns.
    fn forget(&mut self, owner: &Subject) {
        for entry in self.subjects.remove(owner).unwrap_or_default() {
            self.by_end.remove(&entry.key);
            self.budgets -= entry.weight(owner);
        }
        for subject in self.refused_by.remove(owner).unwrap_or_default() {
            let is_owner = |limit: &Limit| subject.owner(limit).is_some_and(|found| found.is(owner));
            self.remove_where(&subject, |entry| entry.refusing().any(is_owner));
        }
        let slot = self.slot(owner);
        if let Some(count) = self.forgotten.get_mut(slot) {
            *count += 1;
        }
    }

    fn remove_ended(&mut self, now: Millis) {
        while self.by_end.first_key_value().is_some_and(|((end, _), _)| *end <= now) {
            self.remove_first();
        }
    }

    fn remove_first(&mut self) {
        if let Some((key, subject)) = self.by_end.pop_first() {
            self.remove(&subject, key);
        }
    }

    fn remove(&mut self, subject: &Subject, key: (Millis, u64)) {
        let Some(entries) = self.subjects.get_mut(subject) else { return };
        if let Some(index) = entries.iter().position(|entry| entry.key == key) {
            self.budgets -= entries.remove(index).weight(subject);
        }
        if entries.is_empty() {
            self.subjects.remove(subject);
            self.remove_owners(subject);
        }
    }

    /// Notes that a subject has no entries any more.
    fn remove_owners(&mut self, subject: &Subject) {
        if subject.further().len() == 0 {
            return;
        }
        let caller = subject.alone();
        for owner in subject.further().chain([&caller]) {
            if let Some(refused) = self.refused_by.get_mut(owner) {
                refused.remove(subject);
                if refused.is_empty() {
                    self.refused_by.remove(owner);
                }
            }
        }
    }

    /// Returns how often the owners of a subject's states were forgotten.
    fn forgotten(&self, subject: &Subject) -> u64 {
        let count = |owner: &Subject| self.forgotten.get(self.slot(owner)).copied().unwrap_or_default();
        if subject.further().len() == 0 {
            return count(subject);
        }
        subject.further().map(count).fold(count(&subject.alone()), u64::wrapping_add)
    }

    #[expect(clippy::cast_possible_truncation, reason = "only the lowest bits count")]
    fn slot(&self, subject: &Subject) -> usize {
        self.subjects.hasher().hash_one(subject) as usize % SLOTS
    }
}

impl Entry {
    /// Returns how much of the capacity the entry uses.
    fn weight(&self, subject: &Subject) -> usize {
        self.budgets.len() + 2 * subject.further().len()
    }

    /// Returns the limits that refused the request.
    fn refusing(&self) -> impl Iterator<Item = &Limit> {
        self.budgets.iter().filter(|budget| budget.retry != Retry::Now).map(|budget| &budget.limit)
    }

    fn has_limits<'a>(&self, limits: impl Iterator<Item = &'a Limit>) -> bool {
        self.budgets.iter().map(|budget| &budget.limit).eq(limits)
    }

    /// Returns whether a request of this cost is refused at `now`. A clock that was set back must not prolong an entry.
    fn applies(&self, cost: u64, now: Millis) -> bool {
        self.asked <= now && now < self.key.0 && self.covers(cost)
    }

    /// Returns whether a request of this cost takes at least as much as the refused one, at all limits that refused it.
    fn covers(&self, cost: u64) -> bool {
        let takes_as_much = |budget: &Budget| budget.limit.charge_for(cost) >= budget.limit.charge_for(self.cost);
        cost > 0 && self.budgets.iter().filter(|budget| budget.retry != Retry::Now).all(takes_as_much)
    }

    /// Returns the verdict at `now`. A higher cost than the one refused gets the same retry time, which is never too
    /// long, unless the request can never pass.
    fn verdict(&self, cost: u64, now: Millis) -> Verdict {
        let passed = now.saturating_sub(self.asked);
        let later = |budget: &Budget| {
            let retry = match budget.retry {
                _ if budget.limit.charge_for(cost) > budget.limit.capacity() => Retry::Never,
                Retry::After(wait) if wait > passed => Retry::After(wait.saturating_sub(passed)),
                Retry::After(_) | Retry::Now => Retry::Now,
                Retry::Never => Retry::Never,
            };
            let reset = budget.reset.saturating_sub(passed);
            Budget { limit: budget.limit.clone(), remaining: budget.remaining, retry, reset }
        };
        Verdict::Deny(self.budgets.iter().map(later).collect())
    }
}

/// Ten thousand entries of three limits, about five megabytes: a small part of a Worker's 128 MB.
const CAPACITY: usize = 30_000;

/// The most lists of limits that one subject is remembered for. They are searched one by one.
const PER_SUBJECT: usize = 16;

/// The number of counters of forgotten subjects. Two subjects that share one only delay each other's entries.
const SLOTS: usize = 256;

#[cfg(test)]
mod tests;
