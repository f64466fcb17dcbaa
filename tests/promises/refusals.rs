//! A refusal changes no byte, and its retry time is exact: for every algorithm, mix and cost, while plans change.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use sluicegate::limit::{CheckRequest, LeaseId, MAX_INTEGER, Retry, Subject};
use sluicegate::limiter::{Limiter, Now};
use sluicegate::time::Millis;

use crate::clocked::{Clocked, ClockedTransport};
use crate::direct::at_once;
use crate::traffic::Call;
use crate::{T, cases, dump, limit, traffic, with_limiter};

proptest! {
    #![proptest_config(cases::config(300, "regressions"))]

    #[test]
    fn a_refusal_changes_no_byte_and_retry_is_exact(calls in traffic::changing(30)) {
        with_limiter(|limiter, server| {
            let subject = Subject::named("s");
            calls.iter().try_for_each(|call| refusals_are_exact(limiter, server, &subject, call))
        })?;
    }
}

/// Sends the requests of a call one by one. A refusal changes no byte, and its retry time is exact.
pub(crate) fn refusals_are_exact(
    limiter: &Limiter<ClockedTransport<'_>>,
    server: &Clocked,
    subject: &Subject,
    call: &Call,
) -> Result<(), TestCaseError> {
    let dump = || server.redis.borrow_mut().dump_all();
    for (cost, lease) in &call.requests {
        let before = dump();
        let ask = |now: u64| {
            let request = CheckRequest { cost: *cost, lease: Some(lease) };
            at_once(limiter.check(subject, &call.limits, request, Now::At(Millis::new(now)))).unwrap()
        };
        let now = call.now.get();
        let verdict = ask(now);
        if verdict.is_allow() {
            prop_assert!(*cost > 0 || dump() == before, "a look changed something: {:?}", call);
            continue;
        }
        prop_assert_eq!(&dump(), &before, "{:?}", call);
        let Retry::After(wait) = verdict.retry() else { continue };
        let at = now + wait.get();
        // The script rejects a time beyond 2^53.
        if at > MAX_INTEGER {
            continue;
        }
        prop_assert!(!ask(at - 1).is_allow(), "a millisecond early: cost {} of {:?}", cost, call);
        prop_assert!(ask(at).is_allow(), "in time: cost {} of {:?}", cost, call);
    }
    Ok(())
}

/// A lease that is alive may be renewed even where the limit was lowered below the leases that are alive. If it has
/// ended when the other limits admit the request, its place is gone.
#[test]
fn retry_accounts_for_an_expiring_lease() {
    with_limiter(|limiter, server| {
        let subject = Subject::named("s");
        let ask = |most: u64, lease: &str, seconds: u64| {
            let limits = [limit(4, "c", most, 1_000_000).unwrap(), limit(0, "l", 2, 600_000).unwrap()];
            let lease = LeaseId::new(lease).unwrap();
            let request = CheckRequest { cost: 1, lease: Some(&lease) };
            at_once(limiter.check(&subject, &limits, request, Now::At(Millis::new(T + seconds * 1000)))).unwrap()
        };
        // The leases end at 1000, 1890 and 1900 s, and the log has room again at 1490 s.
        for (lease, seconds) in [("x", 0), ("a", 890), ("b", 900)] {
            prop_assert!(ask(3, lease, seconds).is_allow());
        }
        let before = dump(server, &subject);
        let after = |seconds: u64| Retry::After(Millis::new(seconds * 1000));
        for (most, lease, retry, why) in [
            (1, "x", after(950), "a and b must have ended"),
            (2, "x", after(940), "a must have ended"),
            (3, "x", Retry::Now, "its own place is free when its lease has ended"),
            (1, "a", Retry::Now, "it lives long enough"),
        ] {
            let verdict = ask(most, lease, 950);
            let retries: Vec<Retry> = verdict.budgets().iter().map(|budget| budget.retry).collect();
            prop_assert_eq!(retries, [retry, after(540)], "{} of {}: {}", lease, most, why);
            prop_assert_eq!(verdict.retry(), if retry == Retry::Now { after(540) } else { retry });
        }
        prop_assert!(!ask(1, "x", 1899).is_allow());
        prop_assert_eq!(dump(server, &subject), before);
        prop_assert!(ask(1, "x", 1900).is_allow());
        Ok(())
    })
    .unwrap();
}

/// At the retry time of one limit, the lease at another one may have expired.
#[test]
fn retry_accounts_for_a_lease_and_another_limit() {
    let after = |ms: u64| Retry::After(Millis::new(ms));
    // x ends at 100 ms in p and later in q, the other lease at 200 ms in p and at 300 ms in q; the bucket has a unit
    // again at 150 ms.
    for (ends_in_q, retry_of_q) in [(180, after(300)), (250, Retry::Now)] {
        for reversed in [false, true] {
            with_limiter(|limiter, _| {
                let subject = Subject::named("s");
                let ask = |most: u64, (p, q): (u64, u64), bucket: bool, lease: &str, ms: u64| {
                    let mut limits = vec![limit(4, "p", most, p).unwrap(), limit(4, "q", most, q).unwrap()];
                    limits.extend(bucket.then(|| limit(3, "b", 1, 150).unwrap()));
                    if reversed {
                        limits.reverse();
                    }
                    let lease = LeaseId::new(lease).unwrap();
                    let request = CheckRequest { cost: 1, lease: Some(&lease) };
                    at_once(limiter.check(&subject, &limits, request, Now::At(Millis::new(T + ms)))).unwrap()
                };
                prop_assert!(ask(2, (200, 300), false, "other", 0).is_allow());
                prop_assert!(ask(2, (100, ends_in_q), true, "x", 0).is_allow());
                let verdict = ask(1, (1, 1), true, "x", 0);
                let retry = |name: &str| {
                    verdict.budgets().iter().find(|budget| budget.limit.name().to_string() == name).unwrap().retry
                };
                prop_assert_eq!(["b", "p", "q"].map(retry), [after(150), after(200), retry_of_q], "{}", reversed);
                let Retry::After(wait) = verdict.retry() else { panic!("{verdict:?}") };
                prop_assert!(!ask(1, (1, 1), true, "x", wait.get() - 1).is_allow());
                prop_assert!(ask(1, (1, 1), true, "x", wait.get()).is_allow());
                Ok(())
            })
            .unwrap();
        }
    }
}
