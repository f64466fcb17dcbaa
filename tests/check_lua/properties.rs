//! Properties for any limits and requests.

use crate::T;
use crate::cases;
use crate::oracle::Oracle;
use crate::support::{Redis, Spec, bucket, log};
use std::cell::RefCell;

use proptest::prelude::*;

thread_local! {
    /// One server for all cases of a test; each case has its own subject.
    static SERVER: RefCell<(Redis, u64)> = RefCell::new((Redis::start(), 0));
}

fn with_subject<T>(test: impl FnOnce(&mut Redis, &str) -> T) -> T {
    SERVER.with_borrow_mut(|(redis, cases)| {
        *cases += 1;
        let subject = format!("case{cases}");
        let result = test(redis, &subject);
        redis.run::<()>(&["FLUSHALL"]);
        result
    })
}

/// One to three limits, small enough that requests often reach them.
fn limits() -> impl Strategy<Value = Vec<Spec>> {
    let spec = (1_u64..12, 1_u64..5000, prop::option::of(1_u64..15)).prop_map(|(limit, window, burst)| match burst {
        None => log("", limit, window),
        Some(burst) => bucket("", limit, window, burst),
    });
    prop::collection::vec(spec, 1..=3).prop_map(|mut specs| {
        for (i, spec) in specs.iter_mut().enumerate() {
            spec.name = format!("n{i}");
        }
        specs
    })
}

/// Requests: how far the clock moves before each (mostly forward, sometimes back), and the cost.
fn requests(most: usize) -> impl Strategy<Value = Vec<(i64, u64)>> {
    let step = prop_oneof![4 => Just(0_i64), 6 => 0_i64..1500, 1 => -3000_i64..0, 1 => 0_i64..20_000];
    prop::collection::vec((step, prop_oneof![4 => Just(1_u64), 3 => 0_u64..6, 1 => 0_u64..20]), 1..most)
}

fn times(requests: &[(i64, u64)]) -> Vec<(u64, u64)> {
    let mut now = T;
    requests
        .iter()
        .map(|(step, cost)| {
            now = now.saturating_add_signed(*step);
            (now, *cost)
        })
        .collect()
}

proptest! {
    #![proptest_config(cases::config(200, "regressions"))]

    #[test]
    fn every_number_matches_the_oracle(limits in limits(), requests in requests(40)) {
        with_subject(|redis, subject| {
            let mut oracle = Oracle::new(&limits);
            for (now, cost) in times(&requests) {
                let expected = oracle.check(cost, now);
                prop_assert_eq!(redis.check_kept(subject, &limits, &[cost], now), expected, "cost {} at {}", cost, now);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_batch_equals_single_checks(limits in limits(), before in requests(10), costs in prop::collection::vec(0_u64..6, 1..12)) {
        with_subject(|redis, subject| {
            let single = format!("{subject}-single");
            let mut now = T;
            for (time, cost) in times(&before) {
                now = time;
                for subject in [subject, &single] {
                    redis.check_kept(subject, &limits, &[cost], now);
                }
            }
            let batch = redis.check_kept(subject, &limits, &costs, now);
            let mut one_by_one = Vec::new();
            for cost in costs {
                one_by_one.extend(redis.check_kept(&single, &limits, &[cost], now));
            }
            prop_assert_eq!(batch, one_by_one);
            let values = |dump: Vec<(String, Vec<u8>)>| dump.into_iter().map(|(_, value)| value).collect::<Vec<_>>();
            let (one, other) = (redis.dump(subject), redis.dump(&single));
            prop_assert_eq!(values(one), values(other));
            Ok(())
        })?;
    }

    #[test]
    fn a_refusal_changes_nothing_and_retry_is_exact(limits in limits(), requests in requests(40)) {
        with_subject(|redis, subject| {
            for (now, cost) in times(&requests) {
                let before = redis.dump(subject);
                let numbers = redis.check_kept(subject, &limits, &[cost], now);
                let retries: Vec<i64> = numbers[1..].chunks(3).map(|budget| budget[1]).collect();
                if numbers[0] == 1 {
                    continue;
                }
                prop_assert_eq!(redis.dump(subject), before);
                let Some(wait) = retries.iter().all(|retry| *retry >= 0).then(|| *retries.iter().max().unwrap()) else { continue };
                let at = now + wait.unsigned_abs();
                prop_assert_eq!(redis.check_kept(subject, &limits, &[cost], at - 1)[0], 0, "a millisecond early");
                prop_assert_eq!(redis.check_kept(subject, &limits, &[cost], at)[0], 1, "in time");
            }
            Ok(())
        })?;
    }

    #[test]
    fn no_window_of_a_log_exceeds_its_quota(
        (quota, window) in (1_u64..20, 1_u64..3000), requests in requests(60)
    ) {
        with_subject(|redis, subject| {
            let limits = [log("l", quota, window)];
            // By the limit's time, which never goes backwards.
            let (mut admitted, mut latest) = (Vec::new(), 0);
            for (now, cost) in times(&requests) {
                if redis.check_kept(subject, &limits, &[cost], now)[0] == 1 && cost > 0 {
                    latest = now.max(latest);
                    admitted.push((latest, cost));
                }
            }
            for (start, _) in &admitted {
                let units: u64 = admitted.iter().filter(|(at, _)| (*start..start + window).contains(at)).map(|(_, cost)| cost).sum();
                prop_assert!(units <= quota, "{} units from {}", units, start);
            }
            Ok(())
        })?;
    }

    #[test]
    fn remaining_is_the_largest_admitted_cost(limits in limits(), requests in requests(20)) {
        with_subject(|redis, subject| {
            for (now, cost) in times(&requests) {
                let numbers = redis.check_kept(subject, &limits, &[cost], now);
                let remaining = numbers[1..].chunks(3).map(|budget| budget[0]).min().unwrap().unsigned_abs();
                prop_assert_eq!(redis.check_kept(subject, &limits, &[remaining + 1], now)[0], 0);
                if cost == 0 && remaining > 0 {
                    prop_assert_eq!(redis.check_kept(subject, &limits, &[remaining], now)[0], 1);
                }
            }
            Ok(())
        })?;
    }
}
