//! Live leases never exceed a concurrency limit, even if clients forget to release or release twice.

use std::collections::HashMap;

use proptest::prelude::*;
use sluicegate::limit::{CheckRequest, LeaseId, Subject};
use sluicegate::limiter::Now;
use sluicegate::time::Millis;

use crate::direct::at_once;
use crate::{T, cases, dump, limit, with_limiter};

proptest! {
    #![proptest_config(cases::config(200, "regressions"))]

    #[test]
    fn live_leases_never_exceed_the_limit(
        (quota, length) in (1_u64..6, 1_u64..2000),
        steps in prop::collection::vec((prop_oneof![2 => Just(0_u64), 3 => 0_u64..800], 0_u8..9, any::<bool>()), 1..60)
    ) {
        with_limiter(|limiter, server| {
            let (subject, limits) = (Subject::named("s"), [limit(4, "c", quota, length).unwrap()]);
            // Every lease that was taken and not released, with its expiry.
            let mut leases: HashMap<u8, u64> = HashMap::new();
            let mut now = T;
            for (step, number, takes) in steps {
                now += step;
                let lease = LeaseId::new(&format!("lease-{number}")).unwrap();
                if takes {
                    leases.retain(|_, end| *end > now);
                    let renews = leases.contains_key(&number);
                    let request = CheckRequest { cost: 1, lease: Some(&lease) };
                    let verdict = at_once(limiter.check(&subject, &limits, request, Now::At(Millis::new(now)))).unwrap();
                    prop_assert_eq!(verdict.is_allow(), renews || (leases.len() as u64) < quota, "at {}: {:?}", now, leases);
                    if verdict.is_allow() {
                        leases.insert(number, now + length);
                    }
                    prop_assert!(leases.len() as u64 <= quota);
                    prop_assert_eq!(verdict.budgets()[0].remaining, quota - leases.len() as u64);
                } else {
                    let released = at_once(limiter.release(&subject, &limits, &lease)).unwrap();
                    let was_alive = leases.remove(&number).is_some_and(|end| end > now);
                    prop_assert!(released == 1 || !was_alive, "lease {} was alive at {}", number, now);
                    let once = dump(server, &subject);
                    prop_assert_eq!(at_once(limiter.release(&subject, &limits, &lease)).unwrap(), 0, "twice");
                    prop_assert_eq!(dump(server, &subject), once);
                }
            }
            Ok(())
        })?;
    }
}
