//! An in-memory limiter: the same question and the same verdict as [`crate::limiter`], without Redis.
//!
//! It remembers only what was asked of this value, so several of them know nothing of each other.

use std::collections::{BTreeMap, HashMap};

use super::subject_state::SubjectState;
use crate::limit::check_request::{CheckRequest, InvalidCheck, LeaseId, validate_check};
use crate::limit::invalid::MAX_INTEGER;
use crate::limit::limit::Limit;
use crate::limit::subject::Subject;
use crate::limit::verdict::Verdict;
use crate::time::Millis;

/// A limiter in memory, bounded whatever is asked of it.
///
/// A check takes time logarithmic in the subjects and entries that are remembered, amortised, and linear in the subject's
/// limits, which are 128 at most besides those of the call; leases that do not expire in the order in which they were taken
/// are moved in memory besides.
#[derive(Debug, Clone)]
pub struct MemoryLimiter {
    bounds: Capacity,
    accounts: HashMap<Subject, SubjectState>,
    /// Who expires when, the first in front. The second number tells those of one millisecond apart.
    order: BTreeMap<(u64, u64), Subject>,
    entries: usize,
    charges: u64,
}

/// How much a [`MemoryLimiter`] remembers.
///
/// Where more subjects or entries are wanted, the subject is forgotten whose quotas are all whole again first. If
/// they are by then, nothing is lost. Else it begins anew, and may take one quota more than its limits allow: the
/// one that can have taken the least for its time, never the one that is being judged. Within one subject a bound
/// never admits more than the limits allow: a log that is too long takes its oldest entries as one that came when the
/// last of them did, and no more leases are given out than there is room for. Of more than 128 limits besides those of a
/// call, those begin anew that are whole again first, where `lua/check.lua` has an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// The most subjects; 0 is taken as 1.
    pub subjects: usize,
    /// The most entries of logs, leases, and one for each other limit, of all subjects together; at least one a limit of a
    /// call is kept.
    pub entries: usize,
}

impl Default for Capacity {
    /// A few megabytes: a small part of the 128 MB that a Worker has.
    fn default() -> Self {
        Capacity { subjects: 10_000, entries: 100_000 }
    }
}

impl MemoryLimiter {
    /// A limiter that remembers nothing yet.
    #[must_use]
    pub fn new(bounds: Capacity) -> Self {
        MemoryLimiter { bounds, accounts: HashMap::new(), order: BTreeMap::new(), entries: 0, charges: 0 }
    }

    /// Judges one request against all `limits` of `subject`, and charges it if all admit it. `now` is an instant of
    /// the caller's clock, since the Unix epoch: from 1 ms on and below 2^53 ms; others are taken as the nearest.
    ///
    /// # Errors
    /// When the question has no answer, for example because a lease id is missing.
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

    /// Judges requests in order, as if they came one by one at this instant.
    ///
    /// # Errors
    /// As [`MemoryLimiter::check`].
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
        let most = self.bounds.entries / limits.len();
        let Some(account) = self.accounts.get_mut(subject) else {
            let mut account = SubjectState::default();
            let judged = account.check_batch(limits, &requests, now, most);
            if judged.charged {
                self.accounts.insert(subject.clone(), account);
                self.file(subject, limits);
            }
            return Ok(judged.verdicts);
        };
        let judged = account.check_batch(limits, &requests, now, most);
        if judged.charged {
            self.file(subject, limits);
        }
        Ok(judged.verdicts)
    }

    /// Looks at the budgets of `subject` without taking anything.
    ///
    /// # Errors
    /// As [`MemoryLimiter::check`].
    pub fn peek(&mut self, subject: &Subject, limits: &[Limit], now: Millis) -> Result<Verdict, InvalidCheck> {
        self.check(subject, limits, 0, now)
    }

    /// Ends a lease, at all limits of concurrency among `limits`, and returns at how many it was alive or had not
    /// been cleared away yet. Safe to repeat, and without effect where the lease has ended.
    pub fn release(&mut self, subject: &Subject, limits: &[Limit], lease: &LeaseId) -> usize {
        let Some(account) = self.accounts.get_mut(subject) else { return 0 };
        let released = account.release(limits, lease);
        if account.is_empty() {
            self.forget(subject);
        } else if released > 0 {
            self.file(subject, limits);
        }
        released
    }

    /// How many subjects are remembered.
    #[must_use]
    pub fn subjects(&self) -> usize {
        self.accounts.len()
    }

    /// How many entries are remembered: of logs, leases, and one for each other limit.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.entries
    }

    fn forget(&mut self, subject: &Subject) {
        let Some(account) = self.accounts.remove(subject) else { return };
        self.entries = self.entries.saturating_sub(account.counted);
        if let Some(place) = account.filed {
            self.order.remove(&place);
        }
    }

    /// Puts an account that has changed into its place in the order, and makes room for it.
    fn file(&mut self, subject: &Subject, limits: &[Limit]) {
        let Some(account) = self.accounts.get_mut(subject) else { return };
        self.charges = self.charges.wrapping_add(1);
        let place = (account.expires(), self.charges);
        let known = account.filed.replace(place).and_then(|before| self.order.remove(&before));
        self.order.insert(place, known.unwrap_or_else(|| subject.clone()));
        self.entries = self.entries.saturating_sub(account.counted);
        account.counted = account.entries();
        self.entries += account.counted;
        while self.accounts.len() > self.bounds.subjects.max(1) || self.entries > self.bounds.entries {
            let Some(other) = self.order.values().find(|other| *other != subject) else { break };
            let other = other.clone();
            self.forget(&other);
        }
        if self.entries > self.bounds.entries
            && let Some(account) = self.accounts.get_mut(subject)
        {
            account.forget_others(limits);
            account.counted = account.entries();
            self.entries = account.counted;
        }
    }
}
