//! The state machine of the circuit breaker. Pure: `now` is a parameter, and nothing waits.
//!
//! The three states are those of Michael Nygard, "Release It!", "Circuit Breaker"; the exponential pauses with jitter
//! follow Marc Brooker, "Exponential Backoff and Jitter" (AWS Architecture Blog, 2015).

use std::collections::VecDeque;

use crate::time::Millis;

/// Decides whether a call to Redis may be made.
///
/// It opens after [`FAILURES_IN_A_ROW`] failures, or when at least half of the last [`RECENT_CALLS`] calls have failed
/// within [`RECENT`]. While it is open, no call is permitted. After a pause exactly one call is: the probe. If the probe
/// succeeds, the breaker closes. If it fails, the next pause is twice as long, up to [`LONGEST_PAUSE`].
#[derive(Debug, Clone)]
pub struct CircuitBreaker {
    phase: Phase,
    /// The last calls while closed, oldest first: when each ended, and whether it failed.
    recent: VecDeque<(Millis, bool)>,
    failures_in_a_row: usize,
    /// What made the last call fail when the breaker opened.
    cause: String,
    /// The number of times the breaker has opened, closed or begun a probe. A call that began before the last of them
    /// says nothing about the present.
    epoch: u64,
    /// How long a probe may take. A probe that has not ended by then has been abandoned: its request no longer runs.
    probe_timeout: Millis,
    /// The state of the random numbers for the jitter.
    random: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    /// `since` and `until` bound the pause; `pause` is its length without jitter.
    Open {
        since: Millis,
        until: Millis,
        pause: Millis,
    },
    /// A probe has been under way since this time.
    Probing {
        since: Millis,
        pause: Millis,
    },
}

/// The state of a breaker, for health reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls are made.
    Closed,
    /// No call is made for this time.
    Open(Millis),
    /// A probe is under way.
    Probing,
}

/// The permission for one call. The caller reports the outcome of the call with it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "the breaker needs the outcome of the call"]
pub struct Permit {
    epoch: u64,
}

/// A change of the breaker that an operator wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It has opened, for this time.
    Opened(Millis),
    /// The probe has failed. The breaker stays open for this time.
    StaysOpen(Millis),
    /// It has closed.
    Closed,
}

impl BreakerState {
    /// Returns the name in health reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            BreakerState::Closed => "closed",
            BreakerState::Open(_) => "open",
            BreakerState::Probing => "probing",
        }
    }
}

impl CircuitBreaker {
    /// Creates a closed breaker for calls with this timeout; `seed` makes the pauses of different breakers differ.
    #[must_use]
    pub fn new(timeout: Millis, seed: u64) -> Self {
        CircuitBreaker {
            phase: Phase::Closed,
            recent: VecDeque::with_capacity(RECENT_CALLS),
            failures_in_a_row: 0,
            cause: String::new(),
            epoch: 0,
            probe_timeout: timeout.saturating_add(GRACE),
            // The generator stays at 0 if it starts there.
            random: seed | 1,
        }
    }

    /// Returns the state at `now`.
    #[must_use]
    pub fn state(&self, now: Millis) -> BreakerState {
        match self.phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { until, .. } => BreakerState::Open(until.saturating_sub(now)),
            Phase::Probing { .. } => BreakerState::Probing,
        }
    }

    /// Returns what made the last call fail when the breaker opened.
    #[must_use]
    pub fn cause(&self) -> &str {
        &self.cause
    }

    /// Permits a call at `now`.
    ///
    /// # Errors
    /// Returns the time until the next probe, at least 1 ms, if no call may be made.
    pub fn permit(&mut self, now: Millis) -> Result<Permit, Millis> {
        let pause = match self.phase {
            Phase::Closed => return Ok(Permit { epoch: self.epoch }),
            // A clock that has been set back must not prolong the pause.
            Phase::Open { since, until, .. } if since <= now && now < until => {
                return Err(Millis::new(until.get() - now.get()));
            }
            Phase::Probing { since, .. } if since <= now && now.get() - since.get() < self.probe_timeout.get() => {
                let end = since.get() + self.probe_timeout.get();
                return Err(Millis::new(end - now.get()));
            }
            Phase::Open { pause, .. } | Phase::Probing { pause, .. } => pause,
        };
        self.enter(Phase::Probing { since: now, pause });
        Ok(Permit { epoch: self.epoch })
    }

    /// Records the outcome of a permitted call that ended at `now`: why it failed, or `None` if it succeeded. Returns the
    /// change of the breaker, if any.
    pub fn record(&mut self, permit: &Permit, failure: Option<&str>, now: Millis) -> Option<Change> {
        if permit.epoch != self.epoch {
            return None;
        }
        match (self.phase, failure) {
            (Phase::Closed, _) => {
                self.remember(failure.is_some(), now);
                let cause = failure.filter(|_| self.is_failing(now))?;
                Some(Change::Opened(self.open(FIRST_PAUSE, cause, now)))
            }
            (Phase::Probing { pause, .. }, Some(cause)) => {
                let longer = Millis::new((pause.get() * 2).min(LONGEST_PAUSE.get()));
                Some(Change::StaysOpen(self.open(longer, cause, now)))
            }
            (Phase::Probing { .. }, None) => {
                self.recent.clear();
                self.failures_in_a_row = 0;
                self.enter(Phase::Closed);
                Some(Change::Closed)
            }
            // Not possible: the epoch changes when the breaker opens.
            (Phase::Open { .. }, _) => None,
        }
    }

    fn remember(&mut self, failed: bool, now: Millis) {
        if self.recent.len() == RECENT_CALLS {
            self.recent.pop_front();
        }
        self.recent.push_back((now, failed));
        self.failures_in_a_row = if failed { self.failures_in_a_row + 1 } else { 0 };
    }

    fn is_failing(&self, now: Millis) -> bool {
        let oldest = now.saturating_sub(RECENT);
        self.failures_in_a_row >= FAILURES_IN_A_ROW
            || (self.recent.len() == RECENT_CALLS
                && self.recent.iter().all(|(ended, _)| *ended > oldest)
                && self.recent.iter().filter(|(_, failed)| *failed).count() >= RECENT_CALLS / 2)
    }

    /// Opens for about `pause`, and returns the exact time.
    fn open(&mut self, pause: Millis, cause: &str, now: Millis) -> Millis {
        cause.clone_into(&mut self.cause);
        let jittered = Millis::new(pause.get() * (100 - JITTER + self.random_below(2 * JITTER + 1)) / 100);
        self.enter(Phase::Open { since: now, until: Millis::new(now.get() + jittered.get()), pause });
        jittered
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.epoch += 1;
    }

    /// Returns a random number below `bound` (Marsaglia, "Xorshift RNGs", 2003).
    fn random_below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound
    }
}

/// One failure can be an accident, and so can a few while a connection breaks.
const FAILURES_IN_A_ROW: usize = 5;

/// A Redis that fails now and then is found by the share of failures in this many calls.
const RECENT_CALLS: usize = 20;

/// Calls that ended longer ago say nothing about the present.
const RECENT: Millis = Millis::from_secs(10);

/// Long enough for Redis to restart, short enough that a short outage stays short.
const FIRST_PAUSE: Millis = Millis::from_secs(1);

/// The longest time that a recovery goes unnoticed, apart from the jitter.
const LONGEST_PAUSE: Millis = Millis::from_secs(10);

/// A call that times out ends a little after its timeout. Only a probe that is much later has been abandoned.
const GRACE: Millis = Millis::from_secs(1);

/// In percent of the pause, so that isolates do not probe all at once.
const JITTER: u64 = 20;

#[cfg(test)]
mod tests;
