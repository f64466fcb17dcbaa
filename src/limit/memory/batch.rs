//! The check of a batch of requests: `lua/check.lua` in Rust.

use super::subject_state::SubjectState;
use crate::limit::algorithm::State;
use crate::limit::check_request::{CheckRequest, LeaseId};
use crate::limit::limit::Limit;
use crate::limit::verdict::{Budget, Retry, Verdict};
use crate::time::Millis;

/// The outcome of checking a batch.
pub(super) struct BatchOutcome {
    pub(super) verdicts: Vec<Verdict>,
    /// Whether any request was charged. If not, nothing has changed.
    pub(super) charged: bool,
}

/// Checks requests in order against all limits. The state of each limit is in the one of `subjects` at its place in
/// `owner_of`. No state grows beyond `max_entries`, or 1.
pub(super) fn check_batch(
    subjects: &mut [SubjectState],
    owner_of: &[usize],
    limits: &[Limit],
    requests: &[CheckRequest<'_>],
    now_ms: u64,
    max_entries: usize,
) -> BatchOutcome {
    let mut states = Vec::with_capacity(limits.len());
    for (limit, owner) in limits.iter().zip(owner_of) {
        states.push(subjects.get_mut(*owner).map_or_else(|| State::new(limit), |subject| subject.take_state(limit)));
    }
    let packed_at = |owner: usize| subjects.get(owner).map_or(0, SubjectState::packed_at);
    let stored = states.iter().zip(owner_of);
    let stored = stored.map(|(state, owner)| if state.is_packed() { packed_at(*owner) } else { state.newest() });
    let now = stored.fold(now_ms, u64::max);
    for ((state, limit), owner) in states.iter_mut().zip(limits).zip(owner_of) {
        state.change(limit);
        state.advance(packed_at(*owner), now);
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
    if charged {
        for (_, owner) in states.iter().zip(owner_of).filter(|(state, _)| state.is_packed()) {
            if let Some(subject) = subjects.get_mut(*owner) {
                subject.advance_packed(now);
            }
        }
    }
    for ((state, limit), owner) in states.into_iter().zip(limits).zip(owner_of) {
        if let Some(subject) = subjects.get_mut(*owner) {
            subject.put_state(limit, state, charged);
        }
    }
    if charged {
        for subject in subjects {
            subject.finish_charge(limits, now);
        }
    }
    BatchOutcome { verdicts, charged }
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
pub(crate) fn budget(limit: &Limit, state: &State, retry: Retry, now: u64, ahead: u64) -> Budget {
    let by_callers_clock = |ms: u64| Millis::new(if ms > 0 { ms.saturating_add(ahead) } else { 0 });
    let retry = match retry {
        Retry::After(wait) => Retry::After(by_callers_clock(wait.get())),
        Retry::Now | Retry::Never => retry,
    };
    Budget { limit: limit.clone(), remaining: state.remaining(now), retry, reset: by_callers_clock(state.full_in(now)) }
}
