//! The real cost of an admitted request, and the outcome of settling it.

use super::request_id::RequestId;
use crate::limit::MAX_INTEGER;
use crate::redis::Argument;
use crate::time::Millis;

/// The real cost of an admitted request, as a correction of what the check charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement<'a> {
    /// The request to settle. A second settlement of the same request does nothing, whatever its other fields.
    pub request: &'a RequestId,
    /// The time of the check by the clock that decided it, or a little earlier.
    ///
    /// A sliding log gives back units charged at or after this time. If it is too late, the log gives back
    /// units of newer requests and can admit too much. If it is too early, the log only gives back units that
    /// expire sooner.
    pub charged_at: Millis,
    /// The difference between the real cost and the charge.
    pub correction: Correction,
    /// How long Redis remembers that the request is settled. Must exceed the time after which a settlement may
    /// be repeated.
    pub memory: Millis,
}

/// The difference between the real cost and the charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// Charges this many more units. They may overdraw a limit, which then makes other requests wait. What a
    /// limit holds stays below 2^53; units beyond that are not charged.
    Charge(u64),
    /// Gives back this many units. Must not exceed the charge, or units of other requests are given back.
    GiveBack(u64),
}

/// The outcome of a settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettleOutcome {
    /// The correction was applied.
    Settle {
        /// The whole units charged or given back, for each limit. Fewer than the correction if the limit no
        /// longer holds the request's charge; 0 for a concurrency limit.
        units: Vec<u64>,
    },
    /// The request was settled before. Nothing changed.
    Repeat,
}

impl Correction {
    /// Returns the correction of a request that was charged `charged` units and really cost `cost`.
    #[must_use]
    pub fn between(charged: u64, cost: u64) -> Self {
        if cost > charged { Correction::Charge(cost - charged) } else { Correction::GiveBack(charged - cost) }
    }

    /// Returns `more` and `less` of `settle.lua`.
    pub(super) fn arguments(self) -> [Argument<'static>; 2] {
        let (more, less) = match self {
            Correction::Charge(units) => (units, 0),
            Correction::GiveBack(units) => (0, units),
        };
        [more, less].map(|units| Argument::Number(units.min(MAX_INTEGER)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correction_is_the_difference() {
        assert_eq!(Correction::between(5, 8), Correction::Charge(3));
        assert_eq!(Correction::between(8, 5), Correction::GiveBack(3));
        assert_eq!(Correction::between(0, u64::MAX).arguments()[0], Argument::Number(MAX_INTEGER));
    }
}
