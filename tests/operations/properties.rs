//! Settling equals a check with the real cost, and several limits equal each limit alone.

use std::cell::RefCell;

use proptest::prelude::*;

use crate::call::{Settle, T, check, less, more, settle};
use crate::cases;
use crate::support::{Kind, Redis, Spec, bucket, fixed, log, month, sliding};

thread_local! {
    /// One server for all cases of a test; each case has its own subjects.
    static SERVER: RefCell<Redis> = RefCell::new(Redis::start());
}

pub(crate) fn with_redis<T>(test: impl FnOnce(&mut Redis) -> T) -> T {
    SERVER.with_borrow_mut(|redis| {
        redis.run::<()>(&["FLUSHALL"]);
        test(redis)
    })
}

/// A limit that counts units, small enough that requests often reach it.
fn limit() -> impl Strategy<Value = Spec> {
    prop_oneof![
        3 => (1_u64..30, 1_u64..5000, 1_u64..30).prop_map(|(limit, window, burst)| bucket("n", limit, window, burst)),
        2 => (1_u64..30, 1_u64..5000).prop_map(|(limit, window)| fixed("n", limit, window)),
        1 => (1_u64..30).prop_map(|limit| month("n", limit)),
        2 => (1_u64..30, 1_u64..5000).prop_map(|(limit, window)| sliding("n", limit, window)),
        3 => (1_u64..30, 1_u64..5000).prop_map(|(limit, window)| log("n", limit, window)),
    ]
}

/// Requests of others: the time since the previous one, and the cost.
fn others(most: usize) -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((prop_oneof![1_u64..50, 1_u64..2000], 1_u64..10), 0..most)
}

/// Two subjects with the same other requests. One was charged the real cost of a request. The other was charged another
/// cost and is settled later.
#[derive(Debug)]
struct Twins {
    limits: [Spec; 1],
    now: u64,
    /// Whether the bucket with less debt was full at a request since the charge.
    full: bool,
}

impl Twins {
    /// Sends a request to both. Returns whether the one with more debt admits it; then the other must, too.
    fn request(&mut self, redis: &mut Redis, owes_more: &str, owes_less: &str, step: u64, cost: u64) -> bool {
        self.now += step;
        self.full |= check(redis, owes_less, &self.limits, 0, self.now)[3] == 0;
        let admitted = check(redis, owes_more, &self.limits, cost, self.now)[0] == 1;
        if admitted {
            assert_eq!(check(redis, owes_less, &self.limits, cost, self.now)[0], 1, "{self:?}");
        }
        admitted
    }

    /// Returns what both reply to a peek, now and later.
    fn answers(&self, redis: &mut Redis, subject: &str) -> Vec<Vec<i64>> {
        [0, 1, 300, 3000].iter().map(|later| check(redis, subject, &self.limits, 0, self.now + later)).collect()
    }
}

proptest! {
    #![proptest_config(cases::config(200, "regressions"))]

    #[test]
    fn giving_back_equals_never_charging(
        limit in limit(), before in others(5), cost in 1_u64..20, share in 0_u64..=4, between in others(12), wait in 0_u64..500
    ) {
        with_redis(|redis| {
            let kind = limit.kind;
            let mut twins = Twins { limits: [limit], now: T, full: false };
            for (step, cost) in before {
                twins.request(redis, "settled", "exact", step, cost);
            }
            twins.now += wait + 1;
            let (charged_at, units) = (twins.now, cost * share / 4);
            if check(redis, "settled", &twins.limits, cost, charged_at)[0] == 0 {
                return Ok(());
            }
            prop_assert_eq!(check(redis, "exact", &twins.limits, cost - units, charged_at)[0], 1);
            twins.full = false;
            for (step, cost) in between {
                twins.request(redis, "settled", "exact", step, cost);
            }
            twins.now += wait;
            twins.full |= check(redis, "exact", &twins.limits, 0, twins.now)[3] == 0;
            settle(redis, "settled", &twins.limits, less(units, charged_at).at(twins.now));
            for (settled, exact) in twins.answers(redis, "settled").into_iter().zip(twins.answers(redis, "exact")) {
                match kind {
                    Kind::Bucket if twins.full => {
                        prop_assert!(settled[1] >= exact[1] && settled[1] <= exact[1] + units.cast_signed(), "{:?} {:?}", settled, exact);
                    }
                    // A log is full when its newest entry leaves the window, even if that entry has 0 units left.
                    Kind::Log => prop_assert_eq!(&settled[..3], &exact[..3]),
                    _ => prop_assert_eq!(settled, exact),
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn charging_later_is_at_least_as_strict(
        limit in limit(), before in others(5), cost in 1_u64..20, units in 1_u64..20, between in others(12), wait in 0_u64..500
    ) {
        with_redis(|redis| {
            let kind = limit.kind;
            let mut twins = Twins { limits: [limit], now: T, full: false };
            for (step, cost) in before {
                twins.request(redis, "exact", "settled", step, cost);
            }
            twins.now += wait + 1;
            let charged_at = twins.now;
            if check(redis, "exact", &twins.limits, cost + units, charged_at)[0] == 0 {
                return Ok(());
            }
            prop_assert_eq!(check(redis, "settled", &twins.limits, cost, charged_at)[0], 1);
            twins.full = false;
            for (step, cost) in between {
                twins.request(redis, "exact", "settled", step, cost);
            }
            twins.now += wait;
            twins.full |= check(redis, "settled", &twins.limits, 0, twins.now)[3] == 0;
            settle(redis, "settled", &twins.limits, more(units, charged_at).at(twins.now));
            for (settled, exact) in twins.answers(redis, "settled").into_iter().zip(twins.answers(redis, "exact")) {
                match kind {
                    Kind::Log => prop_assert!(settled[1] <= exact[1], "{:?} {:?}", settled, exact),
                    Kind::Bucket if twins.full => prop_assert!(settled[1] <= exact[1], "{:?} {:?}", settled, exact),
                    _ => prop_assert_eq!(settled, exact),
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn limits_in_one_call_settle_independently(
        mut limits in prop::collection::vec(limit(), 1..5),
        (charge, costs) in (any::<bool>(), prop::collection::vec((0_u64..3000, 0_u64..6), 0..6)),
        (units, back, wait) in (0_u64..30, 0_u64..4000, 0_u64..4000)
    ) {
        with_redis(|redis| {
            for (i, limit) in limits.iter_mut().enumerate() {
                limit.name = format!("n{i}");
            }
            let mut now = T;
            for (step, cost) in costs {
                now += step;
                for subject in ["one", "each"] {
                    check(redis, subject, &limits, cost, now);
                }
            }
            let (charged_at, now) = (now - back, now + wait);
            let units = if charge { more(units, charged_at) } else { less(units, charged_at) }.at(now);
            let together = settle(redis, "one", &limits, units);
            let mut alone = vec![1];
            for limit in &limits {
                let call = Settle { request: &limit.name, ..units };
                alone.extend(&settle(redis, "each", std::slice::from_ref(limit), call)[1..]);
            }
            prop_assert_eq!(together, alone);
            let values = |dump: Vec<(String, Vec<u8>)>| {
                dump.into_iter().filter(|(key, _)| !key.ends_with(":settled")).map(|(_, value)| value).collect::<Vec<_>>()
            };
            let (one, each) = (redis.dump("one"), redis.dump("each"));
            prop_assert_eq!(values(one), values(each));
            Ok(())
        })?;
    }
}
