//! Any sequence of what may happen, against a model that only adds and subtracts.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use sluicegate::limiter::Correction;
use sluicegate::time::Millis;

use crate::cases;
use crate::steps::{Step, TENANTS, steps};
use crate::town::{BUDGET, Town, noon, record};
use crate::wire::{Fate, Wire};

/// What must be true of a tenant, and nothing of how it is done.
#[derive(Debug, Default, Clone)]
struct Model {
    /// What it used, less what was given back and what a reset forgot.
    used: u64,
    /// Of that, what a reset cannot forget, because it was recorded.
    safe: u64,
    /// Of that, what was charged today for days before: the round of today may have been past it.
    late: u64,
    /// What was given back today of days before, and that of earlier days if no round has been completed since: a
    /// reset forgets it as it forgets what was used, and the days recorded keep it.
    returned: [u64; 2],
    /// The units of each day since the last reset, less what was given back of them.
    days: BTreeMap<u64, u64>,
}

struct Case<'a> {
    town: &'a mut Town,
    models: [Model; 3],
    day: u64,
    runs: u32,
}

impl Case<'_> {
    fn now(&self) -> Millis {
        noon(self.day)
    }

    async fn step(&mut self, step: &Step) {
        let (day, now) = (self.day, self.now());
        match *step {
            Step::Use { tenant, units } => {
                self.town.uses(TENANTS[tenant], units, now).await;
                self.models[tenant].charge(day, units);
            }
            Step::Charge { tenant, days_ago, units } => {
                let then = day - days_ago;
                let charged = self.town.settles(TENANTS[tenant], Correction::Charge(units), noon(then), now).await;
                assert_eq!(charged, units);
                self.models[tenant].charge(then, units);
                self.models[tenant].late += if days_ago > 0 { units } else { 0 };
            }
            Step::GiveBack { tenant, days_ago, percent } => {
                let then = day - days_ago;
                let units = self.models[tenant].days.get(&then).map_or(0, |used| used * percent / 100);
                if units > 0 {
                    let correction = Correction::GiveBack(units);
                    assert_eq!(self.town.settles(TENANTS[tenant], correction, noon(then), now).await, units);
                    self.models[tenant].give_back(then, units);
                    self.models[tenant].returned[0] += if days_ago > 0 { units } else { 0 };
                }
            }
            Step::Reset { tenant } => {
                self.town.resets(TENANTS[tenant]).await;
                let (model, kept) = (&mut self.models[tenant], self.town.sum(TENANTS[tenant], now).await);
                let most = model.used + model.returned.iter().sum::<u64>();
                assert!((model.safe..=most).contains(&kept), "{kept} of {model:?}");
                *model = Model { used: kept, safe: kept, ..Model::default() };
            }
            Step::Days { days } => {
                self.day += days;
                for model in &mut self.models {
                    model.late = 0;
                    model.returned = [0, model.returned[0] + model.returned[1]];
                }
            }
            Step::Record => {
                self.town.records_all(now).await;
                for model in &mut self.models {
                    let today = model.days.get(&day).copied().unwrap_or_default();
                    model.safe = model.used.saturating_sub(today + model.late);
                    model.returned[1] = 0;
                }
            }
            Step::Mishap { fate, at } => {
                let wire = Wire::new(self.town.server.transport(), at, fate);
                tokio::select! {
                    biased;
                    () = wire.struck() => {}
                    report = self.town.records(&wire, now) => assert!(report.is_ok() || fate == Fate::Fail, "{report:?}"),
                }
                self.town.lease_ends();
            }
            Step::Overtake { at } => self.overtake(at).await,
            Step::ScriptFlush => self.town.server.run::<()>(&["SCRIPT", "FLUSH"]),
        }
    }

    async fn overtake(&mut self, at: u32) {
        self.runs += 1;
        let wire = Wire::new(self.town.server.transport(), at, Fate::Pause);
        let owner = format!("sleeper-{}", self.runs);
        let now = self.now();
        let clock = self.town.clock.clone();
        let sleeper = record(&wire, clock, &owner, BUDGET, now);
        tokio::pin!(sleeper);
        let paused = tokio::select! {
            biased;
            report = &mut sleeper => { report.unwrap(); false }
            () = wire.struck() => true,
        };
        if paused {
            self.town.lease_ends();
            self.town.records_all(now).await;
            wire.go_on();
            sleeper.await.unwrap();
        }
    }

    async fn compare(&self) {
        for (tenant, model) in TENANTS.iter().zip(&self.models) {
            let (days, today) = self.town.days(tenant, self.now()).await;
            let sum = days.iter().map(|(_, units)| units).sum::<u64>() + today;
            assert_eq!(sum, model.used, "{tenant} on {}: {days:?} and {today}, {model:?}", self.day);
            assert!(days.is_sorted_by(|a, b| a.0 > b.0), "the newest first: {days:?}");
        }
    }
}

impl Model {
    fn charge(&mut self, day: u64, units: u64) {
        self.used += units;
        *self.days.entry(day).or_default() += units;
    }

    fn give_back(&mut self, day: u64, units: u64) {
        self.used -= units;
        self.safe = self.safe.saturating_sub(units);
        *self.days.entry(day).or_default() -= units;
    }
}

thread_local! {
    static TOWN: RefCell<(tokio::runtime::Runtime, Option<Town>)> = RefCell::new((
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
        None,
    ));
}

proptest! {
    #![proptest_config(cases::config(40, "regressions"))]

    #[test]
    fn days_and_today_sum_to_the_usage(steps in steps()) {
        TOWN.with_borrow_mut(|(runtime, town)| {
            let town = town.get_or_insert_with(|| runtime.block_on(Town::new()));
            runtime.block_on(async {
                town.burn();
                town.settle_down(&TENANTS).await;
                let mut case = Case { town, models: Default::default(), day: 20_000, runs: 0 };
                for step in &steps {
                    case.step(step).await;
                    case.compare().await;
                }
                case.day += 1;
                case.town.records_all(case.now()).await;
                case.compare().await;
            });
        });
    }
}
