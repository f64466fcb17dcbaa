//! At one instant nothing refills, and a limit is a counter: whatever the plan, it knows what was used of it, and a
//! request passes if every limit has room. No unit is lost, up to the largest numbers that a limit can have.

use std::collections::HashMap;

use proptest::prelude::*;
use sluicegate::limit::{CheckRequest, LeaseId, Limit, MAX_INTEGER, Retry, Subject};
use sluicegate::limiter::Now;
use sluicegate::time::Millis;

use crate::direct::at_once;
use crate::{T, cases, limit, with_limiter};

proptest! {
    #![proptest_config(cases::config(300, "regressions"))]

    #[test]
    fn usage_survives_plan_changes(kinds in kinds(), calls in prop::collection::vec(call(), 1..25)) {
        with_limiter(|limiter, _| {
            let subject = Subject::named("s");
            let mut used: HashMap<usize, u128> = HashMap::new();
            let mut leases = 0;
            for Call { quotas, costs } in calls {
                let plan = plan(&kinds, &quotas);
                let limits: Vec<Limit> = plan.iter().map(|(_, limit)| limit.clone()).collect();
                let costs: Vec<u64> = costs.iter().map(|cost| cost.of(&limits)).collect();
                let ids: Vec<LeaseId> = costs.iter().map(|_| { leases += 1; LeaseId::new(&leases.to_string()).unwrap() }).collect();
                let requests: Vec<CheckRequest<'_>> = costs.iter().zip(&ids).map(|(cost, lease)| CheckRequest { cost: *cost, lease: Some(lease) }).collect();
                let verdicts = at_once(limiter.check_batch(&subject, &limits, requests, Now::At(Millis::new(T)))).unwrap();
                for (cost, verdict) in costs.into_iter().zip(verdicts) {
                    let units = |limit: &Limit| u128::from(if limit.needs_lease() { u64::from(cost > 0) } else { cost });
                    let before: Vec<u128> = plan.iter().map(|(seat, _)| used.get(seat).copied().unwrap_or(0)).collect();
                    let fits = |(before, limit): (&u128, &Limit)| {
                        // Even a look asks for a lease.
                        let units = if limit.needs_lease() { 1 } else { units(limit) };
                        before + units <= u128::from(limit.quota())
                    };
                    let each: Vec<bool> = before.iter().zip(&limits).map(fits).collect();
                    for (fits, budget) in each.iter().zip(verdict.budgets()) {
                        // A bucket that holds less than it owes has no room, and nothing to refuse a look.
                        let looks_at_debt = cost == 0 && budget.retry == Retry::Now && budget.remaining == 0;
                        prop_assert!(*fits == (budget.retry == Retry::Now) || looks_at_debt, "{:?} of {:?}", cost, budget);
                    }
                    if verdict.is_allow() {
                        for (seat, limit) in &plan {
                            *used.entry(*seat).or_default() += units(limit);
                        }
                    }
                    for ((seat, limit), budget) in plan.iter().zip(verdict.budgets()) {
                        let used = used.get(seat).copied().unwrap_or(0);
                        let remaining = u128::from(limit.quota()).saturating_sub(used);
                        prop_assert_eq!(u128::from(budget.remaining), remaining, "{} used of {:?}", used, limit);
                    }
                }
            }
            Ok(())
        })?;
    }
}

/// The limits that a plan may have: kind and window, which make one with its name; and the largest quota.
fn kinds() -> impl Strategy<Value = Vec<(u8, u64, u64)>> {
    let window = prop_oneof![4 => 1_u64..5000, 1 => Just(1_u64), 1 => Just(1000_u64), 1 => Just(3650 * 86_400_000_u64)];
    let most = prop_oneof![3 => Just(12_u64), 1 => Just(MAX_INTEGER)];
    prop::collection::vec((0_u8..5, window, most), 4)
}

#[derive(Debug, Clone)]
struct Call {
    /// For each limit its quota, as a share of the largest; or the limit is not in the plan.
    quotas: Vec<Option<f64>>,
    costs: Vec<Cost>,
}

#[derive(Debug, Clone)]
enum Cost {
    Small(u64),
    /// Of the quota of a limit, and so many units less.
    Share(prop::sample::Index, u64, u64),
}

fn call() -> impl Strategy<Value = Call> {
    let quota = prop_oneof![1 => Just(None), 1 => Just(Some(1.0)), 4 => (0.0..1.0).prop_map(Some)];
    let share = (any::<prop::sample::Index>(), 1_u64..8, 0_u64..3)
        .prop_map(|(which, part, less)| Cost::Share(which, part, less));
    let cost = prop_oneof![2 => (0_u64..5).prop_map(Cost::Small), 1 => share];
    (prop::collection::vec(quota, 4), prop::collection::vec(cost, 1..4))
        .prop_map(|(quotas, costs)| Call { quotas, costs })
}

impl Cost {
    fn of(&self, limits: &[Limit]) -> u64 {
        match self {
            Cost::Small(cost) => *cost,
            Cost::Share(which, part, less) => (which.get(limits).quota() / part).saturating_sub(*less),
        }
    }
}

/// The limits of a call, each with its seat among the kinds.
fn plan(kinds: &[(u8, u64, u64)], quotas: &[Option<f64>]) -> Vec<(usize, Limit)> {
    let seats = kinds.iter().zip(quotas).enumerate();
    let limits: Vec<(usize, Limit)> =
        seats.filter_map(|(seat, (kind, share))| Some((seat, within_bounds(seat, *kind, (*share)?)))).collect();
    if limits.is_empty() { vec![(0, within_bounds(0, kinds[0], 1.0))] } else { limits }
}

/// The largest quota at most that the kind of limit can have with its window.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "any quota will do"
)]
fn within_bounds(seat: usize, (kind, window, most): (u8, u64, u64), share: f64) -> Limit {
    let mut quota = ((most as f64 * share) as u64).clamp(1, most);
    loop {
        if let Some(limit) = limit(kind, &format!("n{seat}"), quota, window) {
            return limit;
        }
        // Half as many, and a whole number of windows, of which a bucket needs few fractions.
        quota /= 2;
        quota = if quota > window { quota - quota % window } else { quota.max(1) };
        if quota == 1 && limit(kind, "x", 1, window).is_none() {
            return limit(0, &format!("n{seat}"), 1, window).unwrap();
        }
    }
}
