//! Up to the largest numbers that a limit can have, and while time goes on, no unit is lost: every number is that of
//! arithmetic in 128 bits.

use std::cell::RefCell;

use proptest::prelude::*;
use sluicegate::limit::{Limit, LimitName, MAX_INTEGER};
use sluicegate::time::Millis;

use crate::oracle::Oracle;
use crate::support::{Redis, Spec, bucket, log};
use crate::{T, cases};

thread_local! {
    static REDIS: RefCell<Redis> = RefCell::new(Redis::start());
}

proptest! {
    #![proptest_config(cases::config(200, "regressions"))]

    #[test]
    fn the_largest_limits_count_exactly(limits in prop::collection::vec(large(), 1..=3), steps in prop::collection::vec(step(), 1..30)) {
        REDIS.with_borrow_mut(|redis| {
            redis.run::<()>(&["FLUSHALL"]);
            let named = |(i, spec): (usize, &Spec)| Spec { name: format!("n{i}"), ..spec.clone() };
            let limits: Vec<Spec> = limits.iter().enumerate().map(named).collect();
            let mut oracle = Oracle::new(&limits);
            let mut now = T;
            for Step { ms, which, part, less } in steps {
                now = now.saturating_add_signed(ms);
                let spec = which.get(&limits);
                let cost = (spec.burst.unwrap_or(spec.limit) / part).saturating_sub(less);
                prop_assert_eq!(redis.check_kept("s", &limits, &[cost], now), oracle.check(cost, now), "cost {} at {}", cost, now);
            }
            Ok(())
        })?;
    }
}

#[derive(Debug, Clone)]
struct Step {
    ms: i64,
    /// The cost: the quota of this limit, divided, and some units less.
    which: prop::sample::Index,
    part: u64,
    less: u64,
}

fn step() -> impl Strategy<Value = Step> {
    let ms = prop_oneof![3 => Just(0_i64), 4 => 0_i64..3000, 1 => -3000_i64..0, 1 => 0_i64..400_000_000_000];
    let part = prop_oneof![2 => Just(1_u64), 3 => 2_u64..9, 1 => 1_u64..1 << 53];
    (ms, any::<prop::sample::Index>(), part, 0_u64..4).prop_map(|(ms, which, part, less)| Step {
        ms,
        which,
        part,
        less,
    })
}

/// A limit that reaches its bounds: 2^53 units, 2^53 fractions of a bucket, ten years.
fn large() -> impl Strategy<Value = Spec> {
    let window = || prop_oneof![3 => 1_u64..5000, 1 => TEN_YEARS - 3..=TEN_YEARS];
    let most = || MAX_INTEGER - 5..=MAX_INTEGER;
    let logs = (most(), window()).prop_map(|(limit, window)| log("", limit, window));
    // As many as fit into 2^53 fractions, of which a unit has `window / gcd(limit, window)`.
    let buckets = (1_u64..5000, 1_u64..5000, 0_u64..4)
        .prop_map(|(limit, window, less)| bucket("", limit, window, MAX_INTEGER / window - less));
    let fast = (most(), 1_u64..3, most()).prop_map(|(limit, window, burst)| bucket("", limit, window, burst));
    prop_oneof![1 => logs, 2 => prop_oneof![buckets, fast]].prop_filter("a limit within its bounds", |spec| {
        let (name, window) = (LimitName::new("x").unwrap(), Millis::new(spec.window));
        spec.burst.is_none() || Limit::token_bucket(name, spec.limit, window, spec.burst).is_ok()
    })
}

const TEN_YEARS: u64 = 3650 * 86_400_000;
