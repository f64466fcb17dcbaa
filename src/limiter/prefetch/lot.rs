//! Units that were taken together.

use crate::limit::{Algorithm, Limit, Subject};
use crate::limiter::settlement::Correction;
use crate::time::Millis;

/// Identifies units that were taken together, for the time when their rest is given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotId {
    pub(super) subject: Subject,
    pub(super) number: u64,
}

/// Units that were taken together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lot {
    pub(super) number: u64,
    /// What is left: units, and how many requests they are for. A limit that counts requests was charged the latter.
    pub(super) units: u64,
    pub(super) requests: u64,
    /// The time of the charge, by the clock that decided.
    pub(super) charged_at: Millis,
    /// The time before the charge, by the edge's clock.
    pub(super) taken: Millis,
    /// When the units may no longer be spent.
    pub(super) end: Millis,
    /// For each limit, how long after the charge it is back at its full quota at the earliest.
    pub(super) full_after: Vec<Millis>,
}

/// What is left of units that were taken together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    pub(in crate::limiter) subject: Subject,
    pub(super) limits: Vec<Limit>,
    lot: Lot,
}

impl Lot {
    /// Returns the units that are left for a limit.
    pub(super) fn left_for(&self, limit: &Limit) -> u64 {
        if limit.counts_requests() { self.requests } else { self.units }
    }

    /// Returns what is left of the lot, charged to `subject` at `limits`.
    pub(super) fn into_leftover(self, subject: &Subject, limits: &[Limit]) -> Leftover {
        Leftover { subject: subject.clone(), limits: limits.to_vec(), lot: self }
    }
}

impl Leftover {
    /// Returns the time of the charge, by the clock that decided.
    pub(in crate::limiter) fn charged_at(&self) -> Millis {
        self.lot.charged_at
    }

    /// Returns what to give back at `now`, and at which limits.
    ///
    /// Nothing is given back to a token bucket that may be full before the call: what it was charged has been refilled then.
    pub(in crate::limiter) fn corrections(&self, now: Millis) -> Vec<(Vec<Limit>, Correction)> {
        let passed = now.get().saturating_sub(self.lot.taken.get());
        let group = |counting: bool, units| {
            let limits = self.limits.iter().zip(&self.lot.full_after);
            let limits = limits.filter(|(limit, full_after)| {
                let refills = matches!(limit.algorithm(), Algorithm::TokenBucket { .. });
                limit.counts_requests() == counting && !(refills && passed.saturating_mul(MARGIN) >= full_after.get())
            });
            let limits: Vec<Limit> = limits.map(|(limit, _)| limit.clone()).collect();
            (limits, Correction::GiveBack(units))
        };
        let groups = [group(false, self.lot.units), group(true, self.lot.requests)];
        let something = |(limits, correction): &(Vec<Limit>, Correction)| {
            !limits.is_empty() && *correction != Correction::GiveBack(0)
        };
        groups.into_iter().filter(something).collect()
    }

    /// Returns the units that are left.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.lot.units
    }

    /// Returns for how many requests they were taken, less those that have spent some.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.lot.requests
    }
}

/// For the call that gives back, and for clocks that differ: the time that has passed counts twice.
const MARGIN: u64 = 2;
