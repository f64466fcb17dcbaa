//! A refusal changes no byte, and says exactly when the same request passes: for every algorithm, every mix, every
//! cost, while plans change.

use proptest::prelude::*;
use sluicegate::limiter::Now;
use sluicegate::policy::{Algorithm, Limit, MAX_INTEGER};
use sluicegate::question::{LeaseId, Request};
use sluicegate::subject::Subject;
use sluicegate::time::Millis;
use sluicegate::verdict::Retry;

use crate::clocked::{Clocked, at_once};
use crate::{dump, traffic, with_limiter};

proptest! {
    #![proptest_config(traffic::config(300, "regressions"))]

    #[test]
    fn a_refusal_changes_no_byte_and_tells_the_exact_retry(calls in traffic::changing(30)) {
        with_limiter(|limiter, server| {
            let subject = Subject::named("s");
            for call in &calls {
                for (cost, lease) in &call.requests {
                    let before = dump(server, &subject);
                    let ask = |now: u64| {
                        let request = Request { cost: *cost, lease: Some(lease) };
                        at_once(limiter.check(&subject, &call.limits, request, Now::At(Millis::new(now)))).unwrap()
                    };
                    let now = call.now.get();
                    let verdict = ask(now);
                    if verdict.is_allow() {
                        prop_assert!(*cost > 0 || dump(server, &subject) == before, "a look changed something: {:?}", call);
                        continue;
                    }
                    prop_assert_eq!(&dump(server, &subject), &before, "{:?}", call);
                    let Retry::After(wait) = verdict.retry() else { continue };
                    let at = now + wait.get();
                    // A time that nobody lives to see is none that the script takes.
                    if at > MAX_INTEGER || outlives(server, &subject, &call.limits, lease, at) {
                        continue;
                    }
                    prop_assert!(!ask(at - 1).is_allow(), "a millisecond early: cost {} of {:?}", cost, call);
                    prop_assert!(ask(at).is_allow(), "in time: cost {} of {:?}", cost, call);
                }
            }
            Ok(())
        })?;
    }
}

/// Whether a request that renews its lease finds it ended when the other limits would admit it, and its place taken,
/// because the limit was lowered below the leases that are alive.
fn outlives(server: &Clocked, subject: &Subject, limits: &[Limit], lease: &LeaseId, at: u64) -> bool {
    let mut redis = server.redis.borrow_mut();
    limits.iter().any(|limit| {
        let Algorithm::Concurrency { .. } = limit.algorithm() else { return false };
        let key = subject.inflight_key(limit.name());
        let end: Option<u64> = redis.run(&["ZSCORE", &key, lease.as_str()]);
        let alive: u64 = redis.run(&["ZCOUNT", &key, &format!("({at}"), "+inf"]);
        end.is_some_and(|end| end <= at) && alive >= limit.quota()
    })
}
