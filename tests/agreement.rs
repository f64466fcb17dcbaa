//! `lua/check.lua` on a real redis-server and `sluicegate::limit::memory` agree to the last integer, for
//! random mixes of limits and random traffic.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/cases.rs"]
mod cases;
#[path = "support/direct.rs"]
mod direct;
mod support;
#[path = "support/traffic.rs"]
mod traffic;

use std::cell::RefCell;

use direct::{DirectTransport, RunCommand, at_once};
use proptest::prelude::*;
use redis::RedisResult;
use sluicegate::limit::memory::{Capacity, MemoryLimiter};
use sluicegate::limit::{By, LeaseId, Limit, LimitName, Subject, Verdict};
use sluicegate::limiter::{Limiter, Now, PackedState};
use sluicegate::redis::script::{self, Dialect};
use sluicegate::time::Millis;
use support::{Redis, kept};
use traffic::Call;

/// A redis-server. It runs a variant of the script that keeps its keys, because the clock of the tests is not the
/// clock of the server.
struct Server {
    redis: RefCell<Redis>,
    kept: String,
}

impl Server {
    fn start() -> Self {
        let mut redis = Redis::start();
        let kept = redis.run(&["SCRIPT", "LOAD", &kept(script::CHECK.source)]);
        Server { redis: RefCell::new(redis), kept }
    }
}

impl RunCommand for &Server {
    fn run_command(&self, mut command: Vec<String>) -> RedisResult<redis::Value> {
        assert_eq!(command[0], "EVALSHA", "the script is loaded");
        command[1].clone_from(&self.kept);
        self.redis.borrow_mut().try_run(&command.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

thread_local! {
    static SERVER: Server = Server::start();
}

/// Sends the same call to Redis and to memory and expects the same verdicts.
fn agree(server: &Server, local: &mut MemoryLimiter, subject: &Subject, call: &Call) -> Result<(), TestCaseError> {
    let limiter = Limiter::new(DirectTransport(server), Dialect::Plain);
    let answer = at_once(limiter.check_batch(subject, &call.limits, call.requests(), Now::At(call.now)));
    let answer = answer.map_err(|error| TestCaseError::fail(format!("{error}: {call:?}")))?;
    let expected = local.check_batch(subject, &call.limits, call.requests(), call.now).unwrap();
    for (request, (answer, expected)) in answer.iter().zip(&expected).enumerate() {
        prop_assert_eq!(answer, expected, "redis and memory differ at request {} of {:?}", request, call);
    }
    prop_assert_eq!(answer.len(), expected.len());
    Ok(())
}

/// Releases a lease in Redis and in memory and expects the same count.
fn agree_on_release(server: &Server, local: &mut MemoryLimiter, subject: &Subject, limits: &[Limit], lease: &LeaseId) {
    let inflight = limits.iter().filter(|limit| limit.needs_lease());
    let keys: Vec<String> = inflight.map(|limit| subject.owner(limit).unwrap().inflight_key(limit.name())).collect();
    let mut released = 0;
    if !keys.is_empty() {
        let count = keys.len().to_string();
        let mut words = vec!["EVAL", include_str!("../lua/release.lua"), count.as_str()];
        words.extend(keys.iter().map(String::as_str));
        words.push(lease.as_str());
        released = server.redis.borrow_mut().run(&words);
    }
    assert_eq!(local.release(subject, limits, lease), released, "{lease} of {keys:?}");
}

/// Replays `calls` in Redis and in memory on a new subject.
fn follow(calls: &[Call]) -> Result<(), TestCaseError> {
    follow_giving_back(calls, std::iter::empty())
}

/// Like the above, but releases a lease after each call.
fn follow_giving_back(calls: &[Call], leases: impl Iterator<Item = LeaseId>) -> Result<(), TestCaseError> {
    let subject = Subject::named("case");
    let calls: Vec<_> = calls.iter().map(|call| (call.clone(), subject.clone())).collect();
    follow_subjects(&calls, leases)
}

/// Like the above, with the subject of each call.
fn follow_subjects(calls: &[(Call, Subject)], mut leases: impl Iterator<Item = LeaseId>) -> Result<(), TestCaseError> {
    SERVER.with(|server| {
        let mut local = MemoryLimiter::new(Capacity { subjects: usize::MAX, entries: usize::MAX });
        let result = calls.iter().try_for_each(|(call, subject)| {
            agree(server, &mut local, subject, call)?;
            if let Some(lease) = leases.next() {
                agree_on_release(server, &mut local, subject, &call.limits, &lease);
            }
            Ok(())
        });
        server.redis.borrow_mut().run::<()>(&["FLUSHALL"]);
        result
    })
}

/// Reads the packed state after each call without a script, now and later, and expects the budgets of the script.
fn read_packed_states(calls: &[Call], later: &[u64]) -> Result<(), TestCaseError> {
    let subject = Subject::named("case");
    SERVER.with(|server| {
        let limiter = Limiter::new(DirectTransport(server), Dialect::Plain);
        let result = calls.iter().zip(later).try_for_each(|(call, later)| {
            at_once(limiter.check_batch(&subject, &call.limits, call.requests(), Now::At(call.now))).unwrap();
            let text: Option<String> = server.redis.borrow_mut().run(&["GET", &subject.state_key()]);
            let state = PackedState::parse(text.as_deref()).unwrap();
            let packed: Vec<Limit> =
                call.limits.iter().filter(|limit| state.budget(limit, call.now).is_some()).cloned().collect();
            for now in [call.now, Millis::new(call.now.get() + later)] {
                for limit in &packed {
                    let verdict = at_once(limiter.peek(&subject, std::slice::from_ref(limit), Now::At(now))).unwrap();
                    prop_assert_eq!(state.budget(limit, now), verdict.budgets().first().cloned(), "{:?}", text);
                }
            }
            Ok(())
        });
        server.redis.borrow_mut().run::<()>(&["FLUSHALL"]);
        result
    })
}

proptest! {
    #![proptest_config(cases::config(1500, "regressions"))]

    #[test]
    fn packed_states_read_without_a_script_agree(
        calls in traffic::changing(25),
        later in prop::collection::vec(prop_oneof![0_u64..20, 0_u64..100_000, 0_u64..10_000_000_000], 25),
    ) {
        read_packed_states(&calls, &later)?;
    }

    #[test]
    fn redis_and_memory_agree_while_plans_change(calls in traffic::changing(40)) {
        follow(&calls)?;
    }

    #[test]
    fn redis_and_memory_agree_while_leases_are_released(
        calls in traffic::changing(40), given_back in prop::collection::vec(0_u8..12, 40),
    ) {
        let leases = given_back.iter().map(|number| LeaseId::new(&format!("lease-{number}")).unwrap());
        follow_giving_back(&calls, leases)?;
    }

    #[test]
    fn redis_and_memory_agree_on_several_states(
        calls in traffic::of_several_states(traffic::changing(40), 40),
        given_back in prop::collection::vec(0_u8..12, 0..40),
    ) {
        let leases = given_back.iter().map(|number| LeaseId::new(&format!("lease-{number}")).unwrap());
        follow_subjects(&calls, leases)?;
    }

    #[test]
    fn redis_and_memory_agree_on_one_plan_of_several_states(
        calls in traffic::of_several_states(traffic::steady(60), 60),
    ) {
        follow_subjects(&calls, std::iter::empty())?;
    }

    #[test]
    fn redis_and_memory_agree_on_one_plan(calls in traffic::steady(60)) {
        follow(&calls)?;
    }
}

/// A plan has at most 16 limits with up to 32 numbers, more than one Lua pattern can match.
#[test]
fn redis_and_memory_agree_on_many_limits() {
    let window = Millis::from_secs(10);
    // The last cases have two states.
    for (buckets, of_everyone) in [(16, 0), (15, 0), (1, 0), (0, 0), (16, 3), (8, 8), (0, 15)] {
        let limits: Vec<Limit> = (0..16)
            .map(|i| {
                let name = LimitName::new(&format!("n{i}")).unwrap();
                let limit = if i < buckets {
                    Limit::token_bucket(name, 20 + i, window, None).unwrap()
                } else {
                    Limit::sliding_window(name, 20 + i, window).unwrap()
                };
                if i % 5 * 4 < of_everyone { limit.counting_by(By::Everyone) } else { limit }
            })
            .collect();
        let call = |i: u64| Call {
            limits: limits.clone(),
            requests: vec![(i % 5, LeaseId::new("lease").unwrap())],
            now: Millis::new(1_800_000_000_000 + i * 700),
        };
        let subject = Subject::named("case").with(&By::Everyone, b"");
        let calls: Vec<_> = (0..60).map(|i| (call(i), subject.clone())).collect();
        follow_subjects(&calls, std::iter::empty()).unwrap();
    }
}

/// Live leases that expire before the other limits admit their request, when their places are taken.
#[test]
fn generated_traffic_includes_leases_that_expire_too_early() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let (mut runner, subject, mut met) = (TestRunner::deterministic(), Subject::named("s"), 0);
    for _ in 0..300 {
        let mut local = MemoryLimiter::new(Capacity::default());
        for call in traffic::changing(40).new_tree(&mut runner).unwrap().current() {
            for request in call.requests() {
                let verdict = local.check(&subject, &call.limits, request, call.now).unwrap();
                let refusing = verdict.refusing().map(|budget| &budget.limit).filter(|limit| limit.needs_lease());
                met += refusing
                    .filter(|limit| {
                        let alone = std::slice::from_ref(*limit);
                        local.clone().check(&subject, alone, request, call.now).unwrap().is_allow()
                    })
                    .count();
            }
        }
    }
    assert!(met >= 50, "{met}");
}

#[test]
fn generated_traffic_covers_every_limit_and_verdict() {
    use std::collections::BTreeMap;

    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    use sluicegate::limit::Retry;
    let mut runner = TestRunner::deterministic();
    let mut met: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..300 {
        let calls = traffic::changing(40).new_tree(&mut runner).unwrap().current();
        let mut local = MemoryLimiter::new(Capacity::default());
        for call in calls {
            let verdicts = local.check_batch(&Subject::named("s"), &call.limits, call.requests(), call.now).unwrap();
            for budget in verdicts.iter().flat_map(Verdict::budgets) {
                let algorithm = format!("{:?}", budget.limit.algorithm());
                let algorithm = algorithm.split([' ', '{']).next().unwrap().to_owned();
                let retry = match budget.retry {
                    Retry::Now => "now",
                    Retry::After(_) => "later",
                    Retry::Never => "never",
                };
                *met.entry(format!("{algorithm} {retry}")).or_default() += 1;
            }
        }
    }
    let least = met.values().min().unwrap();
    assert!(met.len() == 14 && *least >= 100, "four algorithms say never, all say now and later: {met:?}");
}
