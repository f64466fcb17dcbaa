//! The semantics of `check.lua`, written in the slow and obvious way: every admission is stored, and numbers have 128
//! bits.

#![allow(dead_code, reason = "each test binary uses its part")]

use super::Spec;

pub(crate) struct Oracle {
    limits: Vec<(Spec, State)>,
    time: u64,
}

enum State {
    /// Each admission: its time and cost.
    Log(Vec<(u64, u64)>),
    /// The debt of the bucket at `time`, in units of 1/window of a token.
    Bucket { debt: u128 },
}

impl Oracle {
    pub(crate) fn new(limits: &[Spec]) -> Self {
        let state = |spec: &Spec| match spec.burst {
            None => State::Log(Vec::new()),
            Some(_) => State::Bucket { debt: 0 },
        };
        Oracle { limits: limits.iter().map(|spec| (spec.clone(), state(spec))).collect(), time: 0 }
    }

    /// Checks one request and returns the numbers of `check.lua`.
    pub(crate) fn check(&mut self, cost: u64, now_ms: u64) -> Vec<i64> {
        let now = now_ms.max(self.time);
        let ahead = now - now_ms;
        let waits: Vec<i64> =
            self.limits.iter().map(|(spec, state)| wait(spec, state, cost, now - self.time, now)).collect();
        let allowed = waits.iter().all(|wait| *wait == 0);
        if allowed && cost > 0 {
            for (spec, state) in &mut self.limits {
                match state {
                    State::Log(entries) => entries.push((now, cost)),
                    State::Bucket { debt } => {
                        *debt = debt_after(spec, *debt, now - self.time) + u128::from(cost) * u128::from(spec.window);
                    }
                }
            }
            self.time = now;
        }
        let mut numbers = vec![i64::from(allowed)];
        for ((spec, state), wait) in self.limits.iter().zip(waits) {
            let (remaining, full_in) = budget(spec, state, now - self.time, now);
            let reset = if full_in > 0 { full_in + ahead } else { 0 };
            let retry = if wait > 0 { wait + ahead.cast_signed() } else { wait };
            numbers.extend([remaining.cast_signed(), retry, reset.cast_signed()]);
        }
        numbers
    }
}

fn debt_after(spec: &Spec, debt: u128, elapsed: u64) -> u128 {
    debt.saturating_sub(u128::from(elapsed) * u128::from(spec.limit))
}

fn used(spec: &Spec, entries: &[(u64, u64)], now: u64) -> u64 {
    entries.iter().filter(|(time, _)| time + spec.window > now).map(|(_, cost)| cost).sum()
}

fn wait(spec: &Spec, state: &State, cost: u64, elapsed: u64, now: u64) -> i64 {
    let capacity = spec.burst.unwrap_or(spec.limit);
    if cost > capacity {
        return -1;
    }
    let wait = match state {
        State::Log(entries) => {
            let fits = |at: u64| used(spec, entries, at) + cost <= spec.limit;
            let ends = entries.iter().map(|(time, _)| time + spec.window).filter(|end| *end > now);
            std::iter::once(now).chain(ends).filter(|at| fits(*at)).min().map_or(0, |at| at - now)
        }
        State::Bucket { debt } => {
            let window = u128::from(spec.window);
            let wanted = debt_after(spec, *debt, elapsed) + u128::from(cost) * window;
            let over = wanted.saturating_sub(u128::from(capacity) * window);
            u64::try_from(over.div_ceil(u128::from(spec.limit))).unwrap_or(u64::MAX)
        }
    };
    wait.cast_signed()
}

/// Remaining units, and milliseconds until the limit is full.
fn budget(spec: &Spec, state: &State, elapsed: u64, now: u64) -> (u64, u64) {
    match state {
        State::Log(entries) => {
            let last = entries.iter().map(|(time, _)| time + spec.window).max().unwrap_or(0);
            (spec.limit.saturating_sub(used(spec, entries, now)), last.saturating_sub(now))
        }
        State::Bucket { debt } => {
            let debt = debt_after(spec, *debt, elapsed);
            let window = u128::from(spec.window);
            let level = (u128::from(spec.burst.unwrap_or(spec.limit)) * window).saturating_sub(debt);
            let narrow = |number: u128| u64::try_from(number).unwrap_or(u64::MAX);
            (narrow(level / window), narrow(debt.div_ceil(u128::from(spec.limit))))
        }
    }
}
