//! The state of one limit, whatever its algorithm.

use super::concurrency::Concurrency;
use super::fixed_window::FixedWindow;
use super::sliding_log::SlidingLog;
use super::sliding_window::SlidingWindow;
use super::token_bucket::TokenBucket;
use crate::limit::limit::Limit;
use crate::limit::parameters::Algorithm;
use crate::limit::verdict::Retry;

/// The state of one limit of one subject.
#[derive(Debug, Clone)]
pub enum State {
    /// The state of a sliding log.
    SlidingLog(SlidingLog),
    /// The state of a sliding window.
    SlidingWindow(SlidingWindow),
    /// The state of a fixed window.
    FixedWindow(FixedWindow),
    /// The state of a token bucket.
    TokenBucket(TokenBucket),
    /// The state of a concurrency limit.
    Concurrency(Concurrency),
}

impl State {
    /// Creates the state of a limit with nothing used.
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

    /// Applies the numbers of `limit`, which may have changed. Used units stay used if the algorithm is the same.
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

    /// Returns whether the state is a few numbers, valid at an instant that the caller keeps. Other states
    /// store their own times.
    #[must_use]
    pub fn is_packed(&self) -> bool {
        match self {
            State::SlidingWindow(_) | State::FixedWindow(_) | State::TokenBucket(_) => true,
            State::SlidingLog(_) | State::Concurrency(_) => false,
        }
    }

    /// Advances a packed state from one instant to a later one.
    pub fn advance(&mut self, from: u64, to: u64) {
        match self {
            State::SlidingWindow(sliding) => sliding.advance(from, to),
            State::FixedWindow(fixed) => fixed.advance(from, to),
            State::TokenBucket(bucket) => bucket.advance(to.saturating_sub(from)),
            State::SlidingLog(_) | State::Concurrency(_) => {}
        }
    }

    /// Returns the newest instant stored in the state, or 0 if there is none. Leases store only when they expire.
    #[must_use]
    pub fn newest(&self) -> u64 {
        match self {
            State::SlidingLog(log) => log.newest(),
            _ => 0,
        }
    }

    /// Returns how long a request of `cost` units with this lease must wait. `None` asks for a new lease.
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

    /// Charges an admitted request. Without a lease, a concurrency limit charges nothing.
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

    /// Returns the largest cost that a further request can have now, in units; for concurrency, the number of
    /// free leases.
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

    /// Returns the milliseconds until the full quota is available if nothing more comes. From then on the state
    /// can be dropped.
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

    /// Returns the number of entries that the state stores, at least 1. The entries of a log and the leases
    /// grow with the traffic.
    #[must_use]
    pub fn entries(&self) -> usize {
        match self {
            State::SlidingLog(log) => log.len().max(1),
            State::Concurrency(leases) => leases.len().max(1),
            State::SlidingWindow(_) | State::FixedWindow(_) | State::TokenBucket(_) => 1,
        }
    }

    /// Returns whether this is a log without entries or a concurrency limit without leases.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            State::SlidingLog(log) => log.len() == 0,
            State::Concurrency(leases) => leases.len() == 0,
            State::SlidingWindow(_) | State::FixedWindow(_) | State::TokenBucket(_) => false,
        }
    }

    /// Bounds the state to `max_entries`, at least 1, without ever admitting more: a log becomes coarser, and
    /// concurrency grants at most that many leases.
    pub fn bound(&mut self, max_entries: usize) {
        match self {
            State::SlidingLog(log) => log.bound(max_entries),
            State::Concurrency(leases) => leases.bound(max_entries),
            _ => {}
        }
    }
}
