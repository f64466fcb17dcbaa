//! Random plans and random traffic for property tests.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::fmt;

use proptest::prelude::*;
use sluicegate::limit::{By, CheckRequest, LeaseId, Limit, LimitName, MAX_INTEGER, Subject, Window};
use sluicegate::time::Millis;

/// One call of a limiter.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) limits: Vec<Limit>,
    pub(crate) requests: Vec<(u64, LeaseId)>,
    pub(crate) now: Millis,
}

impl Call {
    pub(crate) fn requests(&self) -> impl Iterator<Item = CheckRequest<'_>> {
        self.requests.iter().map(|(cost, lease)| CheckRequest { cost: *cost, lease: Some(lease) })
    }
}

/// On one line, because a failing history is long.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}:", self.now.get())?;
        for limit in &self.limits {
            let counts = if limit.counts_requests() { " counting requests" } else { "" };
            write!(f, " {} {} by {:?}{counts},", limit.name(), limit.quota(), limit.algorithm())?;
        }
        self.requests.iter().try_for_each(|(cost, lease)| write!(f, " cost {cost} {lease}"))
    }
}

/// One to four limits of any kind, and calls of one request each.
pub(crate) fn steady(most: usize) -> impl Strategy<Value = Vec<Call>> {
    calls(plan().prop_map(|plan| vec![plan]), 1, most)
}

/// Batch calls under plans that change: limits are raised, lowered, added, removed, or replaced by others of the same
/// name.
pub(crate) fn changing(most: usize) -> impl Strategy<Value = Vec<Call>> {
    prop_oneof![4 => calls(plans(), 4, most), 1 => lowering(most)]
}

/// Calls as above, with limits that count by other things than the caller: each call with the subject that makes it. All
/// callers and values are among two, so that calls share some states and not others.
pub(crate) fn of_several_states(
    calls: impl Strategy<Value = Vec<Call>>,
    most: usize,
) -> impl Strategy<Value = Vec<(Call, Subject)>> {
    let by = || prop_oneof![3 => Just(None), 2 => Just(Some(header())), 1 => Just(Some(query())), 2 => Just(Some(By::Everyone))];
    let subject = (any::<bool>(), any::<bool>(), prop::bool::weighted(0.1));
    (calls, prop::collection::vec(by(), 4), prop::collection::vec(subject, most)).prop_map(|(calls, by, subjects)| {
        let place = |limit: &Limit| limit.name().as_str().trim_start_matches('n').parse::<usize>().unwrap();
        let counting = |limit: Limit| match &by[place(&limit)] {
            Some(by) => limit.counting_by(by.clone()),
            None => limit,
        };
        let call = |(call, subject): (Call, (bool, bool, bool))| {
            let limits = call.limits.into_iter().map(counting).collect();
            (Call { limits, ..call }, subject_of(subject))
        };
        calls.into_iter().zip(subjects).map(call).collect()
    })
}

fn header() -> By {
    By::Header("x-user".into())
}

fn query() -> By {
    By::Query("key".into())
}

fn subject_of((caller, user, key): (bool, bool, bool)) -> Subject {
    let text = |is_second: bool| if is_second { "b" } else { "a" };
    let subject = Subject::named(text(caller)).with(&header(), text(user).as_bytes());
    subject.with(&query(), text(key).as_bytes()).with(&By::Everyone, b"")
}

fn calls(plans: impl Strategy<Value = Vec<Vec<Limit>>>, batch: usize, most: usize) -> impl Strategy<Value = Vec<Call>> {
    (plans, start()).prop_flat_map(move |(plans, start)| {
        let sizes: Vec<u64> = plans.iter().flatten().map(Limit::quota).filter(|quota| *quota > 1000).collect();
        let request = (cost(sizes), 0_u8..6);
        let batch = prop_oneof![2 => prop::collection::vec(request.clone(), 1..=1), 1 => prop::collection::vec(request, 1..=batch)];
        let change = prop_oneof![5 => Just(None), 1 => any::<prop::sample::Index>().prop_map(Some)];
        prop::collection::vec((step(), change, batch), 1..most).prop_map(move |steps| {
            let (mut now, mut plan) = (start, &plans[0]);
            let call = |(step, change, batch): (i64, Option<prop::sample::Index>, Vec<(u64, u8)>)| {
                now = now.saturating_add_signed(step).clamp(1, LATEST);
                plan = change.map_or(plan, |index| index.get(&plans));
                Call { limits: plan.clone(), requests: leased(batch), now: Millis::new(now) }
            };
            steps.into_iter().map(call).collect()
        })
    })
}

/// Takes short leases, then long ones, then lowers the concurrency limit below the live leases, next to a limit that
/// refuses often. A renewal may have to wait until its lease has expired.
fn lowering(most: usize) -> impl Strategy<Value = Vec<Call>> {
    let concurrency = (3_u64..7, 500_u64..2000, 2000_u64..10_000, 1_u64..3);
    let kind = prop_oneof![Just(0_u8), Just(1), Just(2), Just(4)];
    let other = (kind, 1_u64..3, 500_u64..5000, 1_u64..3, any::<bool>());
    let plans = (prop::collection::vec(concurrency, 1..=2), other).prop_map(|(concurrency, other)| {
        let (kind, quota, window, burst, counts_requests) = other;
        let other = Numbers { kind, quota, window, burst, counts_requests };
        let leases = |quota, window| Numbers { kind: 5, quota, window, burst: 1, counts_requests: false };
        let short = concurrency.iter().map(|(many, short, _, _)| leases(*many, *short)).collect();
        let long = concurrency.iter().map(|(many, _, long, _)| leases(*many, *long)).collect();
        let few = concurrency.iter().map(|(_, _, long, few)| leases(*few, *long)).chain([other]).collect();
        let limits = |plan: Vec<Numbers>| -> Vec<Limit> {
            plan.iter().enumerate().map(|(i, numbers)| numbers.limit(i)).collect()
        };
        [short, long, few].map(limits)
    });
    let request = (prop_oneof![8 => Just(1_u64), 1 => Just(0), 1 => Just(2)], 0_u8..6);
    let call = (prop_oneof![1 => Just(0_u64), 1 => 0_u64..500], prop::collection::vec(request, 1..3));
    (plans, start(), prop::collection::vec(call, 1..most)).prop_map(|(plans, start, calls)| {
        let mut now = start;
        let call = |(i, (step, requests)): (usize, (u64, Vec<(u64, u8)>))| {
            now += step;
            let limits = plans[(i / 3).min(2)].clone();
            Call { limits, requests: leased(requests), now: Millis::new(now) }
        };
        calls.into_iter().enumerate().map(call).collect()
    })
}

/// The requests with the names of their leases.
fn leased(requests: Vec<(u64, u8)>) -> Vec<(u64, LeaseId)> {
    let lease = |number: u8| LeaseId::new(&format!("lease-{number}")).unwrap();
    requests.into_iter().map(|(cost, number)| (cost, lease(number))).collect()
}

fn plan() -> impl Strategy<Value = Vec<Limit>> {
    prop::collection::vec(limit(), 1..=4)
        .prop_map(|limits| limits.iter().enumerate().map(|(i, make)| make.limit(i)).collect())
}

/// Plans over four limit names, each with two alternating definitions and changing quotas.
fn plans() -> impl Strategy<Value = Vec<Vec<Limit>>> {
    let identities = prop::collection::vec((limit(), limit()), 4);
    let seat = prop_oneof![2 => Just(None), 5 => (prop::bool::weighted(0.2), 1_u64..12, 1_u64..15).prop_map(Some)];
    (identities, prop::collection::vec(prop::collection::vec(seat, 4), 1..=4)).prop_map(|(identities, plans)| {
        let made = |seats: Vec<Option<(bool, u64, u64)>>| {
            let seats = seats.into_iter().zip(&identities).enumerate();
            let mut limits: Vec<Limit> = seats
                .filter_map(|(i, (seat, (usual, other)))| {
                    let (turn, quota, burst) = seat?;
                    Some(if turn { other } else { usual }.of(quota, burst).limit(i))
                })
                .collect();
            if limits.is_empty() {
                limits.push(identities[0].0.limit(0));
            }
            limits
        };
        plans.into_iter().map(made).collect()
    })
}

/// The numbers of a valid limit.
#[derive(Debug, Clone)]
struct Numbers {
    kind: u8,
    quota: u64,
    window: u64,
    burst: u64,
    counts_requests: bool,
}

impl Numbers {
    /// The same limit with another quota and burst, if it is small enough.
    fn of(&self, quota: u64, burst: u64) -> Numbers {
        let changed = Numbers { quota, burst, ..self.clone() };
        if self.quota < 1000 && changed.build("x").is_some() { changed } else { self.clone() }
    }

    fn limit(&self, number: usize) -> Limit {
        self.build(&format!("n{number}")).unwrap()
    }

    fn build(&self, name: &str) -> Option<Limit> {
        let (name, window) = (LimitName::new(name).unwrap(), Millis::new(self.window));
        let limit = match self.kind {
            0 => Limit::sliding_log(name, self.quota, window),
            1 => Limit::sliding_window(name, self.quota, window),
            2 => Limit::fixed_window(name, self.quota, Window::Span(window)),
            3 => Limit::fixed_window(name, self.quota, Window::Month),
            4 => Limit::token_bucket(name, self.quota, window, Some(self.burst)),
            _ => Limit::concurrency(name, self.quota, window),
        };
        limit.ok().map(|limit| if self.counts_requests { limit.counting_requests() } else { limit })
    }
}

/// Mostly small, so that requests meet the limit often; sometimes as large as a limit can be.
fn limit() -> impl Strategy<Value = Numbers> {
    let small = (0_u8..6, 1_u64..12, 1_u64..5000, 1_u64..15);
    let most = MAX_INTEGER - 3..=MAX_INTEGER;
    let large_quota = (0_u8..6, most.clone(), 1_u64..3, most.clone());
    let large_log = (prop_oneof![Just(0_u8), Just(2), Just(3), Just(5)], most, 1_u64..100_000, Just(1_u64));
    let large_window = (0_u8..6, 28_000_u64..28_562, TEN_YEARS - 5..=TEN_YEARS, 28_000_u64..28_562);
    let even = (0_u8..6, 1_u64..1000, Just(1000_u64), 1_u64..2000);
    let numbers = prop_oneof![8 => small, 1 => large_quota, 1 => large_log, 1 => large_window, 2 => even];
    (numbers, prop::bool::weighted(0.2)).prop_filter_map(
        "a limit within its bounds",
        |((kind, quota, window, burst), counts_requests)| {
            let numbers = Numbers { kind, quota, window, burst, counts_requests };
            numbers.build("x").map(|_| numbers)
        },
    )
}

/// Small costs, or near and below the large quotas in play.
fn cost(sizes: Vec<u64>) -> BoxedStrategy<u64> {
    let small = prop_oneof![5 => Just(1_u64), 4 => 0_u64..6, 1 => 0_u64..20];
    if sizes.is_empty() {
        return small.boxed();
    }
    let large = (any::<prop::sample::Index>(), 0_u64..4, prop_oneof![Just(1_u64), Just(2), 1_u64..50])
        .prop_map(move |(index, less, part)| (index.get(&sizes) / part).saturating_sub(less));
    prop_oneof![1 => small, 2 => large, 1 => 0..=MAX_INTEGER].boxed()
}

/// How far the clock moves: mostly forward, sometimes far, sometimes back.
fn step() -> impl Strategy<Value = i64> {
    prop_oneof![
        8 => Just(0_i64),
        12 => 0_i64..1500,
        2 => -3000_i64..0,
        2 => 0_i64..20_000,
        1 => 0_i64..3_000_000_000,
        1 => -10_000_000_000_i64..400_000_000_000,
    ]
}

/// Now, the epoch, the end of a leap month, the far future.
fn start() -> impl Strategy<Value = u64> {
    prop_oneof![4 => Just(1_800_000_000_000_u64), 1 => 1_u64..5000, 1 => Just(1_709_251_199_000), 1 => Just(LATEST - 5_000_000_000)]
}

const TEN_YEARS: u64 = 3650 * 86_400_000;

/// So far in the future that a window that begins now just ends below 2^53.
const LATEST: u64 = MAX_INTEGER - 3 * TEN_YEARS;
