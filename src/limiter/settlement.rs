//! The real cost of a request that was admitted.

use super::request_id::RequestId;
use crate::limit::MAX_INTEGER;
use crate::redis::Argument;
use crate::time::Millis;

/// The real cost of a request that was admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement<'a> {
    /// Whose cost it is. Whatever else a second settlement says, it does nothing.
    pub request: &'a RequestId,
    /// When the request was checked, by the clock that judged it, or a little earlier.
    ///
    /// A log gives back units from here on: too late an instant can free units of younger requests, and so let
    /// too much through; too early a one only frees units that would have been free sooner.
    pub charged_at: Millis,
    /// What the check charged too little or too much.
    pub correction: Correction,
    /// How long the request is remembered as settled: longer than a settlement may come again.
    pub memory: Millis,
}

/// The difference between what was charged and what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// So many units more. They may overdraw a limit, which then lets others wait. A limit holds less than 2^53,
    /// and is charged no further.
    Charge(u64),
    /// So many units less. No more than was charged: others' units would be given back.
    GiveBack(u64),
}

/// What became of a settlement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettleOutcome {
    /// The limits know the real cost now.
    Settle {
        /// For each limit the whole units that were charged or given back. Fewer than the correction where the
        /// limit does not know the request any more; none where it is one of concurrency.
        units: Vec<u64>,
    },
    /// The request was settled before, and nothing has changed.
    Repeat,
}

impl Correction {
    /// The correction of a request that was `charged` and really cost `cost` units.
    #[must_use]
    pub fn between(charged: u64, cost: u64) -> Self {
        if cost > charged { Correction::Charge(cost - charged) } else { Correction::GiveBack(charged - cost) }
    }

    /// `more` and `less` of `settle.lua`.
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
