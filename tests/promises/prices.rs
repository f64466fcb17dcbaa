//! The charge at each limit: the cost, or 1 if the limit counts requests.

use std::slice;

use proptest::prelude::*;
use sluicegate::limit::memory::{Capacity, MemoryLimiter};
use sluicegate::limit::{Limit, Subject};
use sluicegate::limiter::Now;
use sluicegate::time::Millis;

use crate::direct::at_once;
use crate::{T, cases, limit, with_limiter};

proptest! {
    #![proptest_config(cases::config(300, "regressions"))]

    #[test]
    fn request_counting_limits_charge_one_per_request(
        kinds in prop::collection::vec((0_u8..4, 1_u64..12, 1_u64..5000, any::<bool>()), 1..=4),
        requests in prop::collection::vec((0_u64..1500, 0_u64..20), 1..30)
    ) {
        with_limiter(|limiter, _| {
            let subject = Subject::named("s");
            let plain: Vec<Limit> = kinds
                .iter()
                .enumerate()
                .map(|(i, (kind, quota, window, _))| limit(*kind, &format!("n{i}"), *quota, *window).unwrap())
                .collect();
            let counts: Vec<bool> = kinds.iter().map(|(_, _, _, counts)| *counts).collect();
            let counting = |(limit, counts): (&Limit, &bool)| if *counts { limit.clone().counting_requests() } else { limit.clone() };
            let limits: Vec<Limit> = plain.iter().zip(&counts).map(counting).collect();
            // Each limit alone, checked with the cost that it should be charged.
            let mut apart = vec![MemoryLimiter::new(Capacity::default()); plain.len()];
            let mut now = T;
            for (step, cost) in requests {
                now += step;
                let at = Millis::new(now);
                let verdict = at_once(limiter.check(&subject, &limits, cost, Now::At(at))).unwrap();
                for (i, budget) in verdict.budgets().iter().enumerate() {
                    let (alone, price) = (slice::from_ref(&plain[i]), if counts[i] { cost.min(1) } else { cost });
                    let mut charged = apart[i].clone();
                    let expected = charged.check(&subject, alone, price, at).unwrap();
                    prop_assert_eq!(budget.retry, expected.retry(), "cost {} at {:?}", cost, budget);
                    if verdict.is_allow() {
                        apart[i] = charged;
                    }
                    let left = apart[i].peek(&subject, alone, at).unwrap().budgets()[0].clone();
                    prop_assert_eq!((budget.remaining, budget.reset), (left.remaining, left.reset), "cost {} at {:?}", cost, budget);
                }
            }
            Ok(())
        })?;
    }
}
