//! Each state of a call over several subjects has its own expiry: 1,000 ms after its own limits report a full quota.

use proptest::prelude::*;
use sluicegate::limit::{Algorithm, Budget, Limit, MAX_INTEGER, Subject};
use sluicegate::limiter::{Correction, Now, RequestId, Settlement};
use sluicegate::time::Millis;

use crate::cases;
use crate::clocked::{Clocked, Life};
use crate::direct::at_once;
use crate::lives::GRACE;
use crate::traffic::{self, Call};

thread_local! {
    /// One server for all cases of a test.
    static SERVER: Clocked = Clocked::start();
}

proptest! {
    #![proptest_config(cases::config(400, "regressions"))]

    #[test]
    fn every_state_expires_one_second_after_it_is_full(
        calls in traffic::of_several_states(traffic::steady(30), 30), more in 0_u64..5,
    ) {
        SERVER.with(|server| {
            server.clear();
            calls.iter().try_for_each(|(call, subject)| check(server, call, subject))?;
            calls.last().map_or(Ok(()), |(call, subject)| settle(server, call, subject, more))
        })?;
    }
}

/// Runs a check, and verifies every key after it.
fn check(server: &Clocked, call: &Call, subject: &Subject) -> Result<(), TestCaseError> {
    let now = Now::At(call.now);
    let verdicts = at_once(server.limiter().check_batch(subject, &call.limits, call.requests(), now)).unwrap();
    let charged = verdicts[0].is_allow() && call.requests[0].0 > 0;
    for seen in server.seen() {
        if !charged {
            prop_assert_eq!(seen.before.is_some(), seen.after != Life::Absent, "{:?} after {:?}", seen, call);
            continue;
        }
        let full = verdicts[0].budgets().iter().filter(|budget| key(subject, &budget.limit) == seen.key);
        let expected = full.map(|budget: &Budget| budget.reset.get()).max().map(|reset| reset + GRACE);
        // A state without packed limits has no key. A double rounds instants beyond 2^53.
        let far = u64::from(call.now.get() + expected.unwrap_or(0) > MAX_INTEGER);
        let is_right = match (expected, seen.after) {
            (None, after) => after == Life::Absent,
            (Some(expected), Life::Ms(ms)) => ms <= expected + far && expected <= ms + seen.blur + far,
            (Some(_), _) => false,
        };
        prop_assert!(is_right, "{:?} is to live {:?} ms after {:?}", seen, expected, call);
    }
    Ok(())
}

/// Settles the last request: a state that is charged lives on, and none lives forever.
fn settle(server: &Clocked, call: &Call, subject: &Subject, more: u64) -> Result<(), TestCaseError> {
    let (request, memory) = (RequestId::new("r").unwrap(), Millis::new(60_000));
    let settlement =
        Settlement { request: &request, charged_at: call.now, correction: Correction::Charge(more), memory };
    at_once(server.limiter().settle(subject, &call.limits, &settlement, Now::At(call.now))).unwrap();
    for seen in server.seen() {
        prop_assert!(seen.after != Life::Forever, "{:?}", seen);
        if let (Some(before), Life::Ms(ms)) = (seen.before, seen.after) {
            prop_assert!(before <= ms + seen.blur, "{:?}", seen);
        }
    }
    Ok(())
}

fn key(subject: &Subject, limit: &Limit) -> String {
    let owner = subject.owner(limit).unwrap();
    match limit.algorithm() {
        Algorithm::SlidingLog { .. } => owner.log_key(limit.name()),
        Algorithm::Concurrency { .. } => owner.inflight_key(limit.name()),
        _ => owner.state_key(),
    }
}
