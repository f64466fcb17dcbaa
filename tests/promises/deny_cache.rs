//! A remembered refusal is one that Redis would have given, and nothing else differs from a limiter that remembers none.

use std::sync::Arc;

use proptest::prelude::*;
use sluicegate::limit::{By, CheckRequest, LeaseId, Limit, Retry, Subject, Verdict};
use sluicegate::limiter::{Clock, Correction, Decided, Decider, Limiter, Now, Refusals, RequestId, Settlement};
use sluicegate::time::Millis;

use crate::clocked::{Clocked, ClockedTransport};
use crate::direct::at_once;
use crate::{T, cases, limit, with_limiter};

/// What an isolate does.
#[derive(Debug, Clone)]
enum Action {
    /// Checks a request of this cost under a plan, by one of two users of the subject.
    Check { plan: usize, user: u8, cost: u64, lease: u8 },
    /// Settles the cost of an earlier request of a user.
    Settle { user: u8, correction: Correction, age: u64 },
    /// Ends a lease of a user.
    Release { user: u8, lease: u8 },
    /// Resets the subject and a user.
    Reset { user: u8 },
}

fn action() -> impl Strategy<Value = Action> {
    let correction = prop_oneof![(0_u64..5).prop_map(Correction::Charge), (0_u64..5).prop_map(Correction::GiveBack)];
    prop_oneof![
        30 => (prop::bool::weighted(0.1), 0_u8..2, 0_u64..7, 0_u8..4)
            .prop_map(|(other, user, cost, lease)| Action::Check { plan: usize::from(other), user, cost, lease }),
        2 => (0_u8..2, correction, 0_u64..2000)
            .prop_map(|(user, correction, age)| Action::Settle { user, correction, age }),
        1 => (0_u8..2, 0_u8..4).prop_map(|(user, lease)| Action::Release { user, lease }),
        1 => (0_u8..2).prop_map(|user| Action::Reset { user }),
    ]
}

/// Several isolates that share one Redis. Each action is repeated for a twin of the subject, without a deny cache.
struct World<'a> {
    server: &'a Clocked,
    isolates: Vec<(Limiter<ClockedTransport<'a>>, u64)>,
    plans: [Vec<Limit>; 2],
    life: u64,
    /// The time by an exact clock.
    now: u64,
    /// For each isolate and plan, when something was given back that the isolate did not see.
    unseen: Vec<[Option<u64>; 2]>,
    /// The number of changes of the subject.
    changes: usize,
    /// Whether a settlement has given units back.
    gave_back: bool,
    /// The last refusal that each isolate got from Redis: the changes so far, and the request.
    refused: Vec<Option<(usize, Asked)>>,
    /// How many refusals were remembered, and how many of them Redis would not have given.
    remembered: usize,
    wrong: usize,
}

/// A request for a check: its plan, its cost, the number of its lease, and its user.
type Asked = (usize, u64, u8, u8);

impl<'a> World<'a> {
    fn new(server: &'a Clocked, skews: &[u64], plans: [Vec<Limit>; 2], life: u64) -> Self {
        let isolate = |skew: &u64| {
            (server.unforgetting().with_refusals(Arc::new(Refusals::new(Millis::new(life), Millis::new(250)))), *skew)
        };
        World {
            server,
            isolates: skews.iter().map(isolate).collect(),
            plans,
            life,
            now: T,
            unseen: vec![[None; 2]; skews.len()],
            changes: 0,
            gave_back: false,
            refused: vec![None; skews.len()],
            remembered: 0,
            wrong: 0,
        }
    }

    fn act(&mut self, isolate: usize, action: &Action) -> Result<(), TestCaseError> {
        let now = Millis::new(self.now + self.isolates[isolate].1);
        match action {
            Action::Check { plan, user, cost, lease } => self.check(isolate, (*plan, *cost, *lease, *user), now)?,
            Action::Settle { user, correction, age } => {
                self.changes += 1;
                self.gave_back |= matches!(correction, Correction::GiveBack(_));
                let request = RequestId::new(&format!("request-{}", self.changes)).unwrap();
                let charged_at = Millis::new(now.get() - age);
                let memory = Millis::from_secs(60);
                let settlement = Settlement { request: &request, charged_at, correction: *correction, memory };
                let (limiter, limits) = (&self.isolates[isolate].0, &self.plans[0]);
                for subject in [subject(*user), twin(*user)] {
                    at_once(limiter.settle(&subject, limits, &settlement, Now::At(now))).unwrap();
                }
                self.gives_back(|other, _| other != isolate);
            }
            Action::Release { user, lease } => {
                for subject in [subject(*user), twin(*user)] {
                    at_once(self.isolates[isolate].0.release(&subject, &self.plans[0], &leased(*lease))).unwrap();
                }
                self.changes += 1;
            }
            Action::Reset { user } => {
                for subject in [subject(*user), twin(*user)] {
                    at_once(self.isolates[isolate].0.reset(&subject, &self.plans[1])).unwrap();
                }
                self.changes += 1;
                self.gives_back(|other, _| other != isolate);
            }
        }
        Ok(())
    }

    fn check(&mut self, isolate: usize, asked: Asked, now: Millis) -> Result<(), TestCaseError> {
        let (plan, cost, lease, user) = (asked.0, asked.1, leased(asked.2), asked.3);
        let (limits, request) = (&self.plans[plan], CheckRequest { cost, lease: Some(&lease) });
        let forgetful = self.server.unforgetting();
        let decided =
            at_once(self.isolates[isolate].0.decide(&subject(user), limits, request, Clock::Edge, now)).unwrap();
        let expected = at_once(forgetful.check(&twin(user), limits, request, Now::At(now))).unwrap();
        if decided.decider == Decider::Refusal {
            self.remembered += 1;
            self.expect_remembered(isolate, asked, &decided, &expected)?;
            if expected.is_allow() {
                self.wrong += 1;
                let late = self.unseen[isolate][plan].map(|since| self.now - since);
                prop_assert!(late.is_some_and(|late| late <= self.life), "wrong {late:?} after a return of units");
                // The subject and its twin stay the same.
                let late = at_once(forgetful.check(&subject(user), limits, request, Now::At(now))).unwrap();
                prop_assert_eq!(&late, &expected);
            }
        } else {
            prop_assert_eq!(&decided.verdict, &expected);
            self.refused[isolate] = (!expected.is_allow()).then_some((self.changes, asked));
        }
        if expected.is_allow() && cost > 0 {
            self.changes += 1;
            // A clock that is ahead refills for the others. A charge under another plan changes the bucket: it refills at
            // another rate, and owes at most another burst.
            let (skew, changes_limits) = (self.isolates[isolate].1, self.plans[0] != self.plans[1]);
            let skews: Vec<u64> = self.isolates.iter().map(|(_, skew)| *skew).collect();
            self.gives_back(|other, of| skews[other] < skew || other != isolate && of != plan && changes_limits);
        }
        Ok(())
    }

    fn expect_remembered(
        &self,
        isolate: usize,
        asked: Asked,
        decided: &Decided,
        expected: &Verdict,
    ) -> Result<(), TestCaseError> {
        prop_assert!(!decided.verdict.is_allow() && asked.1 > 0);
        if self.refused[isolate] == Some((self.changes, asked)) {
            // Nothing has happened since: it is the same to the millisecond. Only a concurrency limit may have begun to
            // refuse, because a lease has ended; that does not prolong the wait.
            prop_assert_eq!(decided.verdict.retry(), expected.retry());
            for (own, its) in decided.verdict.budgets().iter().zip(expected.budgets()) {
                if own.limit.needs_lease() {
                    continue;
                }
                prop_assert_eq!((&own.limit, own.retry), (&its.limit, its.retry));
                // The newest entry of a log stays when all its units are given back (settle.lua). Until no unit is left,
                // Redis then reports the time when that entry ends, which is too late.
                if self.gave_back && own.limit.algorithm().name() == "sliding_log" {
                    prop_assert!(own.reset >= its.reset, "{:?} before {:?}", own.reset, its.reset);
                } else {
                    prop_assert_eq!(own.reset, its.reset);
                }
            }
        } else if let (Retry::After(own), Retry::After(its)) = (decided.verdict.retry(), expected.retry()) {
            let unseen = self.unseen[isolate][asked.0].is_some_and(|since| self.now - since <= self.life);
            prop_assert!(own <= its || unseen, "{own} is longer than {its}");
        }
        Ok(())
    }

    /// Units were given back now, and for these plans these isolates did not see it.
    fn gives_back(&mut self, unseen_by: impl Fn(usize, usize) -> bool) {
        for (isolate, plans) in self.unseen.iter_mut().enumerate() {
            for (plan, unseen) in plans.iter_mut().enumerate() {
                if unseen_by(isolate, plan) {
                    *unseen = Some(self.now);
                }
            }
        }
    }
}

fn subject(user: u8) -> Subject {
    Subject::named("s").with(&by_user(), &[user])
}

fn twin(user: u8) -> Subject {
    Subject::named("twin").with(&by_user(), &[user])
}

fn by_user() -> By {
    By::Header("x-user".into())
}

fn leased(number: u8) -> LeaseId {
    LeaseId::new(&format!("lease-{number}")).unwrap()
}

proptest! {
    #![proptest_config(cases::config(300, "regressions"))]

    #[test]
    fn remembered_refusals_are_those_of_redis(
        kinds in prop::collection::vec((0_u8..5, 1_u64..8, 200_u64..6000, any::<bool>(), any::<bool>()), 1..=3),
        raise in 0_u64..3, life in prop_oneof![Just(1000_u64), 1_u64..3000],
        skews in prop_oneof![Just([0, 0, 0]), [0_u64..400, 0..400, 0..400]],
        steps in prop::collection::vec((0_usize..3, prop_oneof![Just(0_u64), 0_u64..60, 0_u64..900], action()), 1..120)
    ) {
        with_limiter(|_, server| {
            let numbered = kinds.iter().enumerate();
            let plan: Vec<Limit> = numbered.map(|(i, (kind, quota, window, counts, by))| {
                let limit = limit(*kind, &format!("n{i}"), *quota, *window).unwrap();
                let limit = if *counts { limit.counting_requests() } else { limit };
                if *by { limit.counting_by(by_user()) } else { limit }
            }).collect();
            let raised = plan.iter().map(|limit| limit.with_quota(limit.quota() + raise, None).unwrap()).collect();
            let mut world = World::new(server, &skews, [plan, raised], life);
            for (isolate, pause, action) in &steps {
                world.now += pause;
                world.act(*isolate, action)?;
            }
            Ok(())
        })?;
    }
}

/// The property above would also hold if nothing were remembered.
#[test]
fn a_flood_is_refused_from_memory() {
    with_limiter(|_, server| {
        let plan = vec![limit(0, "log", 5, 60_000).unwrap()];
        let mut world = World::new(server, &[0, 0], [plan.clone(), plan], 1000);
        for ms in 0..10_000 {
            world.now = T + ms;
            world.act(0, &Action::Check { plan: 0, user: 0, cost: 1, lease: 0 })?;
        }
        // One call every 750 ms.
        assert_eq!((world.remembered, world.wrong), (10_000 - 5 - 14, 0));
        world.act(1, &Action::Settle { user: 0, correction: Correction::GiveBack(1), age: 10_000 })?;
        world.act(0, &Action::Check { plan: 0, user: 0, cost: 1, lease: 0 })?;
        assert_eq!(world.wrong, 1, "units given back elsewhere are seen later");
        world.now += 1000;
        world.act(0, &Action::Settle { user: 0, correction: Correction::GiveBack(1), age: 11_000 })?;
        world.act(0, &Action::Check { plan: 0, user: 0, cost: 1, lease: 0 })?;
        assert_eq!(world.wrong, 1, "units given back here are seen at once");
        Ok(())
    })
    .unwrap();
}
