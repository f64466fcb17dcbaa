//! The steps of the sequence tests.

use proptest::prelude::*;

use crate::faulty_transport::Fault;

pub(crate) const TENANTS: [&str; 3] = ["acme", "bolt", "cord"];

/// A call, an event or the passage of time.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Use {
        tenant: usize,
        units: u64,
    },
    /// Charges more units for a request of an earlier day.
    Charge {
        tenant: usize,
        days_ago: u64,
        units: u64,
    },
    /// Gives back a percentage of the units of an earlier day.
    GiveBack {
        tenant: usize,
        days_ago: u64,
        percent: u64,
    },
    Reset {
        tenant: usize,
    },
    /// Moves time forward by a number of days.
    Days {
        days: u64,
    },
    Record,
    /// Runs a recorder with a fault at request `at`.
    Fault {
        fault: Fault,
        at: u32,
    },
    /// Pauses a recorder at request `at`; another one runs when its lease has ended.
    Overtake {
        at: u32,
    },
    ScriptFlush,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let tenant = || 0..TENANTS.len();
    let at = || 0_u32..34;
    let fault = prop::sample::select(vec![Fault::DieBefore, Fault::DieAfter, Fault::Fail]);
    let step = prop_oneof![
        8 => (tenant(), 1_u64..1000).prop_map(|(tenant, units)| Step::Use { tenant, units }),
        2 => (tenant(), 0_u64..4, 1_u64..1000)
            .prop_map(|(tenant, days_ago, units)| Step::Charge { tenant, days_ago, units }),
        3 => (tenant(), 0_u64..4, 1_u64..=100)
            .prop_map(|(tenant, days_ago, percent)| Step::GiveBack { tenant, days_ago, percent }),
        2 => tenant().prop_map(|tenant| Step::Reset { tenant }),
        5 => prop_oneof![4 => Just(1_u64), 1 => 2_u64..5].prop_map(|days| Step::Days { days }),
        3 => Just(Step::Record),
        6 => (fault, at()).prop_map(|(fault, at)| Step::Fault { fault, at }),
        3 => at().prop_map(|at| Step::Overtake { at }),
        1 => Just(Step::ScriptFlush),
    ];
    prop::collection::vec(step, 1..40)
}
