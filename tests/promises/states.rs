//! The guarantees of one call over several states: of a user within its tenant within everyone.

use proptest::prelude::*;
use sluicegate::limit::memory::{Capacity, MemoryLimiter};
use sluicegate::limit::{By, CheckRequest, LeaseId, Limit, Subject, Verdict};
use sluicegate::limiter::{Correction, Limiter, Now, RequestId, SettleOutcome, Settlement};
use sluicegate::time::Millis;

use crate::clocked::ClockedTransport;
use crate::direct::at_once;
use crate::refusals::refusals_are_exact;
use crate::{T, cases, limit, traffic, with_limiter};

proptest! {
    #![proptest_config(cases::config(300, "regressions"))]

    #[test]
    fn a_refusal_changes_no_byte_in_any_state_and_retry_is_exact(
        calls in traffic::of_several_states(traffic::changing(30), 30),
    ) {
        with_limiter(|limiter, server| {
            calls.iter().try_for_each(|(call, subject)| refusals_are_exact(limiter, server, subject, call))
        })?;
    }

    #[test]
    fn a_batch_over_several_states_equals_its_requests(
        calls in traffic::of_several_states(traffic::changing(30), 30),
    ) {
        with_limiter(|limiter, _| {
            let mut alone = MemoryLimiter::new(Capacity { subjects: usize::MAX, entries: usize::MAX });
            for (call, subject) in &calls {
                let batch = at_once(limiter.check_batch(subject, &call.limits, call.requests(), Now::At(call.now))).unwrap();
                let singles: Vec<_> = call
                    .requests()
                    .map(|request| alone.check(subject, &call.limits, request, call.now).unwrap())
                    .collect();
                prop_assert_eq!(batch, singles, "{:?}", call);
            }
            Ok(())
        })?;
    }

    /// At one instant nothing refills: what one call has charged, it gives back to the same states, once.
    #[test]
    fn a_settlement_corrects_every_state_once(
        kinds in prop::collection::vec((0_u8..4, 10_u64..30), 4), cost in 1_u64..10, back in 0_u64..10, more in 0_u64..10,
    ) {
        let limits: Vec<Limit> =
            kinds.iter().enumerate().map(|(i, (kind, quota))| by(limit(*kind, &format!("n{i}"), *quota, 60_000).unwrap(), i)).collect();
        with_limiter(|limiter, _| {
            let (ada, bob) = (user("acme", "ada"), user("acme", "bob"));
            prop_assert!(check(limiter, &ada, &limits, cost).is_allow());
            let correction = if back > 0 { Correction::GiveBack(back.min(cost)) } else { Correction::Charge(more) };
            let settled = settle(limiter, &ada, &limits, correction);
            let real = match correction {
                Correction::GiveBack(units) => cost - units,
                Correction::Charge(units) => cost + units,
            };
            prop_assert_eq!(settled, SettleOutcome::Settle { units: vec![real.abs_diff(cost); 4] });
            prop_assert_eq!(settle(limiter, &ada, &limits, correction), SettleOutcome::Repeat);
            // Of the tenant and of everyone, bob has used what ada has.
            for (subject, used) in [(&ada, [real; 4]), (&bob, [real, 0, real, 0]), (&user("other", "ada"), [0, 0, real, 0])] {
                let verdict = check(limiter, subject, &limits, 0);
                let found: Vec<_> = verdict.budgets().iter().map(|budget| budget.limit.quota().saturating_sub(budget.remaining)).collect();
                prop_assert_eq!(found, used.map(|used| used.min(30)).iter().zip(&limits).map(|(used, limit)| *used.min(&limit.quota())).collect::<Vec<_>>());
            }
            Ok(())
        })?;
    }
}

/// The same tenant by user, and everyone: n0 counts by the caller, n1 by user, n2 by everyone, n3 by country.
fn by(limit: Limit, place: usize) -> Limit {
    match place {
        1 => limit.counting_by(By::Header("x-user".into())),
        2 => limit.counting_by(By::Everyone),
        3 => limit.counting_by(By::Country),
        _ => limit,
    }
}

fn user(tenant: &str, name: &str) -> Subject {
    let subject = Subject::named(tenant).with(&By::Header("x-user".into()), name.as_bytes());
    subject.with(&By::Everyone, b"").with(&By::Country, name.as_bytes())
}

fn check(limiter: &Limiter<ClockedTransport<'_>>, subject: &Subject, limits: &[Limit], cost: u64) -> Verdict {
    at_once(limiter.check(subject, limits, cost, Now::At(Millis::new(T)))).unwrap()
}

fn settle(
    limiter: &Limiter<ClockedTransport<'_>>,
    subject: &Subject,
    limits: &[Limit],
    correction: Correction,
) -> SettleOutcome {
    let request = RequestId::new("r").unwrap();
    let (at, memory) = (Millis::new(T), Millis::from_secs(60));
    let settlement = Settlement { request: &request, charged_at: at, correction, memory };
    at_once(limiter.settle(subject, limits, &settlement, Now::At(at))).unwrap()
}

/// One limit that refuses leaves the others uncharged, whatever state it is in.
#[test]
fn one_refusing_state_charges_none() {
    for full in 0..4 {
        let limits: Vec<Limit> =
            (0..4).map(|i| by(limit(3, &format!("n{i}"), if i == full { 1 } else { 5 }, 60_000).unwrap(), i)).collect();
        with_limiter(|limiter, _| {
            let ada = user("acme", "ada");
            let remaining =
                |verdict: Verdict| verdict.budgets().iter().map(|budget| budget.remaining).collect::<Vec<_>>();
            prop_assert!(check(limiter, &ada, &limits, 1).is_allow());
            let left: Vec<u64> = (0..4).map(|i| if i == full { 0 } else { 4 }).collect();
            for _ in 0..3 {
                let verdict = check(limiter, &ada, &limits, 1);
                prop_assert_eq!(
                    verdict.refusing().map(|budget| budget.limit.clone()).collect::<Vec<_>>(),
                    [limits[full].clone()]
                );
                prop_assert_eq!(remaining(verdict), left.clone());
            }
            prop_assert_eq!(remaining(check(limiter, &ada, &limits, 0)), left);
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn a_reset_deletes_the_states_of_its_values_only() {
    let kinds = [0, 3, 0, 3].into_iter().enumerate();
    let limits: Vec<Limit> = kinds.map(|(i, kind)| by(limit(kind, &format!("n{i}"), 5, 60_000).unwrap(), i)).collect();
    with_limiter(|limiter, server| {
        for subject in [user("acme", "ada"), user("acme", "bob"), user("other", "ada")] {
            prop_assert!(check(limiter, &subject, &limits, 1).is_allow());
        }
        let header = By::Header("x-user".into());
        let reset = Subject::named("acme").with(&header, b"ada");
        at_once(limiter.reset(&reset, &limits)).unwrap();
        let keys: Vec<String> = server.redis.borrow_mut().dump_all().into_iter().map(|(key, _)| key).collect();
        prop_assert_eq!(
            keys,
            [
                "sg:1:{acme}:by:country:ada",
                "sg:1:{acme}:by:country:bob",
                "sg:1:{acme}:by:header:x-user:bob",
                "sg:1:{everyone}:log:n2",
                "sg:1:{other}:by:country:ada",
                "sg:1:{other}:by:header:x-user:ada",
                "sg:1:{other}:log:n0",
            ]
        );
        Ok(())
    })
    .unwrap();
}

/// A lease is released in the state of its limit.
#[test]
fn leases_end_in_every_state() {
    let limits: Vec<Limit> = (0..3).map(|i| by(limit(4, &format!("n{i}"), 1, 60_000).unwrap(), i)).collect();
    with_limiter(|limiter, _| {
        let ada = user("acme", "ada");
        let ask = |lease: &str| {
            let lease = LeaseId::new(lease).unwrap();
            let request = CheckRequest { cost: 1, lease: Some(&lease) };
            at_once(limiter.check(&ada, &limits, request, Now::At(Millis::new(T)))).unwrap().is_allow()
        };
        prop_assert!(ask("one") && !ask("two"));
        prop_assert_eq!(at_once(limiter.release(&ada, &limits, &LeaseId::new("one").unwrap())).unwrap(), 3);
        prop_assert!(ask("two"));
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_flood_of_values_grows_no_state() {
    let limits = [limit(3, "own", 1_000_000, 60_000).unwrap(), by(limit(3, "user", 5, 60_000).unwrap(), 1)];
    with_limiter(|limiter, server| {
        let size = |server: &crate::Clocked| server.redis.borrow_mut().run::<u64>(&["STRLEN", "sg:1:{acme}"]);
        let mut sizes = std::collections::BTreeSet::new();
        for i in 0..2000 {
            let one_of_many = user("acme", &format!("user{i}"));
            prop_assert!(check(limiter, &one_of_many, &limits, 1).is_allow());
            sizes.insert(size(server));
        }
        let (least, most) = (sizes.first().unwrap(), sizes.last().unwrap());
        prop_assert!(most - least <= 8, "only the digits of the debt: {sizes:?}");
        Ok(())
    })
    .unwrap();
}
