//! Clients' clocks differ. A clock ahead by d grants at most what d refills, once, and delays others by at most d. A
//! clock that goes back grants nothing. Redis's own clock is the same for all.

use proptest::prelude::*;
use sluicegate::limit::{Algorithm, Budget, CheckRequest, LeaseId, Limit, Retry, Subject, Verdict};
use sluicegate::limiter::Now;
use sluicegate::time::Millis;

use crate::direct::at_once;
use crate::{T, cases, limit, traffic, with_limiter};

proptest! {
    #![proptest_config(cases::config(200, "regressions"))]

    /// A client that takes everything, with clocks ahead by up to d at any time, gets no more than an exact clock grants
    /// until d later.
    #[test]
    fn clocks_ahead_grant_their_lead_at_most_once(
        (kind, quota, window) in (0_u8..4, 1_u64..8, 1_u64..2000), lead in 1_u64..3000,
        steps in prop::collection::vec((0_u64..600, prop_oneof![Just(0_u64), Just(1_000), 0_u64..=1_000]), 1..30)
    ) {
        with_limiter(|limiter, _| {
            let (subject, limits) = (Subject::named("s"), [limit(kind, "x", quota, window).unwrap()]);
            let (start, mut now, mut taken) = (T + 123, T + 123, 0);
            for (step, share) in steps {
                now += step;
                let clock = now + lead * share / 1000;
                let greedy = vec![1_u64; usize::try_from(quota).unwrap() + 1];
                let verdicts = at_once(limiter.check_batch(&subject, &limits, greedy, Now::At(Millis::new(clock)))).unwrap();
                taken += verdicts.iter().filter(|verdict| verdict.is_allow()).count() as u64;
            }
            prop_assert!(taken <= most(&limits[0], start, now + lead), "{} in {} ms", taken, now - start);
            Ok(())
        })?;
    }

    /// After a charge by a clock that is ahead, all replies are as of its instant, with retry times longer by its lead.
    /// Later, no difference remains.
    #[test]
    fn a_clock_ahead_delays_others_by_at_most_its_lead(calls in traffic::steady(20), lead in 1_u64..100_000, share in 0_u64..=1000) {
        with_limiter(|limiter, _| {
            let subject = Subject::named("s");
            let mut latest = Millis::ZERO;
            for call in &calls {
                latest = latest.max(call.now);
                at_once(limiter.check_batch(&subject, &call.limits, call.requests(), Now::At(latest))).unwrap();
            }
            let call = calls.last().unwrap();
            let ahead = Millis::new(latest.get() + lead);
            let jump = LeaseId::new("jump").unwrap();
            let taken = at_once(limiter.check(&subject, &call.limits, CheckRequest { cost: 1, lease: Some(&jump) }, Now::At(ahead))).unwrap();
            // Only a charge advances a limit's time; leases have none.
            if !taken.is_allow() || call.limits.iter().all(Limit::needs_lease) {
                return Ok(());
            }
            let late = lead - lead * share / 1000;
            let look = |now: u64| at_once(limiter.peek(&subject, &call.limits, Now::At(Millis::new(now)))).unwrap();
            let (others, its) = (look(ahead.get() - late), look(ahead.get()));
            for (other, its) in others.budgets().iter().zip(its.budgets()) {
                prop_assert_eq!(other, &later(its, late), "{} ms before {}: {:?}", late, ahead, call);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_clock_that_goes_back_gains_nothing(calls in traffic::changing(30), back in 0_u64..10_000_000) {
        with_limiter(|limiter, _| {
            let subject = Subject::named("s");
            for call in &calls {
                at_once(limiter.check_batch(&subject, &call.limits, call.requests(), Now::At(call.now))).unwrap();
                let remaining = |now: u64| {
                    let look = at_once(limiter.peek(&subject, &call.limits, Now::At(Millis::new(now)))).unwrap();
                    look.budgets().iter().map(|budget| budget.remaining).collect::<Vec<_>>()
                };
                let (now, before) = (remaining(call.now.get()), remaining(call.now.get().saturating_sub(back)));
                prop_assert!(before.iter().zip(&now).all(|(before, now)| before <= now), "{:?} then {:?}: {:?}", before, now, call);
            }
            Ok(())
        })?;
    }
}

#[test]
fn redis_clock_ignores_client_time() {
    with_limiter(|limiter, server| {
        let now = || {
            let (seconds, micros): (u64, u64) = server.redis.borrow_mut().run(&["TIME"]);
            seconds * 1000 + micros / 1000
        };
        let limits: Vec<Limit> = (0..5).map(|kind| limit(kind, &format!("n{kind}"), 5, 3_600_000).unwrap()).collect();
        let subject = Subject::named("s");
        let request = |lease| CheckRequest { cost: 5, lease: Some(lease) };
        let (first, second) = (LeaseId::new("1").unwrap(), LeaseId::new("2").unwrap());
        let before = now();
        let verdict: Verdict = at_once(limiter.check(&subject, &limits, request(&first), Now::Redis)).unwrap();
        let after = now();
        assert!(verdict.is_allow());
        // Each limit replies as if checked at an instant in between.
        let same = (before..=after).any(|instant| {
            let other = Subject::named(&format!("at-{instant}"));
            at_once(limiter.check(&other, &limits, request(&first), Now::At(Millis::new(instant)))).unwrap() == verdict
        });
        assert!(same, "{verdict:?} between {before} and {after}");
        let again = at_once(limiter.check(&subject, &limits, request(&second), Now::Redis)).unwrap();
        assert!(!again.is_allow());
        Ok(())
    })
    .unwrap();
}

/// Returns the most that an exact clock grants from `start` to `end`.
fn most(limit: &Limit, start: u64, end: u64) -> u64 {
    let (quota, span) = (limit.quota(), end - start);
    match limit.algorithm() {
        Algorithm::SlidingLog { window } => quota * (span / window.get() + 1),
        Algorithm::SlidingWindow { window } => quota * (end / window.get() - start / window.get() + 1),
        Algorithm::FixedWindow { .. } => {
            let window = limit.window().unwrap().get();
            quota * (end / window - start / window + 1)
        }
        Algorithm::TokenBucket { burst, window, .. } => burst + span * quota / window.get(),
        Algorithm::Concurrency { .. } => u64::MAX,
    }
}

/// Returns the same budget, seen this many milliseconds earlier.
fn later(budget: &Budget, ms: u64) -> Budget {
    let retry = match budget.retry {
        Retry::After(wait) => Retry::After(Millis::new(wait.get() + ms)),
        other => other,
    };
    let reset = if budget.reset > Millis::ZERO { Millis::new(budget.reset.get() + ms) } else { Millis::ZERO };
    Budget { retry, reset, ..budget.clone() }
}
