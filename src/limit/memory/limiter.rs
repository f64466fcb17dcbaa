//! The in-memory limiter: checks like [`crate::limiter`], without Redis.

use std::collections::{BTreeMap, HashMap};

use super::batch::check_batch;
use super::subject_state::SubjectState;
use crate::limit::check_request::{CheckRequest, InvalidCheck, LeaseId, validate_check};
use crate::limit::grouping::Grouping;
use crate::limit::invalid::MAX_INTEGER;
use crate::limit::limit::Limit;
use crate::limit::subject::Subject;
use crate::limit::verdict::Verdict;
use crate::time::Millis;

/// A limiter in memory, with bounded memory.
///
/// Each value counts only the requests it checks itself: two limiters share nothing.
///
/// A check takes amortized time logarithmic in the subjects and entries stored, and linear in the limits of the
/// subject, which are those of the call and at most 128 others. Leases that do not expire in the order they
/// were taken also have to be moved in memory.
#[derive(Debug, Clone)]
pub struct MemoryLimiter {
    capacity: Capacity,
    states: HashMap<Subject, SubjectState>,
    /// The subjects by expiry, earliest first. The second number makes keys with the same millisecond unique.
    by_expiry: BTreeMap<(u64, u64), Subject>,
    entries: usize,
    /// The number of changes so far, the source of those unique numbers.
    changes: u64,
}

/// How much a [`MemoryLimiter`] stores.
///
/// When a bound is exceeded, the limiter evicts the subject whose quotas are full again first, never one that is being
/// checked. If its quotas are already full, nothing is lost. Otherwise the subject starts afresh
/// and can use up to one quota more than its limits allow. That is the smallest loss: its quotas would have
/// been full the soonest.
///
/// Within one subject a bound never admits more than the limits allow: a log that is too long merges its oldest
/// entries at the time of the last of them, and concurrency grants no more leases than there is room for. The
/// exception is more than 128 limits besides those of a call: those that are full first start afresh, where
/// `lua/check.lua` fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// The most subjects; 0 is taken as 1.
    pub subjects: usize,
    /// The most entries of all subjects together: log entries, leases, and one for each other limit. Each limit
    /// of a call can always store at least one.
    pub entries: usize,
}

impl Default for Capacity {
    /// A few megabytes: a small part of a Worker's 128 MB.
    fn default() -> Self {
        Capacity { subjects: 10_000, entries: 100_000 }
    }
}

impl MemoryLimiter {
    /// Creates an empty limiter.
    #[must_use]
    pub fn new(capacity: Capacity) -> Self {
        MemoryLimiter { capacity, states: HashMap::new(), by_expiry: BTreeMap::new(), entries: 0, changes: 0 }
    }

    /// Checks one request against all `limits` of `subject`, and charges it to all of them or to none.
    ///
    /// `now` is an instant of the caller's clock, since the Unix epoch. It is clamped to 1 ms and 2^53 - 1 ms.
    ///
    /// # Errors
    /// Returns [`InvalidCheck`] if the limits and the request do not fit, for example if a lease id is missing.
    pub fn check<'a>(
        &mut self,
        subject: &Subject,
        limits: &[Limit],
        request: impl Into<CheckRequest<'a>>,
        now: Millis,
    ) -> Result<Verdict, InvalidCheck> {
        let mut verdicts = self.check_batch(subject, limits, [request.into()], now)?;
        verdicts.pop().ok_or(InvalidCheck::NoRequests)
    }

    /// Checks requests in order, as if they came one by one at this instant.
    ///
    /// # Errors
    /// Same as [`MemoryLimiter::check`].
    pub fn check_batch<'a, R: Into<CheckRequest<'a>>>(
        &mut self,
        subject: &Subject,
        limits: &[Limit],
        requests: impl IntoIterator<Item = R>,
        now: Millis,
    ) -> Result<Vec<Verdict>, InvalidCheck> {
        let requests: Vec<CheckRequest<'_>> = requests.into_iter().map(Into::into).collect();
        validate_check(limits, &requests)?;
        let now = now.get().clamp(1, MAX_INTEGER);
        let max_entries = self.capacity.entries / limits.len();
        let grouping = Grouping::of(subject, limits)?;
        let owners: Vec<Subject> = grouping.owners.iter().map(|owner| owner.alone()).collect();
        let known: Vec<Option<SubjectState>> = owners.iter().map(|owner| self.states.remove(owner)).collect();
        let is_known: Vec<bool> = known.iter().map(Option::is_some).collect();
        let mut states: Vec<SubjectState> = known.into_iter().map(Option::unwrap_or_default).collect();
        let outcome = check_batch(&mut states, &grouping.owner_of, limits, &requests, now, max_entries);
        for ((owner, state), is_known) in owners.iter().zip(states).zip(is_known) {
            if is_known || outcome.charged {
                self.states.insert(owner.clone(), state);
            }
        }
        if outcome.charged {
            self.record_changes(&owners, limits);
        }
        Ok(outcome.verdicts)
    }

    /// Returns the budgets of `subject` without charging anything.
    ///
    /// # Errors
    /// Same as [`MemoryLimiter::check`].
    pub fn peek(&mut self, subject: &Subject, limits: &[Limit], now: Millis) -> Result<Verdict, InvalidCheck> {
        self.check(subject, limits, 0, now)
    }

    /// Ends a lease at all concurrency limits among `limits`, and returns how many of them had it, alive or
    /// expired. Safe to repeat.
    pub fn release(&mut self, subject: &Subject, limits: &[Limit], lease: &LeaseId) -> usize {
        let Ok(grouping) = Grouping::of(subject, limits) else { return 0 };
        let mut released = 0;
        for owner in grouping.owners.iter().map(|owner| owner.alone()) {
            let Some(state) = self.states.get_mut(&owner) else { continue };
            let count = state.release(limits, lease);
            released += count;
            if state.is_empty() {
                self.forget(&owner);
            } else if count > 0 {
                self.record_changes(&[owner], limits);
            }
        }
        released
    }

    /// Returns the number of subjects stored.
    #[must_use]
    pub fn subjects(&self) -> usize {
        self.states.len()
    }

    /// Returns the number of entries stored: log entries, leases, and one for each other limit.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.entries
    }

    fn forget(&mut self, subject: &Subject) {
        let Some(state) = self.states.remove(subject) else { return };
        self.entries = self.entries.saturating_sub(state.counted_entries);
        if let Some(key) = state.index_key {
            self.by_expiry.remove(&key);
        }
    }

    /// Updates the index and the number of entries after a change of these subjects, and evicts what exceeds the
    /// capacity.
    fn record_changes(&mut self, subjects: &[Subject], limits: &[Limit]) {
        for subject in subjects {
            let Some(state) = self.states.get_mut(subject) else { continue };
            self.changes = self.changes.wrapping_add(1);
            let key = (state.expires_at(), self.changes);
            let indexed = state.index_key.replace(key).and_then(|old| self.by_expiry.remove(&old));
            self.by_expiry.insert(key, indexed.unwrap_or_else(|| subject.clone()));
            self.count_entries(subject);
        }
        self.evict(subjects, limits);
    }

    /// Evicts other subjects until the capacity suffices; if that is not enough, also drops the other limits of these.
    fn evict(&mut self, subjects: &[Subject], limits: &[Limit]) {
        while self.states.len() > self.capacity.subjects.max(1) || self.entries > self.capacity.entries {
            let Some(other) = self.by_expiry.values().find(|other| !subjects.contains(other)) else { break };
            let other = other.clone();
            self.forget(&other);
        }
        for subject in subjects {
            if self.entries > self.capacity.entries
                && let Some(state) = self.states.get_mut(subject)
            {
                state.drop_other_limits(limits);
                self.count_entries(subject);
            }
        }
    }

    fn count_entries(&mut self, subject: &Subject) {
        let Some(state) = self.states.get_mut(subject) else { return };
        self.entries = self.entries.saturating_sub(state.counted_entries);
        state.counted_entries = state.entries();
        self.entries += state.counted_entries;
    }
}
