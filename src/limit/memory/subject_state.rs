//! The state of one subject, and the check of its requests: `lua/check.lua` in Rust.

use std::mem;

use crate::limit::algorithm::State;
use crate::limit::check_request::{CheckRequest, LeaseId};
use crate::limit::limit::Limit;
use crate::limit::verdict::{Budget, Retry, Verdict};
use crate::time::Millis;

/// The most limits stored besides those of a call. Bounds the time of a call.
const MAX_OTHER_LIMITS: usize = 128;

/// The limits of one subject with their states. Instants are milliseconds since the epoch.
#[derive(Debug, Clone, Default)]
pub(super) struct SubjectState {
    /// The instant at which all packed states are valid: that of the last charge.
    packed_at: u64,
    limits: Vec<LimitState>,
    /// The instant from which every quota is full, so nothing here matters any more.
    expires_at: u64,
    /// The key of this subject in the limiter's index by expiry.
    pub(super) index_key: Option<(u64, u64)>,
    /// The number of entries when the limiter last counted them.
    pub(super) counted_entries: usize,
}

#[derive(Debug, Clone)]
struct LimitState {
    limit: Limit,
    state: State,
}

/// The outcome of checking a batch.
pub(super) struct BatchOutcome {
    pub(super) verdicts: Vec<Verdict>,
    /// Whether any request was charged. If not, nothing has changed.
    pub(super) charged: bool,
}

impl SubjectState {
    /// Checks requests in order against all limits. No state grows beyond `max_entries`, or 1.
    pub(super) fn check_batch(
        &mut self,
        limits: &[Limit],
        requests: &[CheckRequest<'_>],
        now_ms: u64,
        max_entries: usize,
    ) -> BatchOutcome {
        let mut states: Vec<State> = limits.iter().map(|limit| self.take_state(limit)).collect();
        let any_packed = states.iter().any(State::is_packed);
        let stored =
            states.iter().map(State::newest).max().unwrap_or(0).max(if any_packed { self.packed_at } else { 0 });
        let now = now_ms.max(stored);
        for (state, limit) in states.iter_mut().zip(limits) {
            state.change(limit);
            state.advance(self.packed_at, now);
            state.bound(max_entries);
        }
        let mut charged = false;
        let verdicts = requests
            .iter()
            .map(|request| {
                let verdict = check_request(limits, &mut states, request, now, now_ms);
                charged |= verdict.is_allow() && request.cost > 0;
                verdict
            })
            .collect();
        if charged && any_packed {
            self.advance_packed(now);
        }
        for (limit, state) in limits.iter().zip(states) {
            self.put_state(limit, state, charged);
        }
        if charged {
            let packed_at = self.packed_at;
            self.limits.retain(|stored| !stored.state.is_packed() || stored.state.full_in(packed_at) > 0);
            self.drop_excess_limits(limits, now);
            self.update_expiry(now);
        }
        BatchOutcome { verdicts, charged }
    }

    /// Ends a lease at the concurrency limits among `limits`, and returns how many of them had it, alive or
    /// expired.
    pub(super) fn release(&mut self, limits: &[Limit], lease: &LeaseId) -> usize {
        let has_lease = |limit: &&Limit| match self.find(limit) {
            Some(LimitState { state: State::Concurrency(leases), .. }) => leases.release(lease.as_str()),
            _ => false,
        };
        let released = limits.iter().filter(has_lease).count();
        self.limits.retain(|stored| !stored.state.is_empty());
        // Packed states are valid at `packed_at`, and others store when they expire: any `now` gives the same
        // result.
        self.update_expiry(0);
        released
    }

    /// Returns whether nothing is stored.
    pub(super) fn is_empty(&self) -> bool {
        self.limits.is_empty()
    }

    /// Returns the instant from which every quota is full.
    pub(super) fn expires_at(&self) -> u64 {
        self.expires_at
    }

    /// Returns the number of entries that the limits store.
    pub(super) fn entries(&self) -> usize {
        self.limits.iter().map(|stored| stored.state.entries()).sum()
    }

    /// Drops the limits other than these.
    pub(super) fn drop_other_limits(&mut self, limits: &[Limit]) {
        self.limits.retain(|stored| stored.belongs_to(limits));
    }

    /// Drops limits other than these until [`MAX_OTHER_LIMITS`] are left, those that are full first.
    fn drop_excess_limits(&mut self, limits: &[Limit], now: u64) {
        if self.limits.len() <= MAX_OTHER_LIMITS {
            return;
        }
        let packed_at = self.packed_at;
        self.limits.sort_by_cached_key(|stored| (stored.belongs_to(limits), stored.full_at(packed_at, now)));
        let others = self.limits.partition_point(|stored| !stored.belongs_to(limits));
        self.limits.drain(..others.saturating_sub(MAX_OTHER_LIMITS));
    }

    fn update_expiry(&mut self, now: u64) {
        let packed_at = self.packed_at;
        self.expires_at = self.limits.iter().map(|stored| stored.full_at(packed_at, now)).max().unwrap_or(0);
    }

    /// Returns the state of a limit to work on: a copy of a packed state, but the stored value itself of a log
    /// or of leases, which are too large to copy.
    fn take_state(&mut self, limit: &Limit) -> State {
        match self.find(limit) {
            None => State::new(limit),
            Some(stored) if stored.state.is_packed() => stored.state.clone(),
            Some(stored) => mem::replace(&mut stored.state, State::new(limit)),
        }
    }

    /// Stores a state from [`Self::take_state`]. If nothing was charged, packed states stay as they were.
    fn put_state(&mut self, limit: &Limit, state: State, charged: bool) {
        match self.find(limit) {
            Some(stored) if charged => *stored = LimitState { limit: limit.clone(), state },
            Some(stored) if !state.is_packed() => stored.state = state,
            None if charged => self.limits.push(LimitState { limit: limit.clone(), state }),
            Some(_) | None => {}
        }
    }

    fn find(&mut self, limit: &Limit) -> Option<&mut LimitState> {
        self.limits.iter_mut().find(|stored| limit.keeps_state_of(&stored.limit))
    }

    /// Advances all stored packed states to `now`, because they share one instant.
    fn advance_packed(&mut self, now: u64) {
        for stored in &mut self.limits {
            stored.state.advance(self.packed_at, now);
        }
        self.packed_at = now;
    }
}

impl LimitState {
    /// Returns whether one of these limits uses this state.
    fn belongs_to(&self, limits: &[Limit]) -> bool {
        limits.iter().any(|limit| limit.keeps_state_of(&self.limit))
    }

    /// Returns the instant from which the quota is full. A packed state is valid at `packed_at`, others at `now`.
    fn full_at(&self, packed_at: u64, now: u64) -> u64 {
        let at = if self.state.is_packed() { packed_at } else { now };
        at.saturating_add(self.state.full_in(at))
    }
}

/// Checks one request, and charges it if all limits admit it. Waits in the verdict are relative to `now_ms`.
fn check_request(limits: &[Limit], states: &mut [State], request: &CheckRequest<'_>, now: u64, now_ms: u64) -> Verdict {
    let lease = request.lease.map(LeaseId::as_str);
    let charges = limits.iter().map(|limit| limit.charge_for(request.cost));
    let mut retries: Vec<Retry> =
        states.iter().zip(charges.clone()).map(|(state, charge)| state.wait(charge, lease, now)).collect();
    let allowed = retries.iter().all(|retry| *retry == Retry::Now);
    if !allowed {
        deny_expiring_renewals(states, &mut retries, lease, now);
    }
    if allowed && request.cost > 0 {
        for (state, charge) in states.iter_mut().zip(charges) {
            state.charge(charge, lease, now);
        }
    }
    let budgets = limits
        .iter()
        .zip(states.iter())
        .zip(retries)
        .map(|((limit, state), retry)| budget(limit, state, retry, now, now - now_ms))
        .collect();
    if allowed { Verdict::Allow(budgets) } else { Verdict::Deny(budgets) }
}

/// Makes concurrency limits deny a renewal if the other limits delay the request until its lease has expired
/// and no slot is free.
///
/// This delays the request further, until another of its leases may have expired. The loop ends because a limit
/// denies at most once for this reason.
fn deny_expiring_renewals(states: &[State], retries: &mut [Retry], lease: Option<&str>, now: u64) {
    let longest = |retries: &[Retry]| {
        retries.iter().try_fold(0, |longest, retry| match retry {
            Retry::Now => Some(longest),
            Retry::After(wait) => Some(wait.get().max(longest)),
            Retry::Never => None,
        })
    };
    while let Some(wait) = longest(retries) {
        for (state, retry) in states.iter().zip(retries.iter_mut()) {
            if let State::Concurrency(leases) = state
                && let Retry::After(more) = leases.wait(lease, now.saturating_add(wait))
            {
                *retry = Retry::After(Millis::new(wait.saturating_add(more.get())));
            }
        }
        if longest(retries) == Some(wait) {
            break;
        }
    }
}

/// Returns the budget of a limit. `ahead` is how far `now` is ahead of the caller's clock.
fn budget(limit: &Limit, state: &State, retry: Retry, now: u64, ahead: u64) -> Budget {
    let by_callers_clock = |ms: u64| Millis::new(if ms > 0 { ms.saturating_add(ahead) } else { 0 });
    let retry = match retry {
        Retry::After(wait) => Retry::After(by_callers_clock(wait.get())),
        Retry::Now | Retry::Never => retry,
    };
    Budget { limit: limit.clone(), remaining: state.remaining(now), retry, reset: by_callers_clock(state.full_in(now)) }
}
