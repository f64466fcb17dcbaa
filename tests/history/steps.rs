//! What may happen in the town.

use proptest::prelude::*;

use crate::wire::Fate;

pub(crate) const TENANTS: [&str; 3] = ["acme", "bolt", "cord"];

/// Something that happens.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Use {
        tenant: usize,
        units: u64,
    },
    /// The real cost of a request of some days ago is known: more, or less by so many percent of what was used then.
    Charge {
        tenant: usize,
        days_ago: u64,
        units: u64,
    },
    GiveBack {
        tenant: usize,
        days_ago: u64,
        percent: u64,
    },
    Reset {
        tenant: usize,
    },
    Days {
        days: u64,
    },
    Record,
    /// A recorder to which something happens at this request.
    Mishap {
        fate: Fate,
        at: u32,
    },
    /// A recorder is paused at this request, and another comes when its lease is over.
    Overtake {
        at: u32,
    },
    ScriptFlush,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let tenant = || 0..TENANTS.len();
    let at = || 0_u32..34;
    let fate = prop::sample::select(vec![Fate::DieBefore, Fate::DieAfter, Fate::Fail]);
    let step = prop_oneof![
        8 => (tenant(), 1_u64..1000).prop_map(|(tenant, units)| Step::Use { tenant, units }),
        2 => (tenant(), 0_u64..4, 1_u64..1000)
            .prop_map(|(tenant, days_ago, units)| Step::Charge { tenant, days_ago, units }),
        3 => (tenant(), 0_u64..4, 1_u64..=100)
            .prop_map(|(tenant, days_ago, percent)| Step::GiveBack { tenant, days_ago, percent }),
        2 => tenant().prop_map(|tenant| Step::Reset { tenant }),
        5 => prop_oneof![4 => Just(1_u64), 1 => 2_u64..5].prop_map(|days| Step::Days { days }),
        3 => Just(Step::Record),
        6 => (fate, at()).prop_map(|(fate, at)| Step::Mishap { fate, at }),
        3 => at().prop_map(|at| Step::Overtake { at }),
        1 => Just(Step::ScriptFlush),
    ];
    prop::collection::vec(step, 1..40)
}
