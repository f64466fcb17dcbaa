//! What units that were taken in advance may change, and what not: Redis never counts less than what passes, nothing is
//! lost, and near the limit every request is decided by Redis.

use std::sync::Arc;

use proptest::prelude::*;
use sluicegate::limit::memory::{Capacity, MemoryLimiter};
use sluicegate::limit::{Algorithm, Limit, LimitName, PrefetchRule, Subject, Window, usage};
use sluicegate::limiter::{Clock, Decider, Limiter, LotId, Now, Prefetch};
use sluicegate::time::Millis;

use crate::clocked::{Clocked, ClockedTransport};
use crate::direct::at_once;
use crate::{T, cases, limit, with_limiter};

/// What an isolate does.
#[derive(Debug, Clone)]
enum Action {
    /// Decides about a request of this cost.
    Decide(u64),
    /// Learns that the limits of the subject have changed: it stops spending what it holds.
    Change,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![40 => prop_oneof![3 => Just(1_u64), 1 => 1_u64..5].prop_map(Action::Decide), 1 => Just(Action::Change)]
}

/// Several isolates that share one Redis.
struct World<'a> {
    isolates: Vec<(Limiter<ClockedTransport<'a>>, Arc<Prefetch>)>,
    limits: Vec<Limit>,
    rule: PrefetchRule,
    now: u64,
    /// What is given back when, by which isolate; unless the call fails.
    due: Vec<(u64, usize, LotId, bool)>,
    /// The requests that have passed: when they were charged, when they passed, and their cost.
    passed: Vec<(u64, u64, u64)>,
    /// What was not given back, and when: units, and the requests that they were taken for.
    lost: Vec<(u64, (u64, u64))>,
    calls: usize,
    held: usize,
    number: u64,
}

impl<'a> World<'a> {
    fn new(server: &'a Clocked, isolates: usize, limits: Vec<Limit>, rule: PrefetchRule) -> Self {
        let isolate = |_| {
            let prefetch = Arc::new(Prefetch::default());
            (server.unforgetting().with_prefetch(Arc::clone(&prefetch)), prefetch)
        };
        World {
            isolates: (0..isolates).map(isolate).collect(),
            limits,
            rule,
            now: T,
            due: Vec::new(),
            passed: Vec::new(),
            lost: Vec::new(),
            calls: 0,
            held: 0,
            number: 0,
        }
    }

    fn pass_time(&mut self, ms: u64) -> Result<(), TestCaseError> {
        let end = self.now + ms;
        while let Some(first) = (0..self.due.len()).min_by_key(|i| self.due[*i].0).filter(|i| self.due[*i].0 <= end) {
            let (at, isolate, lot, fails) = self.due.remove(first);
            self.now = self.now.max(at);
            let (limiter, prefetch) = &self.isolates[isolate];
            if fails {
                let leftover = prefetch.leftover(&lot);
                self.lost.push((self.now, leftover.map_or((0, 0), |leftover| (leftover.units(), leftover.requests()))));
            } else {
                self.number += 1;
                let id = format!("lot-{}", self.number);
                at_once(limiter.give_back(&lot, &id, Clock::Edge, Millis::new(self.now))).unwrap();
            }
            // Exactly once.
            prop_assert!(!at_once(limiter.give_back(&lot, "again", Clock::Edge, Millis::new(self.now))).unwrap());
            self.due.retain(|(_, other, id, _)| *other != isolate || *id != lot);
        }
        self.now = end;
        Ok(())
    }

    /// Acts, and returns whether a request has passed.
    fn act(&mut self, isolate: usize, action: &Action, fails: bool) -> Result<bool, TestCaseError> {
        let now = Millis::new(self.now);
        let (limiter, _) = &self.isolates[isolate];
        let cost = match action {
            Action::Decide(cost) => *cost,
            Action::Change => {
                for lot in limiter.subject_changed(&subject(), now) {
                    self.due.push((self.now, isolate, lot, fails));
                }
                self.pass_time(0)?;
                return Ok(false);
            }
        };
        let request = cost.into();
        let decided =
            at_once(limiter.decide_with_prefetch(&subject(), &self.limits, request, Some(self.rule), Clock::Edge, now));
        let decided = decided.unwrap();
        match decided.decider {
            Decider::HeldUnits => self.held += 1,
            _ => self.calls += 1,
        }
        if let Some(lot) = decided.lot {
            self.due.push((self.now + self.rule.hold().get(), isolate, lot, fails));
        }
        let allowed = decided.verdict.is_allow();
        if allowed {
            prop_assert!(decided.at <= now && now.get() - decided.at.get() < self.rule.hold().get().max(1));
            self.passed.push((decided.at.get(), self.now, cost));
        } else {
            prop_assert_eq!(decided.decider, Decider::Redis);
        }
        self.expect_counted(&decided.verdict.budgets().iter().map(|budget| budget.remaining).collect::<Vec<_>>())?;
        Ok(allowed)
    }

    /// Redis counts what has passed, what is held, and what was not given back: neither less nor more. With one isolate, the
    /// headers say what remains of that.
    fn expect_counted(&self, remaining: &[u64]) -> Result<(), TestCaseError> {
        let limiter = &self.isolates[0].0;
        let verdict = at_once(limiter.peek(&subject(), &self.limits, Now::At(Millis::new(self.now)))).unwrap();
        for (budget, said) in verdict.budgets().iter().zip(remaining) {
            let limit = &budget.limit;
            if limit.algorithm().name() != "fixed_window" {
                continue;
            }
            let charge = |(units, requests)| if limit.counts_requests() { requests } else { units };
            let begin = self.now + budget.reset.get();
            let window = window_of(limit);
            let in_window = |charged: u64| budget.reset.get() > 0 && charged + window >= begin;
            let passed = self.passed.iter().filter(|(charged, ..)| in_window(*charged));
            let passed: u64 = passed.map(|(.., cost)| charge((*cost, 1))).sum();
            let late = self.passed.iter().any(|(charged, passed, _)| charged / window != passed / window);
            prop_assert!(!late, "a unit of one window has passed in the next one");
            let held: u64 = self.isolates.iter().map(|(_, prefetch)| charge(prefetch.held(&subject()))).sum();
            let lost: u64 = self.lost.iter().filter(|(at, _)| in_window(*at)).map(|(_, lost)| charge(*lost)).sum();
            let used = limit.quota() - budget.remaining;
            prop_assert_eq!(used, passed + held + lost, "used = passed {} + held {} + lost {}", passed, held, lost);
            if self.isolates.len() == 1 {
                prop_assert_eq!(*said, limit.quota() - passed - lost);
            }
        }
        Ok(())
    }

    /// What has passed would have passed, one by one, at the times when it was charged.
    fn expect_admissible(&self) -> Result<(), TestCaseError> {
        let mut requests = self.passed.clone();
        requests.sort_unstable();
        let mut memory = MemoryLimiter::new(Capacity::default());
        for (charged, _, cost) in requests {
            let verdict = memory.check(&subject(), &self.limits, cost, Millis::new(charged)).unwrap();
            prop_assert!(verdict.is_allow(), "{cost} units at {} would have been refused: {verdict:?}", charged - T);
        }
        Ok(())
    }
}

fn window_of(limit: &Limit) -> u64 {
    match limit.algorithm() {
        Algorithm::FixedWindow { window: Window::Span(span) } => span.get(),
        _ => u64::MAX,
    }
}

fn bucket(name: &str, quota: u64, window: u64, burst: u64) -> Limit {
    Limit::token_bucket(LimitName::new(name).unwrap(), quota, Millis::new(window), Some(burst)).unwrap()
}

fn subject() -> Subject {
    Subject::named("s")
}

fn rule(units: u64, hold: u64) -> PrefetchRule {
    PrefetchRule::new(units, Millis::new(hold)).unwrap()
}

proptest! {
    #![proptest_config(cases::config(300, "regressions"))]

    #[test]
    fn units_in_advance_are_charged_and_none_is_lost(
        kinds in prop::collection::vec((1_u8..5, prop_oneof![1_u64..200, 1_u64..20], 1_000_u64..8_000, prop::bool::weighted(0.2)), 1..=3),
        metered in any::<bool>(), isolates in 1_usize..4, units in 1_u64..60, hold in 20_u64..100,
        steps in prop::collection::vec(
            (0_usize..3, prop_oneof![6 => 0_u64..4, 2 => 0_u64..60, 1 => 0_u64..900], action(), prop::bool::weighted(0.1)),
            1..250
        )
    ) {
        with_limiter(|_, server| {
            let numbered = kinds.iter().enumerate();
            let mut limits: Vec<Limit> = numbered.map(|(i, (kind, quota, window, counts))| {
                let name = format!("n{i}");
                let limit = match kind {
                    // A small bucket that refills fast may be full again before units are given back.
                    4 => bucket(&name, *quota * 10, *window, *quota),
                    _ => limit(*kind, &name, *quota, *window).unwrap(),
                };
                if *counts { limit.counting_requests() } else { limit }
            }).collect();
            if metered {
                limits = usage::with_meters(&limits);
            }
            let mut world = World::new(server, isolates, limits, rule(units, hold));
            for (isolate, pause, action, fails) in &steps {
                world.pass_time(*pause)?;
                world.act(isolate % isolates, action, *fails)?;
            }
            world.pass_time(hold)?;
            world.expect_admissible()
        })?;
    }
}

/// A steady demand of two requests per millisecond, for some seconds: how many pass, how many calls that takes, and how many
/// of them pass without prefetch.
fn steady(limits: &[Limit], seconds: u64) -> (u64, usize, u64) {
    let mut result = None;
    with_limiter(|plain, server| {
        let mut world = World::new(server, 1, limits.to_vec(), rule(100, 100));
        let (mut passed, mut expected) = (0, 0);
        let twin = Subject::named("twin");
        for half_ms in 0..seconds * 2000 {
            world.pass_time(half_ms % 2)?;
            passed += u64::from(world.act(0, &Action::Decide(1), false)?);
            let verdict = at_once(plain.check(&twin, limits, 1, Now::At(Millis::new(world.now)))).unwrap();
            expected += u64::from(verdict.is_allow());
        }
        world.expect_admissible()?;
        result = Some((passed, world.calls, expected));
        Ok(())
    })
    .unwrap();
    result.unwrap()
}

/// Each algorithm delivers at least 99 % of what it delivers without prefetch.
#[test]
fn a_steady_demand_gets_its_quota() {
    for kind in 1..4 {
        let limits = [limit(kind, "burst", 1500, 1000).unwrap()];
        let (passed, _, expected) = steady(&limits, 4);
        assert!(passed * 100 >= expected * 99, "{}: {passed} of {expected}", limits[0].algorithm().name());
    }
}

#[test]
fn a_hot_subject_needs_few_calls() {
    let limits = [limit(2, "day", 1_000_000, 86_400_000).unwrap(), limit(3, "burst", 100_000, 1000).unwrap()];
    let (passed, calls, expected) = steady(&limits, 4);
    assert_eq!((passed, expected), (8000, 8000));
    assert!(calls < 8000 / 40, "{calls} calls");
}

#[test]
fn the_last_units_are_exact() {
    let limits = [limit(2, "day", 777, 86_400_000).unwrap()];
    let (passed, calls, expected) = steady(&limits, 2);
    assert_eq!((passed, expected), (777, 777));
    // The refused ones ask Redis too: nothing remembers refusals here.
    assert!(calls > 4000 - 777, "{calls} calls");
}

#[test]
fn nothing_is_taken_for_a_single_request() {
    with_limiter(|_, server| {
        let limits = vec![limit(2, "day", 1000, 86_400_000).unwrap()];
        let mut world = World::new(server, 1, limits, rule(100, 100));
        for _ in 0..50 {
            world.act(0, &Action::Decide(1), false)?;
            world.pass_time(101)?;
        }
        assert_eq!((world.calls, world.held), (50, 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn after_a_reset_what_was_held_is_neither_spent_nor_given_back() {
    with_limiter(|_, server| {
        let limits = vec![limit(2, "day", 1000, 86_400_000).unwrap()];
        let mut world = World::new(server, 1, limits.clone(), rule(100, 100));
        for _ in 0..20 {
            world.act(0, &Action::Decide(1), false)?;
        }
        let (limiter, prefetch) = &world.isolates[0];
        assert!(prefetch.held(&subject()).0 > 0);
        at_once(limiter.reset(&subject(), &limits)).unwrap();
        assert_eq!(prefetch.held(&subject()), (0, 0));
        at_once(limiter.check(&subject(), &limits, 5, Now::At(Millis::new(world.now)))).unwrap();
        for (_, _, lot, _) in &world.due {
            assert!(!at_once(limiter.give_back(lot, "late", Clock::Edge, Millis::new(world.now + 100))).unwrap());
        }
        let verdict = at_once(limiter.peek(&subject(), &limits, Now::At(Millis::new(world.now)))).unwrap();
        assert_eq!(verdict.budgets()[0].remaining, 995);
        Ok(())
    })
    .unwrap();
}

/// Full again before the hold ends, a bucket has refilled what it was charged in advance. To give that back would let more
/// pass than its burst.
#[test]
fn a_bucket_that_was_full_meanwhile_gets_nothing_back() {
    with_limiter(|_, server| {
        let mut world = World::new(server, 2, vec![bucket("burst", 200, 1000, 10)], rule(100, 100));
        for _ in 0..2 {
            world.act(0, &Action::Decide(1), false)?;
        }
        assert_eq!(world.isolates[0].1.held(&subject()), (2, 2));
        world.pass_time(99)?;
        let mut passed = 0;
        for _ in 0..20 {
            passed += u64::from(world.act(1, &Action::Decide(1), false)?);
        }
        // The other isolate gives back.
        world.pass_time(1)?;
        for _ in 0..20 {
            passed += u64::from(world.act(1, &Action::Decide(1), false)?);
        }
        assert!(passed <= 10, "{passed}");
        world.expect_admissible()
    })
    .unwrap();
}

#[test]
fn requests_of_several_costs_need_few_calls_too() {
    for costs in [vec![5, 1], vec![100, 1, 1, 1, 1, 1, 1, 1, 1, 1]] {
        with_limiter(|_, server| {
            let day = limit(2, "day", 10_000_000, 86_400_000).unwrap();
            let mut world = World::new(server, 1, vec![day], rule(5000, 100));
            for (i, cost) in (0..4000).zip(costs.iter().cycle()) {
                world.pass_time(i % 2)?;
                world.act(0, &Action::Decide(*cost), false)?;
            }
            assert!(world.calls < 400, "{} calls for {costs:?}", world.calls);
            Ok(())
        })
        .unwrap();
    }
}
