//! Actions between two checks.

use std::fmt;

use proptest::prelude::*;
use proptest::sample::Index;
use sluicegate::limiter::Correction;

/// An action between two checks.
#[derive(Clone)]
pub(crate) struct Act {
    /// How far the server's clock moves before it. The clients' are others.
    pub(crate) pass: u64,
    pub(crate) kind: Option<Kind>,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Settles one of the requests that were admitted: which, how long before its check, how many units, how long
    /// it is remembered.
    Settle {
        which: Index,
        back: u64,
        correction: Correction,
        memory: u64,
    },
    Release {
        lease: u8,
    },
    Reset,
}

/// On one line, because a failing history is long.
impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = format!("{:?}", self.kind);
        write!(f, "after {} ms {kind}", self.pass)
    }
}

pub(crate) fn acts(most: usize) -> impl Strategy<Value = Vec<Act>> {
    // Few enough that an overdrawn bucket does not live for 2^53 ms.
    let units = prop_oneof![3 => 0_u64..12, 1 => 0_u64..1 << 28];
    let correction = (any::<bool>(), units)
        .prop_map(|(more, units)| if more { Correction::Charge(units) } else { Correction::GiveBack(units) });
    let back = prop_oneof![3 => Just(0_u64), 1 => 0_u64..5000];
    let settle = (any::<Index>(), back, correction, 1_u64..5000)
        .prop_map(|(which, back, correction, memory)| Kind::Settle { which, back, correction, memory });
    let kind = prop_oneof![
        6 => settle.prop_map(Some),
        2 => (0_u8..6).prop_map(|lease| Some(Kind::Release { lease })),
        1 => Just(Some(Kind::Reset)),
        6 => Just(None),
    ];
    let pass = prop_oneof![2 => Just(0_u64), 3 => 0_u64..1500, 1 => 0_u64..100_000];
    prop::collection::vec((pass, kind).prop_map(|(pass, kind)| Act { pass, kind }), most)
}
