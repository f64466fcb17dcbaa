//! Compares any sequence of steps with a model that only adds and subtracts.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;
use sluicegate::limiter::Correction;
use sluicegate::time::Millis;

use crate::cases;
use crate::faulty_transport::{Fault, FaultyTransport};
use crate::fixture::{BUDGET, Fixture, noon, record};
use crate::steps::{Step, TENANTS, steps};

/// The expected usage of a tenant.
#[derive(Debug, Default, Clone)]
struct Model {
    /// The units used, less those given back and those cleared by resets.
    used: u64,
    /// The units of `used` that a reset cannot clear, because they are recorded.
    recorded: u64,
    /// The units of `used` that were charged today for earlier days. Today's round may have missed them.
    late: u64,
    /// The units of earlier days that were given back today, and those given back on earlier days since the last
    /// complete round. A reset clears them, as it clears usage; the recorded days keep them.
    returned: [u64; 2],
    /// The units of each day since the last reset, less those given back.
    days: BTreeMap<u64, u64>,
}

struct Case<'a> {
    fixture: &'a mut Fixture,
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
                self.fixture.charge(TENANTS[tenant], units, now).await;
                self.models[tenant].charge(day, units);
            }
            Step::Charge { tenant, days_ago, units } => {
                let then = day - days_ago;
                let charged = self.fixture.settle(TENANTS[tenant], Correction::Charge(units), noon(then), now).await;
                assert_eq!(charged, units);
                self.models[tenant].charge(then, units);
                self.models[tenant].late += if days_ago > 0 { units } else { 0 };
            }
            Step::GiveBack { tenant, days_ago, percent } => {
                let then = day - days_ago;
                let units = self.models[tenant].days.get(&then).map_or(0, |used| used * percent / 100);
                if units > 0 {
                    let correction = Correction::GiveBack(units);
                    assert_eq!(self.fixture.settle(TENANTS[tenant], correction, noon(then), now).await, units);
                    self.models[tenant].give_back(then, units);
                    self.models[tenant].returned[0] += if days_ago > 0 { units } else { 0 };
                }
            }
            Step::Reset { tenant } => {
                self.fixture.reset(TENANTS[tenant]).await;
                let (model, remaining) = (&mut self.models[tenant], self.fixture.total(TENANTS[tenant], now).await);
                let max = model.used + model.returned.iter().sum::<u64>();
                assert!((model.recorded..=max).contains(&remaining), "{remaining} of {model:?}");
                *model = Model { used: remaining, recorded: remaining, ..Model::default() };
            }
            Step::Days { days } => {
                self.day += days;
                for model in &mut self.models {
                    model.late = 0;
                    model.returned = [0, model.returned[0] + model.returned[1]];
                }
            }
            Step::Record => {
                self.fixture.record_all(now).await;
                for model in &mut self.models {
                    let today = model.days.get(&day).copied().unwrap_or_default();
                    model.recorded = model.used.saturating_sub(today + model.late);
                    model.returned[1] = 0;
                }
            }
            Step::Fault { fault, at } => {
                let transport = FaultyTransport::new(self.fixture.server.transport(), at, fault);
                tokio::select! {
                    biased;
                    () = transport.fault_occurred() => {}
                    report = self.fixture.record(&transport, now) => assert!(report.is_ok() || fault == Fault::Fail, "{report:?}"),
                }
                self.fixture.end_lease();
            }
            Step::Overtake { at } => self.overtake(at).await,
            Step::ScriptFlush => self.fixture.server.run::<()>(&["SCRIPT", "FLUSH"]),
        }
    }

    async fn overtake(&mut self, at: u32) {
        self.runs += 1;
        let transport = FaultyTransport::new(self.fixture.server.transport(), at, Fault::Pause);
        let owner = format!("overtaken-{}", self.runs);
        let now = self.now();
        let clock = self.fixture.clock.clone();
        let overtaken = record(&transport, clock, &owner, BUDGET, now);
        tokio::pin!(overtaken);
        let paused = tokio::select! {
            biased;
            report = &mut overtaken => { report.unwrap(); false }
            () = transport.fault_occurred() => true,
        };
        if paused {
            self.fixture.end_lease();
            self.fixture.record_all(now).await;
            transport.resume();
            overtaken.await.unwrap();
        }
    }

    async fn compare(&self) {
        for (tenant, model) in TENANTS.iter().zip(&self.models) {
            let (days, today) = self.fixture.days(tenant, self.now()).await;
            let sum = days.iter().map(|(_, units)| units).sum::<u64>() + today;
            assert_eq!(sum, model.used, "{tenant} on {}: {days:?} and {today}, {model:?}", self.day);
            assert!(days.is_sorted_by(|a, b| a.0 > b.0), "the newest day is first: {days:?}");
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
        self.recorded = self.recorded.saturating_sub(units);
        *self.days.entry(day).or_default() -= units;
    }
}

thread_local! {
    static FIXTURE: RefCell<(tokio::runtime::Runtime, Option<Fixture>)> = RefCell::new((
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap(),
        None,
    ));
}

proptest! {
    #![proptest_config(cases::config(40, "regressions"))]

    #[test]
    fn days_and_today_sum_to_the_usage(steps in steps()) {
        FIXTURE.with_borrow_mut(|(runtime, fixture)| {
            let fixture = fixture.get_or_insert_with(|| runtime.block_on(Fixture::new()));
            runtime.block_on(async {
                fixture.flush();
                fixture.create_tenants(&TENANTS).await;
                let mut case = Case { fixture, models: Default::default(), day: 20_000, runs: 0 };
                for step in &steps {
                    case.step(step).await;
                    case.compare().await;
                }
                case.day += 1;
                case.fixture.record_all(case.now()).await;
                case.compare().await;
            });
        });
    }
}
