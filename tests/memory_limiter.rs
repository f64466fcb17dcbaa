//! The guarantees of the algorithms as properties of the in-memory limiter. `agreement.rs` extends them to
//! `lua/check.lua`.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "support/cases.rs"]
mod cases;
#[path = "support/traffic.rs"]
mod traffic;

use std::collections::HashMap;

use proptest::prelude::*;
use sluicegate::limit::memory::{Capacity, MemoryLimiter};
use sluicegate::limit::{
    Algorithm, CheckRequest, InvalidCheck, LeaseId, Limit, LimitName, MAX_INTEGER, Retry, Subject, Verdict,
};
use sluicegate::time::Millis;
use traffic::Call;

const T: u64 = 1_800_000_000_000;

fn unbounded() -> MemoryLimiter {
    MemoryLimiter::new(Capacity { subjects: usize::MAX, entries: usize::MAX })
}

fn someone() -> Subject {
    Subject::named("someone")
}

/// Checks the first request of a call.
fn check(local: &mut MemoryLimiter, call: &Call, now: u64) -> Verdict {
    let request = call.requests().next().unwrap();
    local.check(&someone(), &call.limits, request, Millis::new(now)).unwrap()
}

fn name(text: &str) -> LimitName {
    LimitName::new(text).unwrap()
}

fn log(text: &str, quota: u64, window: u64) -> Limit {
    Limit::sliding_log(name(text), quota, Millis::new(window)).unwrap()
}

fn concurrency(text: &str, quota: u64, lease: u64) -> Limit {
    Limit::concurrency(name(text), quota, Millis::new(lease)).unwrap()
}

proptest! {
    #![proptest_config(cases::config(256, "regressions"))]

    #[test]
    fn admitted_exactly_at_the_promised_retry(calls in traffic::changing(40)) {
        let mut local = unbounded();
        for call in &calls {
            let now = call.now.get();
            let Retry::After(wait) = check(&mut local, call, now).retry() else { continue };
            let at = now + wait.get();
            if at > MAX_INTEGER {
                continue;
            }
            prop_assert!(!check(&mut local.clone(), call, at - 1).is_allow(), "a millisecond early: {:?}", call);
            prop_assert!(check(&mut local.clone(), call, at).is_allow(), "in time: {:?}", call);
        }
    }

    #[test]
    fn full_exactly_at_the_promised_reset(calls in traffic::steady(40)) {
        let mut local = unbounded();
        for call in &calls {
            let verdict = check(&mut local, call, call.now.get());
            for (i, budget) in verdict.budgets().iter().enumerate() {
                let at = |ms: u64| local.clone().peek(&someone(), &call.limits, Millis::new(ms)).unwrap().budgets()[i].clone();
                let reset = call.now.get() + budget.reset.get();
                prop_assert_eq!(at(reset).reset, Millis::ZERO);
                let capacity = match budget.limit.algorithm() {
                    Algorithm::Concurrency { .. } => budget.limit.quota(),
                    _ => budget.limit.capacity(),
                };
                prop_assert_eq!(at(reset).remaining, capacity, "whole: {:?}", budget);
                if budget.reset > Millis::ZERO {
                    prop_assert_eq!(at(reset - 1).reset, Millis::new(1), "not before: {:?}", budget);
                }
            }
        }
    }

    #[test]
    fn refusals_and_peeks_change_nothing(calls in traffic::changing(40)) {
        let (mut all, mut admitted) = (unbounded(), unbounded());
        for call in &calls {
            for request in call.requests() {
                let verdict = all.check(&someone(), &call.limits, request, call.now).unwrap();
                if verdict.is_allow() && request.cost > 0 {
                    let other = admitted.check(&someone(), &call.limits, request, call.now).unwrap();
                    prop_assert_eq!(verdict, other, "{:?}", call);
                }
            }
        }
    }

    #[test]
    fn a_batch_equals_single_checks(calls in traffic::changing(40)) {
        let (mut batches, mut singles) = (unbounded(), unbounded());
        for call in &calls {
            let batch = batches.check_batch(&someone(), &call.limits, call.requests(), call.now).unwrap();
            for (request, verdict) in call.requests().zip(batch) {
                let single = singles.check(&someone(), &call.limits, request, call.now).unwrap();
                prop_assert_eq!(verdict, single, "{:?}", call);
            }
        }
    }

    #[test]
    fn many_limits_admit_what_each_admits(calls in traffic::steady(40)) {
        let (mut together, limits) = (unbounded(), calls[0].limits.len());
        let mut apart = vec![unbounded(); limits];
        let mut latest = Millis::ZERO;
        for call in &calls {
            // With one clock that only advances, because limits checked separately have seen different times.
            latest = latest.max(call.now);
            let verdict = check(&mut together, call, latest.get());
            let alone = |local: &mut MemoryLimiter, limit: &Limit| {
                let request = call.requests().next().unwrap();
                local.check(&someone(), std::slice::from_ref(limit), request, latest).unwrap()
            };
            let each: Vec<Verdict> =
                apart.iter().zip(&call.limits).map(|(local, limit)| alone(&mut local.clone(), limit)).collect();
            prop_assert_eq!(verdict.is_allow(), each.iter().all(Verdict::is_allow), "{:?}", call);
            for (i, (budget, alone)) in verdict.budgets().iter().zip(&each).enumerate() {
                prop_assert_eq!(budget.retry, alone.budgets()[0].retry, "limit {} of {:?}", i, call);
            }
            if verdict.is_allow() {
                for (local, limit) in apart.iter_mut().zip(&call.limits) {
                    alone(local, limit);
                }
            }
        }
    }

    #[test]
    fn remaining_is_the_largest_admitted_cost(calls in traffic::changing(30)) {
        let mut local = unbounded();
        for call in &calls {
            let verdicts = local.check_batch(&someone(), &call.limits, call.requests(), call.now).unwrap();
            let budgets = verdicts.last().unwrap().budgets();
            let counts_requests = |limit: &Limit| limit.needs_lease() || limit.counts_requests();
            let (requests, units): (Vec<_>, Vec<_>) = budgets.iter().partition(|budget| counts_requests(&budget.limit));
            let a_request_is_left = requests.iter().all(|budget| budget.remaining > 0);
            let passes = |cost: u64| {
                let fresh = LeaseId::new("fresh").unwrap();
                let request = CheckRequest { cost, lease: Some(&fresh) };
                // A cost that no limit can hold is an invalid check.
                local.clone().check(&someone(), &call.limits, request, call.now).is_ok_and(|verdict| verdict.is_allow())
            };
            if let Some(largest) = units.iter().map(|budget| budget.remaining).min() {
                prop_assert_eq!(passes(largest.max(1)), largest > 0 && a_request_is_left, "{:?}", call);
                prop_assert!(!passes(largest + 1), "{:?}", call);
            } else {
                prop_assert_eq!(passes(1), a_request_is_left, "{:?}", call);
            }
        }
    }

    #[test]
    fn no_window_of_a_log_exceeds_its_quota(
        (quota, window, most) in (1_u64..20, 1_u64..3000, 1_usize..40), calls in traffic::steady(60)
    ) {
        // A bounded log keeps the guarantee, too.
        let mut local = MemoryLimiter::new(Capacity { subjects: 1, entries: most });
        let (mut admitted, mut latest) = (Vec::new(), 0);
        for call in &calls {
            let call = Call { limits: vec![log("l", quota, window)], ..call.clone() };
            let cost = call.requests[0].0;
            if check(&mut local, &call, call.now.get()).is_allow() && cost > 0 {
                // By the limit's time, which never goes backwards.
                latest = call.now.get().max(latest);
                admitted.push((latest, cost));
            }
        }
        for (start, _) in &admitted {
            let units: u64 = admitted.iter().filter(|(at, _)| (*start..start + window).contains(at)).map(|(_, cost)| cost).sum();
            prop_assert!(units <= quota, "{} units from {}", units, start);
        }
        prop_assert!(local.entries() <= most);
    }

    #[test]
    fn live_leases_never_exceed_the_quota(
        (quota, lease, most) in (1_u64..5, 1_u64..3000, 1_usize..8), calls in traffic::steady(60)
    ) {
        let mut local = MemoryLimiter::new(Capacity { subjects: 1, entries: most });
        let (mut leases, mut latest) = (HashMap::new(), 0);
        for call in &calls {
            let call = Call { limits: vec![concurrency("c", quota, lease)], ..call.clone() };
            latest = call.now.get().max(latest);
            if check(&mut local, &call, latest).is_allow() && call.requests[0].0 > 0 {
                leases.insert(call.requests[0].1.clone(), latest + lease);
            }
            let alive = leases.values().filter(|end| **end > latest).count();
            prop_assert!(alive as u64 <= quota && alive <= most, "{} alive at {}", alive, latest);
        }
    }

    #[test]
    fn a_clock_jump_delays_by_at_most_the_jump(calls in traffic::steady(20), ahead in 1_u64..100_000) {
        let (mut local, mut jumped) = (unbounded(), unbounded());
        let mut now = 0;
        for call in &calls {
            now = call.now.get().max(now);
            check(&mut local, call, now);
            check(&mut jumped, call, now);
        }
        let last = calls.last().unwrap();
        check(&mut jumped, last, now + ahead);
        let (real, later) = (check(&mut local.clone(), last, now), check(&mut jumped, last, now));
        if let (Retry::After(wait), Verdict::Deny(_)) = (later.retry(), &real)
            && let Retry::After(real) = real.retry()
        {
            // What the jump granted was taken once; whoever waits pays for it at most what a full limit asks for.
            let longest = last.limits.iter().map(|limit| full_wait(limit, now + ahead)).max().unwrap();
            prop_assert!(wait.get() <= real.get().max(longest) + ahead, "{:?} after {:?}", wait, real);
        }
    }

    #[test]
    fn no_instant_panics(calls in traffic::changing(20), instants in prop::collection::vec(any::<u64>(), 20)) {
        let mut local = MemoryLimiter::new(Capacity::default());
        for (call, now) in calls.iter().zip(instants) {
            local.check_batch(&someone(), &call.limits, call.requests(), Millis::new(now)).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(cases::config(256, "regressions"))]

    #[test]
    fn releasing_a_lease_undoes_it(calls in traffic::steady(30)) {
        let mut local = unbounded();
        let fresh = LeaseId::new("fresh").unwrap();
        for call in &calls {
            let limits: Vec<Limit> = call.limits.iter().filter(|limit| limit.needs_lease()).cloned().collect();
            if limits.is_empty() {
                continue;
            }
            check(&mut local, call, call.now.get());
            let before = local.clone().peek(&someone(), &limits, call.now).unwrap();
            let request = CheckRequest { cost: 1, lease: Some(&fresh) };
            let taken = local.check(&someone(), &limits, request, call.now).unwrap().is_allow();
            let released = if taken { limits.len() } else { 0 };
            prop_assert_eq!(local.release(&someone(), &call.limits, &fresh), released, "{:?}", call);
            prop_assert_eq!(local.release(&someone(), &call.limits, &fresh), 0);
            prop_assert_eq!(local.clone().peek(&someone(), &limits, call.now).unwrap(), before, "{:?}", call);
        }
    }
}

/// Returns the longest wait at a limit that is used up.
fn full_wait(limit: &Limit, now: u64) -> u64 {
    match limit.algorithm() {
        Algorithm::SlidingLog { window } => window.get(),
        Algorithm::SlidingWindow { window } => 2 * window.get(),
        Algorithm::FixedWindow { .. } => {
            let mut local = unbounded();
            local.check(&someone(), std::slice::from_ref(limit), 1, Millis::new(now)).unwrap().budgets()[0].reset.get()
        }
        Algorithm::TokenBucket { burst, rate, .. } => (burst * rate.fractions).div_ceil(rate.refill),
        Algorithm::Concurrency { lease } => lease.get(),
    }
}

#[test]
fn subjects_are_independent() {
    let mut local = MemoryLimiter::new(Capacity::default());
    let limits = [log("l", 1, 1000)];
    for subject in ["a", "b"] {
        assert!(local.check(&Subject::named(subject), &limits, 1, Millis::new(T)).unwrap().is_allow());
        assert!(!local.check(&Subject::named(subject), &limits, 1, Millis::new(T)).unwrap().is_allow());
    }
    assert_eq!((local.subjects(), local.entries()), (2, 2));
}

#[test]
fn refusals_and_peeks_store_nothing() {
    let mut local = MemoryLimiter::new(Capacity::default());
    let limits = [log("l", 1, 1000)];
    assert!(local.peek(&someone(), &limits, Millis::new(T)).unwrap().is_allow());
    assert_eq!(local.check(&someone(), &limits, 2, Millis::new(T)).unwrap().retry(), Retry::Never);
    assert_eq!((local.subjects(), local.entries()), (0, 0));
}

#[test]
fn a_missing_lease_is_an_error_and_changes_nothing() {
    let mut local = MemoryLimiter::new(Capacity::default());
    let limits = [log("l", 1, 1000), concurrency("c", 1, 1000)];
    let error = local.check(&someone(), &limits, 1, Millis::new(T)).unwrap_err();
    assert_eq!(error, InvalidCheck::NoLease { request: 0, limit: name("c") });
    assert_eq!(local.subjects(), 0);
    assert!(local.peek(&someone(), &limits, Millis::new(T)).unwrap().is_allow());
}

#[test]
fn the_subject_full_first_is_evicted_first() {
    let mut local = MemoryLimiter::new(Capacity { subjects: 2, entries: 100 });
    let limits = [Limit::token_bucket(name("b"), 10, Millis::new(1000), None).unwrap()];
    let mut remaining = |subject: &str, cost: u64, now: u64| {
        let verdict = local.check(&Subject::named(subject), &limits, cost, Millis::new(now)).unwrap();
        (verdict.budgets()[0].remaining, local.subjects())
    };
    assert_eq!(remaining("heavy", 9, T), (1, 1));
    assert_eq!(remaining("light", 1, T), (9, 2));
    assert_eq!(remaining("new", 2, T), (8, 2), "light has made room");
    assert_eq!(remaining("light", 1, T + 50), (9, 2), "it begins anew, and new has made room");
    assert_eq!(remaining("heavy", 0, T + 50), (1, 2), "whoever owes most is remembered");
    assert_eq!(remaining("new", 0, T + 50), (10, 2));
}

#[test]
fn entries_are_bounded_over_all_subjects_and_within_one() {
    let mut local = MemoryLimiter::new(Capacity { subjects: 1000, entries: 10 });
    let limits = [log("l", 1000, 1000), concurrency("c", 1000, 500)];
    for i in 0..200 {
        let lease = LeaseId::new(&format!("r{i}")).unwrap();
        let request = CheckRequest { cost: 1, lease: Some(&lease) };
        let subject = Subject::named(["a", "b", "c"][i % 3]);
        local.check(&subject, &limits, request, Millis::new(T + i as u64)).unwrap();
        assert!(local.entries() <= 10, "{i}");
    }
    let lease = LeaseId::new("more").unwrap();
    let request = CheckRequest { cost: 1, lease: Some(&lease) };
    let mut leases = 0;
    while local.check(&Subject::named("a"), &limits[1..], 0, Millis::new(T + 200)).unwrap().is_allow() {
        let lease = LeaseId::new(&format!("m{leases}")).unwrap();
        local
            .check(
                &Subject::named("a"),
                &limits[1..],
                CheckRequest { lease: Some(&lease), ..request },
                Millis::new(T + 200),
            )
            .unwrap();
        leases += 1;
        assert!(leases <= 10 && local.entries() <= 10);
    }
}

#[test]
fn releasing_frees_a_place_once() {
    let mut local = MemoryLimiter::new(Capacity::default());
    let limits = [concurrency("a", 2, 1000), log("l", 9, 1000), concurrency("b", 3, 5000)];
    let [x, y, z] = ["x", "y", "z"].map(|id| LeaseId::new(id).unwrap());
    let admits = |local: &mut MemoryLimiter, lease| {
        let request = CheckRequest { cost: 1, lease: Some(lease) };
        local.check(&someone(), &limits, request, Millis::new(T)).unwrap().is_allow()
    };
    assert!(admits(&mut local, &x) && admits(&mut local, &y) && !admits(&mut local, &z));
    assert_eq!(local.release(&Subject::named("another"), &limits, &x), 0);
    assert_eq!(local.release(&someone(), &limits[1..2], &x), 0, "a log has no leases");
    assert_eq!(local.release(&someone(), &[concurrency("a", 1, 77)], &x), 1, "whatever the plan says meanwhile");
    assert_eq!(local.release(&someone(), &limits, &x), 1, "at the other limit");
    assert_eq!(local.release(&someone(), &limits, &x), 0);
    assert!(admits(&mut local, &z) && !admits(&mut local, &x));
    assert_eq!(local.entries(), 3 + 2 + 2);
}

#[test]
fn a_subject_without_leases_is_forgotten() {
    let mut local = MemoryLimiter::new(Capacity { subjects: 2, entries: 100 });
    let limits = [concurrency("c", 2, 1000)];
    let lease = LeaseId::new("x").unwrap();
    for i in 0..5 {
        let subject = Subject::named(&format!("s{i}"));
        let request = CheckRequest { cost: 1, lease: Some(&lease) };
        assert!(local.check(&subject, &limits, request, Millis::new(T + i)).unwrap().is_allow());
        if i != 1 {
            assert_eq!(local.release(&subject, &limits, &lease), 1);
        }
    }
    assert_eq!((local.subjects(), local.entries()), (1, 1));
    assert_eq!(local.release(&Subject::named("s1"), &limits, &lease), 1, "nobody else took its place");
}

#[test]
fn releasing_never_extends_a_subjects_expiry() {
    let mut local = MemoryLimiter::new(Capacity { subjects: 2, entries: 100 });
    let limits = [log("l", 5, 1000), concurrency("c", 2, 9000)];
    let lease = LeaseId::new("x").unwrap();
    let request = CheckRequest { cost: 1, lease: Some(&lease) };
    for (subject, now) in [("short", T), ("long", T + 1)] {
        local.check(&Subject::named(subject), &limits, request, Millis::new(now)).unwrap();
    }
    assert_eq!(local.release(&Subject::named("long"), &limits, &lease), 1);
    local.check(&Subject::named("new"), &limits, request, Millis::new(T + 2)).unwrap();
    assert_eq!(local.release(&Subject::named("short"), &limits, &lease), 1, "long has made room");
}

/// Thousands of names for one subject, of every kind: packed ones, logs, leases that have ended.
#[test]
fn limits_per_subject_are_bounded() {
    let bounds = Capacity { subjects: 100, entries: 500 };
    let mut local = MemoryLimiter::new(bounds);
    let lease = LeaseId::new("r").unwrap();
    for i in 0..5000_u64 {
        let text = format!("n{i}");
        let limit = match i % 4 {
            0 => Limit::token_bucket(name(&text), 10, Millis::new(3_600_000), None).unwrap(),
            1 => Limit::sliding_window(name(&text), 10, Millis::new(3_600_000)).unwrap(),
            2 => log(&text, 10, 3_600_000),
            _ => concurrency(&text, 10, 1),
        };
        let request = CheckRequest { cost: 1, lease: Some(&lease) };
        let subject = Subject::named(if i % 5 == 0 { "other" } else { "someone" });
        let verdict = local.check(&subject, std::slice::from_ref(&limit), request, Millis::new(T + 2 * i)).unwrap();
        assert_eq!(verdict.budgets()[0].remaining, 9);
        assert!(local.entries() <= 2 * 129, "{i}: {}", local.entries());
        let look = local.peek(&subject, &[limit], Millis::new(T + 2 * i)).unwrap();
        assert_eq!(look.budgets()[0].remaining, 9, "the one that was judged is remembered");
    }
    assert_eq!((local.subjects(), local.entries()), (2, 2 * 129));
    // With more subjects than there is room for, some are evicted.
    for i in 0..5000_u64 {
        let bucket = |j: u64| Limit::token_bucket(name(&format!("b{j}")), 10, Millis::new(3_600_000), None).unwrap();
        let limits: Vec<Limit> = (0..8).map(bucket).chain([log("l", 10, 3_600_000)]).collect();
        let subject = Subject::named(&format!("s{}", i % 400));
        local.check(&subject, &limits, 1, Millis::new(T + 10_000 + i)).unwrap();
        assert!(local.entries() <= bounds.entries && local.subjects() <= bounds.subjects);
    }
}

/// The longest debt is kept longest.
#[test]
fn the_limits_full_first_are_evicted_first() {
    let mut local = MemoryLimiter::new(Capacity::default());
    let limit = |i: u64| [Limit::token_bucket(name(&format!("n{i}")), 10, Millis::new(1_000_000), None).unwrap()];
    let mut remaining =
        |i: u64, cost: u64| local.check(&someone(), &limit(i), cost, Millis::new(T)).unwrap().budgets()[0].remaining;
    assert_eq!(remaining(0, 9), 1);
    for i in 1..=200 {
        assert_eq!(remaining(i, 2), 8);
    }
    assert_eq!(remaining(0, 0), 1);
    assert_eq!((1..=200).filter(|i| remaining(*i, 0) == 8).count(), 128);
}
