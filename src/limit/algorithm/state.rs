//! TODO.

use super::concurrency::Concurrency;
use super::fixed_window::FixedWindow;
use super::sliding_log::SlidingLog;
use super::sliding_window::SlidingWindow;
use super::token_bucket::TokenBucket;
use crate::limit::limit::Limit;
use crate::limit::parameters::Algorithm;
use crate::limit::verdict::Retry;

/// The state of one limit of one subject, by the limit's algorithm.
#[derive(Debug, Clone)]
pub enum State {
    /// See [`SlidingLog`].
    SlidingLog(SlidingLog),
    /// See [`SlidingWindow`].
    SlidingWindow(SlidingWindow),
    /// See [`FixedWindow`].
    FixedWindow(FixedWindow),
    /// See [`TokenBucket`].
    TokenBucket(TokenBucket),
    /// See [`Concurrency`].
    Concurrency(Concurrency),
}

impl State {
    /// A limit of which nothing has been used.
    #[must_use]
    pub fn new(limit: &Limit) -> Self {
        let quota = limit.quota();
        match limit.algorithm() {
            Algorithm::SlidingLog { window } => State::SlidingLog(SlidingLog::new(quota, window.get())),
            Algorithm::SlidingWindow { window } => State::SlidingWindow(SlidingWindow::new(quota, window.get())),
            Algorithm::FixedWindow { window } => State::FixedWindow(FixedWindow::new(quota, window)),
            Algorithm::TokenBucket { burst, rate, .. } => State::TokenBucket(TokenBucket::new(burst, rate)),
            Algorithm::Concurrency { lease } => State::Concurrency(Concurrency::new(quota, lease.get())),
        }
    }

    /// Goes on under `limit`, whose numbers may have changed. What was used stays used, if the algorithm is the same.
    pub fn change(&mut self, limit: &Limit) {
        let quota = limit.quota();
        match (&mut *self, limit.algorithm()) {
            (State::SlidingLog(log), Algorithm::SlidingLog { window }) => log.change(quota, window.get()),
            (State::SlidingWindow(sliding), Algorithm::SlidingWindow { .. }) => sliding.change(quota),
            (State::FixedWindow(fixed), Algorithm::FixedWindow { .. }) => fixed.change(quota),
            (State::TokenBucket(bucket), Algorithm::TokenBucket { burst, rate, .. }) => bucket.change(burst, rate),
            (State::Concurrency(leases), Algorithm::Concurrency { lease }) => leases.change(quota, lease.get()),
            _ => *self = State::new(limit),
        }
    }

    /// Whether the state is a few numbers that hold at one instant, told by the caller; else it knows its own times.
    #[must_use]
    pub fn is_packed(&self) -> bool {
        match self {
            State::SlidingWindow(_) | State::FixedWindow(_) | State::TokenBucket(_) => true,
            State::SlidingLog(_) | State::Concurrency(_) => false,
        }
    }

    /// Brings a packed state from one instant to a later one.
    pub fn advance(&mut self, from: u64, to: u64) {
        match self {
            State::SlidingWindow(sliding) => sliding.advance(from, to),
            State::FixedWindow(fixed) => fixed.advance(from, to),
            State::TokenBucket(bucket) => bucket.advance(to.saturating_sub(from)),
            State::SlidingLog(_) | State::Concurrency(_) => {}
        }
    }

    /// The newest instant that the state itself knows; 0 if none. Leases tell none: they only say when they end.
    #[must_use]
    pub fn newest(&self) -> u64 {
        match self {
            State::SlidingLog(log) => log.newest(),
            _ => 0,
        }
    }

    /// How long a request of `cost` units with this lease must wait. A lease of `None` is a lease not yet taken.
    #[must_use]
    pub fn wait(&self, cost: u64, lease: Option<&str>, now: u64) -> Retry {
        match self {
            State::SlidingLog(log) => log.wait(cost, now),
            State::SlidingWindow(sliding) => sliding.wait(cost, now),
            State::FixedWindow(fixed) => fixed.wait(cost, now),
            State::TokenBucket(bucket) => bucket.wait(cost),
            State::Concurrency(leases) => leases.wait(lease, now),
        }
    }

    /// Takes a request that need not wait. At concurrency one without a lease takes nothing.
    pub fn charge(&mut self, cost: u64, lease: Option<&str>, now: u64) {
        match self {
            State::SlidingLog(log) => log.charge(cost, now),
            State::SlidingWindow(sliding) => sliding.charge(cost),
            State::FixedWindow(fixed) => fixed.charge(cost),
            State::TokenBucket(bucket) => bucket.charge(cost),
            State::Concurrency(leases) => {
                if let Some(lease) = lease {
                    leases.take(lease, now);
                }
            }
        }
    }

    /// The largest cost that a further request could have now, in units; at concurrency, the leases left.
    #[must_use]
    pub fn remaining(&self, now: u64) -> u64 {
        match self {
            State::SlidingLog(log) => log.remaining(now),
            State::SlidingWindow(sliding) => sliding.remaining(now),
            State::FixedWindow(fixed) => fixed.remaining(),
            State::TokenBucket(bucket) => bucket.remaining(),
            State::Concurrency(leases) => leases.remaining(now),
        }
    }

    /// How long until the quota is whole again if nothing more comes. From then on the state does not matter.
    #[must_use]
    pub fn full_in(&self, now: u64) -> u64 {
        match self {
            State::SlidingLog(log) => log.full_in(now),
            State::SlidingWindow(sliding) => sliding.full_in(now),
            State::FixedWindow(fixed) => fixed.full_in(now),
            State::TokenBucket(bucket) => bucket.full_in(),
            State::Concurrency(leases) => leases.full_in(now),
        }
    }

    /// How many entries the state takes: those of a log, or leases, whose number grows with the traffic, and 1 at least.
    #[must_use]
    pub fn entries(&self) -> usize {
        match self {
            State::SlidingLog(log) => log.len().max(1),
            State::Concurrency(leases) => leases.len().max(1),
            State::SlidingWindow(_) | State::FixedWindow(_) | State::TokenBucket(_) => 1,
        }
    }

    /// Whether this is a log without entries, or a set without leases.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            State::SlidingLog(log) => log.len() == 0,
            State::Concurrency(leases) => leases.len() == 0,
            State::SlidingWindow(_) | State::FixedWindow(_) | State::TokenBucket(_) => false,
        }
    }

    /// Holds the state to this many entries, 1 at least, without ever admitting more than the whole one would:
    /// a log becomes coarser, and no more leases than that are handed out.
    pub fn bound(&mut self, most: usize) {
        match self {
            State::SlidingLog(log) => log.bound(most),
            State::Concurrency(leases) => leases.bound(most),
            _ => {}
        }
    }
}
