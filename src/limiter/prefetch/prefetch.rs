//! The units that an isolate holds.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::account::Account;
use super::lot::{Leftover, Lot, LotId};
use crate::limit::{Limit, PrefetchRule, Subject, Verdict};
use crate::limiter::reply::BatchVerdict;
use crate::time::Millis;

/// The units that an isolate has taken from Redis in advance.
///
/// A request of a subject that is busy takes units for further requests in its own call, at most a quarter of what remains.
/// They are charged like a request of their own, so Redis never counts less than what passes. Requests spend them without
/// asking Redis; at the end of `hold`, the caller gives the rest back ([`Prefetch::leftover`]).
///
/// Near the limit nothing is taken, so each request asks Redis and the last units are exact.
#[derive(Debug)]
pub struct Prefetch {
    /// The most accounts.
    capacity: usize,
    // Never contended: an isolate has one thread.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The accounts of each subject: one for each list of limits.
    accounts: HashMap<Subject, Vec<Account>>,
    /// The number of accounts.
    count: usize,
    /// What is left of lots that may no longer be spent, until it is given back.
    withdrawn: HashMap<u64, (Leftover, Millis)>,
    /// The accounts that were withdrawn while a call was on its way: subject, limits, and when.
    withdrawn_accounts: HashMap<u64, (Subject, Vec<Limit>, Millis)>,
    /// The source of unique numbers.
    counter: u64,
    /// When unused accounts were last removed.
    cleaned: Millis,
}

/// How a request is decided.
#[derive(Debug)]
pub(in crate::limiter) enum Take<'a> {
    /// It has spent held units, which were charged at this time.
    Spent(Verdict, Millis),
    /// Redis must be asked, for this many units more.
    Ask(PendingLot<'a>),
}

/// Units that a call takes in advance. Dropping it marks the call as ended.
#[derive(Debug)]
pub(in crate::limiter) struct PendingLot<'a> {
    prefetch: &'a Prefetch,
    subject: &'a Subject,
    rule: PrefetchRule,
    /// The account, unless there are too many.
    account: Option<u64>,
    /// How many further requests of the same cost the units are for; may be 0.
    pub(in crate::limiter) requests: u64,
    /// When the call began.
    asked: Millis,
    is_recorded: bool,
}

/// What a call to Redis has decided.
#[derive(Debug)]
pub(in crate::limiter) struct Recorded {
    pub(in crate::limiter) verdict: Verdict,
    /// The time of the charge if Redis has refused the request, and held units have paid for it.
    pub(in crate::limiter) paid_at: Option<Millis>,
    /// The new lot.
    pub(in crate::limiter) lot: Option<LotId>,
}

impl Default for Prefetch {
    fn default() -> Self {
        Prefetch::with_capacity(CAPACITY)
    }
}

impl Prefetch {
    /// Creates an empty store for at most `capacity` subjects and lists of limits. Units of others are not taken in advance.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Prefetch { capacity, state: Mutex::new(State::default()) }
    }

    /// Spends held units on a request, or decides how many to take.
    pub(in crate::limiter) fn take<'a>(
        &'a self,
        rule: PrefetchRule,
        subject: &'a Subject,
        limits: &[Limit],
        cost: u64,
        now: Millis,
    ) -> Take<'a> {
        let mut state = self.lock();
        let ask = |account, requests| {
            Take::Ask(PendingLot { prefetch: self, subject, rule, account, requests, asked: now, is_recorded: false })
        };
        let Some(account) = state.account(subject, limits, now, self.capacity) else { return ask(None, 0) };
        let requests = account.requests_to_take(rule, cost, now);
        if requests == 0 {
            return match account.spend(cost, now) {
                Some((verdict, charged_at)) => Take::Spent(verdict, charged_at),
                None => ask(Some(account.number), 0),
            };
        }
        account.begin_call(now);
        ask(Some(account.number), requests)
    }

    /// Spends held units on a request.
    fn spend(&self, subject: &Subject, limits: &[Limit], cost: u64, now: Millis) -> Option<(Verdict, Millis)> {
        self.lock().find(subject, limits)?.spend(cost, now)
    }

    /// Removes what is left of a lot, so that it can be given back. `None` if nothing is, or if it was removed before.
    pub fn leftover(&self, lot: &LotId) -> Option<Leftover> {
        let mut state = self.lock();
        if let Some((leftover, _)) = state.withdrawn.remove(&lot.number) {
            return Some(leftover);
        }
        state.accounts.get_mut(&lot.subject)?.iter_mut().find_map(|account| {
            let index = account.lots.iter().position(|held| held.number == lot.number)?;
            let held = account.lots.remove(index);
            (held.units > 0 || held.requests > 0).then(|| held.into_leftover(&lot.subject, &account.limits))
        })
    }

    /// Notes that these units were given back to these limits, by a call that began at `now`.
    pub(in crate::limiter) fn note_given_back(
        &self,
        leftover: &Leftover,
        limits: &[Limit],
        units: &[u64],
        now: Millis,
    ) {
        if let Some(account) = self.lock().find(&leftover.subject, &leftover.limits) {
            account.note_given_back(limits, units, now);
        }
    }

    /// Forgets a subject whose state was deleted: what is held is neither spent nor given back.
    pub(in crate::limiter) fn forget(&self, subject: &Subject) {
        let mut state = self.lock();
        state.remove(subject);
        state.withdrawn.retain(|_, (leftover, _)| leftover.subject != *subject);
        // What a call on its way takes counts as used.
        state.withdrawn_accounts.retain(|_, (withdrawn, ..)| withdrawn != subject);
    }

    /// Stops spending what is held for a subject whose limits have changed. Returns the lots, which can be given back.
    pub(in crate::limiter) fn withdraw(&self, subject: &Subject, now: Millis) -> Vec<LotId> {
        let mut state = self.lock();
        let mut lots = Vec::new();
        for account in state.remove(subject) {
            if account.is_asking() {
                let withdrawn = (subject.clone(), account.limits.clone(), now);
                state.withdrawn_accounts.insert(account.number, withdrawn);
            }
            for lot in account.lots {
                let number = lot.number;
                state.withdrawn.insert(number, (lot.into_leftover(subject, &account.limits), now));
                lots.push(LotId { subject: subject.clone(), number });
            }
        }
        lots
    }

    /// Returns the units that are held for a subject, spendable or withdrawn, and for how many requests they were taken.
    #[must_use]
    pub fn held(&self, subject: &Subject) -> (u64, u64) {
        let state = self.lock();
        let lots = state.accounts.get(subject).into_iter().flatten().flat_map(|account| &account.lots);
        let lots = lots.map(|lot| (lot.units, lot.requests));
        let withdrawn = state.withdrawn.values().filter(|(leftover, _)| leftover.subject == *subject);
        let withdrawn = withdrawn.map(|(leftover, _)| (leftover.units(), leftover.requests()));
        lots.chain(withdrawn).fold((0, 0), |sum, held| (sum.0 + held.0, sum.1 + held.1))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave the state half changed in a way that matters: at worst units count as used.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PendingLot<'_> {
    /// Spends held units on the request, because Redis could not be asked.
    pub(in crate::limiter) fn spend_held(&self, limits: &[Limit], cost: u64) -> Option<(Verdict, Millis)> {
        self.prefetch.spend(self.subject, limits, cost, self.asked)
    }

    /// Takes what Redis has granted: the verdict on the request itself, and the verdict on the units in advance if any were
    /// asked for. `None` if there is no verdict.
    pub(in crate::limiter) fn record(mut self, batch: BatchVerdict, cost: u64) -> Option<Recorded> {
        self.is_recorded = true;
        let mut verdicts = batch.verdicts.into_iter();
        let (verdict, advance) = (verdicts.next()?, verdicts.next());
        let mut state = self.prefetch.lock();
        state.counter += 1;
        let number = state.counter;
        let report = advance.as_ref().unwrap_or(&verdict).budgets().to_vec();
        let lot = advance.filter(Verdict::is_allow).map(|advance| Lot {
            number,
            units: cost.saturating_mul(self.requests),
            requests: self.requests,
            charged_at: batch.at,
            taken: self.asked,
            end: self.asked.saturating_add(self.rule.hold()),
            full_after: advance.budgets().iter().map(|budget| budget.reset).collect(),
        });
        let id = lot.as_ref().map(|_| LotId { subject: self.subject.clone(), number });
        let Some(account) = state.numbered(self.subject, self.account) else {
            let withdrawn = self.account.and_then(|account| state.withdrawn_accounts.remove(&account));
            // After a reset, the lot counts as used: nobody knows whether it was charged before or after.
            let withdrawn = withdrawn.zip(lot).map(|((_, limits, _), lot)| lot.into_leftover(self.subject, &limits));
            let lot = id.filter(|_| withdrawn.is_some());
            state.withdrawn.extend(withdrawn.map(|leftover| (number, (leftover, self.asked))));
            return Some(Recorded { verdict, paid_at: None, lot });
        };
        account.note_report(&report, self.asked);
        if !verdict.is_allow()
            && let Some((verdict, paid_at)) = account.spend(cost, self.asked)
        {
            return Some(Recorded { verdict, paid_at: Some(paid_at), lot: None });
        }
        // The budgets of the request's own verdict are those before the lot was charged.
        let verdict = account.with_held(verdict, self.asked);
        account.lots.extend(lot);
        Some(Recorded { verdict, paid_at: None, lot: id })
    }
}

impl Drop for PendingLot<'_> {
    fn drop(&mut self) {
        if self.requests == 0 {
            return;
        }
        let mut state = self.prefetch.lock();
        if let Some(account) = state.numbered(self.subject, self.account) {
            account.end_call(self.asked, !self.is_recorded);
        } else if let Some(account) = self.account {
            state.withdrawn_accounts.remove(&account);
        }
    }
}

impl State {
    fn find(&mut self, subject: &Subject, limits: &[Limit]) -> Option<&mut Account> {
        self.accounts.get_mut(subject)?.iter_mut().find(|account| account.limits == limits)
    }

    fn numbered(&mut self, subject: &Subject, number: Option<u64>) -> Option<&mut Account> {
        self.accounts.get_mut(subject)?.iter_mut().find(|account| Some(account.number) == number)
    }

    /// Returns the account of a subject and its limits. Opens one if it has none, unless there are `capacity` already.
    fn account(&mut self, subject: &Subject, limits: &[Limit], now: Millis, capacity: usize) -> Option<&mut Account> {
        if self.find(subject, limits).is_none() {
            if self.count >= capacity {
                self.remove_unused(now);
            }
            if self.count >= capacity {
                return None;
            }
            self.counter += 1;
            self.count += 1;
            let account = Account::new(self.counter, limits, now);
            self.accounts.entry(subject.clone()).or_default().push(account);
        }
        self.find(subject, limits)
    }

    fn remove(&mut self, subject: &Subject) -> Vec<Account> {
        let accounts = self.accounts.remove(subject).unwrap_or_default();
        self.count -= accounts.len();
        accounts
    }

    /// Removes what is not used any more, at most once in [`CLEANED_EVERY`].
    fn remove_unused(&mut self, now: Millis) {
        let is_within = |time: Millis, span: Millis| now.get().abs_diff(time.get()) < span.get();
        if is_within(self.cleaned, CLEANED_EVERY) {
            return;
        }
        self.cleaned = now;
        self.withdrawn.retain(|_, (_, since)| is_within(*since, UNUSED_AFTER));
        self.withdrawn_accounts.retain(|_, (.., since)| is_within(*since, UNUSED_AFTER));
        self.accounts.retain(|_, accounts| {
            let holds = |account: &Account| !account.lots.is_empty() && is_within(account.last_request, UNUSED_AFTER);
            accounts.retain(|account| holds(account) || is_within(account.last_request, CLEANED_EVERY));
            !accounts.is_empty()
        });
        self.count = self.accounts.values().map(Vec::len).sum();
    }
}

/// Several megabytes at most: a small part of a Worker's 128 MB.
const CAPACITY: usize = 4096;

/// An account without units is removed after this time if there are too many.
const CLEANED_EVERY: Millis = Millis::from_secs(1);

/// Longer than any hold: what is left of a lot has been given back, or counts as used.
const UNUSED_AFTER: Millis = Millis::from_secs(15);

#[cfg(test)]
mod tests;
