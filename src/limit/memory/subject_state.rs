//! What is remembered of one subject, and the judgement on it: the Rust twin of `lua/check.lua`.

use std::mem;

use crate::limit::algorithm::State;
use crate::limit::check_request::{CheckRequest, LeaseId};
use crate::limit::limit::Limit;
use crate::limit::verdict::{Budget, Retry, Verdict};
use crate::time::Millis;

/// The most limits that are kept besides those of a call, which bounds what a call takes.
const OTHERS: usize = 128;

/// The limits of one subject with their states.
#[derive(Debug, Clone, Default)]
pub(super) struct SubjectState {
    /// The instant at which the packed states hold: that of the last charge.
    time: u64,
    kept: Vec<Kept>,
    /// When everything here stops to matter, for those that have sorted sets.
    latest: u64,
    /// Its place in the order of expiry.
    pub(super) filed: Option<(u64, u64)>,
    /// How many entries it had when they were last counted.
    pub(super) counted: usize,
}

#[derive(Debug, Clone)]
struct Kept {
    limit: Limit,
    state: State,
}

/// The answer to a batch.
pub(super) struct BatchOutcome {
    pub(super) verdicts: Vec<Verdict>,
    /// Whether any request was charged; if not, nothing has changed.
    pub(super) charged: bool,
}

impl SubjectState {
    /// Judges requests in order against all limits. No state gets more than `most` entries, or 1.
    pub(super) fn check_batch(
        &mut self,
        limits: &[Limit],
        requests: &[CheckRequest<'_>],
        now_ms: u64,
        most: usize,
    ) -> BatchOutcome {
        let mut states: Vec<State> = limits.iter().map(|limit| self.lend(limit)).collect();
        let packs = states.iter().any(State::is_packed);
        let known = states.iter().map(State::newest).max().unwrap_or(0).max(if packs { self.time } else { 0 });
        let now = now_ms.max(known);
        for (state, limit) in states.iter_mut().zip(limits) {
            state.change(limit);
            state.advance(self.time, now);
            state.bound(most);
        }
        let mut charged = false;
        let verdicts = requests
            .iter()
            .map(|request| {
                let lease = request.lease.map(LeaseId::as_str);
                let prices = limits.iter().map(|limit| limit.charge_for(request.cost));
                let mut waits: Vec<Retry> =
                    states.iter().zip(prices.clone()).map(|(state, price)| state.wait(price, lease, now)).collect();
                let allowed = waits.iter().all(|wait| *wait == Retry::Now);
                if !allowed {
                    outlast(&states, &mut waits, lease, now);
                }
                if allowed && request.cost > 0 {
                    charged = true;
                    for (state, price) in states.iter_mut().zip(prices) {
                        state.charge(price, lease, now);
                    }
                }
                let budgets = limits
                    .iter()
                    .zip(&states)
                    .zip(waits)
                    .map(|((limit, state), wait)| budget(limit, state, wait, now, now - now_ms))
                    .collect();
                if allowed { Verdict::Allow(budgets) } else { Verdict::Deny(budgets) }
            })
            .collect();
        if charged && packs {
            self.pass(now);
        }
        for (limit, state) in limits.iter().zip(states) {
            self.give_back(limit, state, charged);
        }
        if charged {
            let time = self.time;
            self.kept.retain(|kept| !kept.state.is_packed() || kept.state.full_in(time) > 0);
            self.bound_others(limits, now);
            self.latest = self.kept.iter().map(|kept| kept.ends(time, now)).max().unwrap_or(0);
        }
        BatchOutcome { verdicts, charged }
    }

    /// Ends a lease at the limits of concurrency among these, and returns at how many it was, alive or not.
    pub(super) fn release(&mut self, limits: &[Limit], lease: &LeaseId) -> usize {
        let ends = |limit: &&Limit| match self.find(limit) {
            Some(Kept { state: State::Concurrency(leases), .. }) => leases.release(lease.as_str()),
            _ => false,
        };
        let released = limits.iter().filter(ends).count();
        self.kept.retain(|kept| !kept.state.is_empty());
        let time = self.time;
        // What has a sorted set knows when it ends, whatever time it is.
        self.latest = self.kept.iter().map(|kept| kept.ends(time, 0)).max().unwrap_or(0);
        released
    }

    /// Whether there is nothing to remember.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// When nothing here matters any more.
    pub(super) fn expires(&self) -> u64 {
        self.latest
    }

    /// How many entries its limits take.
    pub(super) fn entries(&self) -> usize {
        self.kept.iter().map(|kept| kept.state.entries()).sum()
    }

    /// Forgets the limits other than these.
    pub(super) fn forget_others(&mut self, limits: &[Limit]) {
        self.kept.retain(|kept| kept.is_of(limits));
    }

    /// Holds the limits other than these to [`OTHERS`]: forgets those that are whole again first.
    fn bound_others(&mut self, limits: &[Limit], now: u64) {
        if self.kept.len() <= OTHERS {
            return;
        }
        let time = self.time;
        self.kept.sort_by_cached_key(|kept| (kept.is_of(limits), kept.ends(time, now)));
        let others = self.kept.partition_point(|kept| !kept.is_of(limits));
        self.kept.drain(..others.saturating_sub(OTHERS));
    }

    /// The state of a limit to work on: a copy of one that is packed, and the only one there is of another.
    fn lend(&mut self, limit: &Limit) -> State {
        match self.find(limit) {
            None => State::new(limit),
            Some(kept) if kept.state.is_packed() => kept.state.clone(),
            Some(kept) => mem::replace(&mut kept.state, State::new(limit)),
        }
    }

    fn give_back(&mut self, limit: &Limit, state: State, charged: bool) {
        match self.find(limit) {
            Some(kept) if charged => *kept = Kept { limit: limit.clone(), state },
            Some(kept) if !state.is_packed() => kept.state = state,
            None if charged => self.kept.push(Kept { limit: limit.clone(), state }),
            Some(_) | None => {}
        }
    }

    fn find(&mut self, limit: &Limit) -> Option<&mut Kept> {
        self.kept.iter_mut().find(|kept| limit.keeps_state_of(&kept.limit))
    }

    /// Brings all packed states to `now`: they have one time. Those that were lent are given back after it.
    fn pass(&mut self, now: u64) {
        for kept in &mut self.kept {
            kept.state.advance(self.time, now);
        }
        self.time = now;
    }
}

impl Kept {
    /// Whether one of these limits goes on from this state.
    fn is_of(&self, limits: &[Limit]) -> bool {
        limits.iter().any(|limit| limit.keeps_state_of(&self.limit))
    }

    /// When the state stops to matter, of a packed one that holds at `time`, or another.
    fn ends(&self, time: u64, now: u64) -> u64 {
        let at = if self.state.is_packed() { time } else { now };
        at.saturating_add(self.state.full_in(at))
    }
}

/// Lets limits of concurrency refuse a request that they admit only because its lease is alive, if at the time that all
/// others make it wait for the lease has ended and no place is free. This makes the request wait longer, and another of
/// its leases may have ended by then; no limit refuses for this reason twice.
fn outlast(states: &[State], waits: &mut [Retry], lease: Option<&str>, now: u64) {
    let longest = |waits: &[Retry]| {
        waits.iter().try_fold(0, |longest, wait| match wait {
            Retry::Now => Some(longest),
            Retry::After(wait) => Some(wait.get().max(longest)),
            Retry::Never => None,
        })
    };
    while let Some(promised) = longest(waits) {
        for (state, wait) in states.iter().zip(waits.iter_mut()) {
            if let State::Concurrency(leases) = state
                && let Retry::After(more) = leases.wait(lease, now.saturating_add(promised))
            {
                *wait = Retry::After(Millis::new(promised.saturating_add(more.get())));
            }
        }
        if longest(waits) == Some(promised) {
            break;
        }
    }
}

fn budget(limit: &Limit, state: &State, wait: Retry, now: u64, ahead: u64) -> Budget {
    let from_now_ms = |ms: u64| Millis::new(if ms > 0 { ms.saturating_add(ahead) } else { 0 });
    let retry = match wait {
        Retry::After(wait) => Retry::After(from_now_ms(wait.get())),
        Retry::Now | Retry::Never => wait,
    };
    Budget { limit: limit.clone(), remaining: state.remaining(now), retry, reset: from_now_ms(state.full_in(now)) }
}
