//! A run that a Worker decides, in real time. Beside each answer the simulation decides the same request.
//!
//! No request reaches a Worker at exactly its planned time, and a limiter decides by the time of its clock. So the
//! simulation gets the instant that the answer names, and then it must give the same answer: to the last unit and the last
//! millisecond. The requests of one algorithm are sent one after the other; so their order in Redis is known.

use std::error::Error;
use std::rc::Rc;

use sluicegate::limit::{LeaseId, Retry};
use sluicegate::time::Millis;

use super::clients::{Clients, Sent};
use super::decider::CoreLimiter;
use super::model::Model;
use super::record::Record;
use super::setting::Setting;

/// The requests to one algorithm.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) setting: Setting,
    pub(super) model: Model,
    limit: String,
    clients: Clients,
    core: CoreLimiter,
    /// The instant at which the run begins.
    start: u64,
    /// The request that was sent, and its lease.
    waiting: Option<(Sent, Option<LeaseId>)>,
    pub(super) live: Record,
    pub(super) simulated: Record,
}

/// The answer of a Worker: what `POST /check` returns for a single limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    /// The instant of the decision, by the clock of the edge.
    pub(super) at: u64,
    pub(super) allowed: bool,
    /// `None` if the request can never be admitted.
    pub(super) retry_ms: Option<u64>,
    pub(super) remaining: u64,
    pub(super) reset_ms: u64,
}

impl Lane {
    /// Prepares a run that begins at an instant: the next multiple of the window that is not before it. Returns `None`
    /// for a model of another limiter, which no Worker runs.
    pub(super) fn new(
        model: Model,
        setting: Setting,
        arrivals: &Rc<[u64]>,
        not_before: u64,
    ) -> Result<Option<Self>, Box<dyn Error>> {
        let (Some(limit), Some(json)) = (model.limit(&setting)?, model.json(&setting)) else { return Ok(None) };
        Ok(Some(Lane {
            model,
            limit: json,
            clients: Clients::new(&setting, arrivals),
            core: CoreLimiter::new(limit),
            start: not_before.next_multiple_of(setting.window.get()),
            waiting: None,
            live: Record::new(),
            simulated: Record::new(),
            setting,
        }))
    }

    /// Returns the instant at which the next request is due.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.clients.next_due().map(|due| self.start + due)
    }

    /// Takes the next request, and returns the body of its `POST /check`, without the subject.
    pub(super) fn send(&mut self) -> Result<Option<String>, Box<dyn Error>> {
        let Some(sent) = self.clients.send() else { return Ok(None) };
        let lease = self.core.lease()?;
        let limit = &self.limit;
        let body = match &lease {
            Some(lease) => format!(r#"{{"limits":[{limit}],"lease":"{lease}"}}"#),
            None => format!(r#"{{"limits":[{limit}]}}"#),
        };
        self.waiting = Some((sent, lease));
        Ok(Some(body))
    }

    /// Takes the answer to the last request, and returns whether the simulation gives the same.
    pub(super) fn answer(&mut self, answer: Answer) -> Result<bool, Box<dyn Error>> {
        let Some((sent, lease)) = self.waiting.take() else { return Err("no request waits for an answer".into()) };
        let verdict = self.core.check(lease.as_ref(), answer.at)?;
        let simulated = Answer {
            at: answer.at,
            allowed: verdict.is_allow(),
            retry_ms: match verdict.retry() {
                Retry::Now => Some(0),
                Retry::After(wait) => Some(wait.get()),
                Retry::Never => None,
            },
            remaining: verdict.budgets().iter().map(|budget| budget.remaining).sum(),
            reset_ms: verdict.budgets().iter().map(|budget| budget.reset.get()).sum(),
        };
        let time = answer.at.saturating_sub(self.start);
        let waited = self.clients.answer(sent, time, answer.decision());
        self.live.add(&self.setting, time, answer.decision(), waited);
        self.simulated.add(&self.setting, time, verdict.retry(), None);
        Ok(simulated == answer)
    }
}

impl Answer {
    fn decision(&self) -> Retry {
        match (self.allowed, self.retry_ms) {
            (true, _) => Retry::Now,
            (false, Some(wait)) => Retry::After(Millis::new(wait.max(1))),
            (false, None) => Retry::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sluicegate::limit::Verdict;

    use super::super::arrivals::arrivals;
    use super::super::setting::tests::settings;
    use super::*;

    /// A Worker whose answers come `delay` milliseconds after they were due.
    struct Worker(CoreLimiter);

    impl Worker {
        fn answer(&mut self, lease: Option<&LeaseId>, at: u64) -> Answer {
            let verdict: Verdict = self.0.check(lease, at).unwrap();
            let budget = &verdict.budgets()[0];
            let retry_ms = match verdict.retry() {
                Retry::Now => 0,
                Retry::After(wait) => wait.get(),
                Retry::Never => unreachable!("one unit always fits"),
            };
            Answer {
                at,
                allowed: verdict.is_allow(),
                retry_ms: Some(retry_ms),
                remaining: budget.remaining,
                reset_ms: budget.reset.get(),
            }
        }
    }

    fn lane(model: Model, setting: Setting) -> (Lane, Worker) {
        let lane = Lane::new(model, setting, &arrivals(&setting).into(), 1_700_000_000_001).unwrap().unwrap();
        (lane, Worker(CoreLimiter::new(model.limit(&setting).unwrap().unwrap())))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn every_answer_of_a_worker_coincides_however_late(setting in settings(1000), delays in prop::collection::vec(0..40_u64, 1..50)) {
            let setting = setting.scaled_to_live();
            for model in Model::ALL.into_iter().filter(|model| *model != Model::TwoCounters) {
                let (mut lane, mut worker) = lane(model, setting);
                let (mut now, mut delays) = (0, delays.iter().cycle());
                while let Some(due) = lane.next_due() {
                    prop_assert!(due > 1_700_000_000_000);
                    now = now.max(due) + delays.next().unwrap();
                    prop_assert!(lane.send().unwrap().is_some());
                    let lease = lane.waiting.as_ref().and_then(|(_, lease)| lease.clone());
                    prop_assert!(lane.answer(worker.answer(lease.as_ref(), now)).unwrap(), "{:?}", model);
                }
                prop_assert_eq!(&lane.live.admissions, &lane.simulated.admissions);
                prop_assert_eq!(&lane.live.sent, &lane.simulated.sent);
            }
        }
    }

    #[test]
    fn any_other_answer_is_seen() {
        let setting: Setting = "preset=steady&limit=3&window=1s&burst=3&demand=1000&hold=1s&seed=1".parse().unwrap();
        let setting = setting.scaled_to_live();
        let changes: [fn(&mut Answer); 4] = [
            |answer| answer.allowed = !answer.allowed,
            |answer| answer.retry_ms = Some(7),
            |answer| answer.remaining += 1,
            |answer| answer.reset_ms += 1,
        ];
        for change in changes {
            let (mut lane, mut worker) = lane(Model::SlidingLog, setting);
            let due = lane.next_due().unwrap();
            lane.send().unwrap();
            let mut answer = worker.answer(None, due);
            change(&mut answer);
            assert!(!lane.answer(answer).unwrap(), "{answer:?}");
            assert!(lane.answer(answer).is_err(), "an answer without a request");
        }
    }

    #[test]
    fn the_body_names_limit_and_lease() {
        let setting: Setting = "preset=steady&limit=3&window=3s&burst=3&demand=100&hold=1s&seed=1".parse().unwrap();
        let body = |model| lane(model, setting).0.send().unwrap().unwrap();
        let limit = r#"{"name":"compare","algorithm":"sliding_log","limit":3,"window":"3s"}"#;
        assert_eq!(body(Model::SlidingLog), format!(r#"{{"limits":[{limit}]}}"#));
        let limit = r#"{"name":"compare","algorithm":"concurrency","limit":1,"lease":"1s"}"#;
        assert_eq!(body(Model::Concurrency), format!(r#"{{"limits":[{limit}],"lease":"1"}}"#));
        assert!(Lane::new(Model::TwoCounters, setting, &Rc::from([]), 0).unwrap().is_none());
    }
}
