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
    Ask(Advance<'a>),
}

/// Units that a call takes in advance. Dropped, the call is over.
#[derive(Debug)]
pub(in crate::limiter) struct Advance<'a> {
    prefetch: &'a Prefetch,
    subject: &'a Subject,
    rule: PrefetchRule,
    /// The account, unless there are too many.
    account: Option<u64>,
    /// How many further requests of the same cost the units are for; may be 0.
    pub(in crate::limiter) requests: u64,
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
        let ask = |account, requests| Take::Ask(Advance { prefetch: self, subject, rule, account, requests });
        let Some(account) = state.account(subject, limits, now, self.capacity) else { return ask(None, 0) };
        let requests = account.wanted(rule, cost, now);
        if requests == 0 {
            return match account.spend(cost, now) {
                Some((verdict, charged_at)) => Take::Spent(verdict, charged_at),
                None => ask(Some(account.number), 0),
            };
        }
        account.set_asking(Some(now));
        ask(Some(account.number), requests)
    }

    /// Spends held units on a request, for example because Redis could not be asked.
    pub(in crate::limiter) fn spend(
        &self,
        subject: &Subject,
        limits: &[Limit],
        cost: u64,
        now: Millis,
    ) -> Option<(Verdict, Millis)> {
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
            (held.units > 0).then(|| held.into_leftover(&lot.subject, &account.limits))
        })
    }

    /// Notes that what is left of a lot was given back to these limits, by a call that began at `now`.
    pub(in crate::limiter) fn note_given_back(&self, leftover: &Leftover, limits: &[Limit], now: Millis) {
        if let Some(account) = self.lock().find(&leftover.subject, &leftover.limits) {
            account.note_given_back(leftover, limits, now);
        }
    }

    /// Forgets a subject whose state was deleted: what is held is neither spent nor given back.
    pub(in crate::limiter) fn forget(&self, subject: &Subject) {
        let mut state = self.lock();
        state.remove(subject);
        state.withdrawn.retain(|_, (leftover, _)| leftover.subject != *subject);
    }

    /// Stops spending what is held for a subject whose limits have changed. It is given back at its time.
    pub(in crate::limiter) fn withdraw(&self, subject: &Subject, now: Millis) {
        let mut state = self.lock();
        for account in state.remove(subject) {
            for lot in account.lots {
                let number = lot.number;
                state.withdrawn.insert(number, (lot.into_leftover(subject, &account.limits), now));
            }
        }
    }

    /// Returns the units that are held for a subject, may be spent or not.
    #[must_use]
    pub fn held(&self, subject: &Subject) -> u64 {
        let state = self.lock();
        let lots = state.accounts.get(subject).into_iter().flatten().flat_map(|account| &account.lots);
        let withdrawn = state.withdrawn.values().filter(|(leftover, _)| leftover.subject == *subject);
        lots.map(|lot| lot.units).sum::<u64>() + withdrawn.map(|(leftover, _)| leftover.units()).sum::<u64>()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave the state half changed in a way that matters: at worst units count as used.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Advance<'_> {
    /// Takes what Redis has granted to a call that began at `asked`: the verdict on the request itself, and the verdict on
    /// the units in advance if any were asked for. Returns the first one, with the units that are held, and the new lot.
    pub(in crate::limiter) fn record(
        self,
        batch: BatchVerdict,
        cost: u64,
        asked: Millis,
    ) -> Option<(Verdict, Option<LotId>)> {
        let mut verdicts = batch.verdicts.into_iter();
        let (verdict, advance) = (verdicts.next()?, verdicts.next());
        let mut state = self.prefetch.lock();
        state.counter += 1;
        let number = state.counter;
        // Forgotten meanwhile, the units count as used: its state may have been deleted before or after the call.
        let Some(account) = state.numbered(self.subject, self.account) else { return Some((verdict, None)) };
        account.note_report(advance.as_ref().unwrap_or(&verdict).budgets(), asked);
        let lot = advance.filter(Verdict::is_allow).map(|advance| Lot {
            number,
            units: cost.saturating_mul(self.requests),
            requests: self.requests,
            charged_at: batch.at,
            taken: asked,
            end: Millis::new(asked.get().saturating_add(self.rule.hold().get())),
            full_after: advance.budgets().iter().map(|budget| budget.reset).collect(),
        });
        let id = lot.as_ref().map(|_| LotId { subject: self.subject.clone(), number });
        // The budgets of the request's own verdict are those before the lot was charged.
        let verdict = account.with_held(verdict, asked);
        if let Some(lot) = lot {
            account.add(lot);
        }
        Some((verdict, id))
    }
}

impl Drop for Advance<'_> {
    fn drop(&mut self) {
        if self.requests > 0
            && let Some(account) = self.prefetch.lock().numbered(self.subject, self.account)
        {
            account.set_asking(None);
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

    /// Removes what has not been used for a while, at most once in that time.
    fn remove_unused(&mut self, now: Millis) {
        let is_recent = |time: Millis| now.get().abs_diff(time.get()) < UNUSED_AFTER.get();
        if is_recent(self.cleaned) {
            return;
        }
        self.cleaned = now;
        self.withdrawn.retain(|_, (_, since)| is_recent(*since));
        self.accounts.retain(|_, accounts| {
            accounts.retain(|account| is_recent(account.seen));
            !accounts.is_empty()
        });
        self.count = self.accounts.values().map(Vec::len).sum();
    }
}

/// Several megabytes at most: a small part of a Worker's 128 MB.
const CAPACITY: usize = 4096;

/// Longer than any hold, so that what is left of a lot has been given back.
const UNUSED_AFTER: Millis = Millis::from_secs(15);

#[cfg(test)]
mod tests;
