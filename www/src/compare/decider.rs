//! Decides about requests by a model.

use std::error::Error;

use sluicegate::limit::memory::{Capacity, MemoryLimiter};
use sluicegate::limit::{CheckRequest, LeaseId, Limit, Retry, Subject, Verdict};
use sluicegate::time::Millis;

use super::model::Model;
use super::oracle::Ideal;
use super::setting::Setting;
use super::two_counters::TwoCounters;

/// Whatever decides about the requests of one run.
#[derive(Debug)]
pub(super) enum Decider {
    Core(Box<CoreLimiter>),
    TwoCounters(TwoCounters),
    Ideal(Ideal),
}

impl Decider {
    pub(super) fn new(model: Model, setting: &Setting) -> Result<Self, Box<dyn Error>> {
        Ok(match model.limit(setting)? {
            Some(limit) => Decider::Core(Box::new(CoreLimiter::new(limit))),
            None => Decider::TwoCounters(TwoCounters::new(setting.limit, setting.window)),
        })
    }

    pub(super) fn ideal(setting: &Setting) -> Self {
        Decider::Ideal(Ideal::new(setting.limit, setting.window))
    }

    /// Decides `count` requests that come one after the other at this instant, and adds the answers.
    pub(super) fn decide(&mut self, count: usize, now: u64, answers: &mut Vec<Retry>) -> Result<(), Box<dyn Error>> {
        match self {
            Decider::Core(limiter) => limiter.decide(count, now, answers)?,
            Decider::TwoCounters(counters) => answers.extend((0..count).map(|_| counters.decide(now))),
            Decider::Ideal(ideal) => answers.extend((0..count).map(|_| ideal.decide(now))),
        }
        Ok(())
    }
}

/// The limiter of the core, with one limit and one subject.
#[derive(Debug)]
pub(super) struct CoreLimiter {
    limiter: MemoryLimiter,
    subject: Subject,
    limits: [Limit; 1],
    needs_lease: bool,
    /// The leases so far.
    leases: u64,
}

impl CoreLimiter {
    pub(super) fn new(limit: Limit) -> Self {
        CoreLimiter {
            limiter: MemoryLimiter::new(Capacity { subjects: 1, entries: usize::MAX }),
            subject: Subject::named("compare"),
            needs_lease: limit.needs_lease(),
            limits: [limit],
            leases: 0,
        }
    }

    /// Returns a lease for the next request, if the limit needs one. It ends by itself.
    pub(super) fn lease(&mut self) -> Result<Option<LeaseId>, Box<dyn Error>> {
        if !self.needs_lease {
            return Ok(None);
        }
        self.leases += 1;
        Ok(Some(LeaseId::new(&self.leases.to_string())?))
    }

    /// Decides one request at an instant.
    pub(super) fn check(&mut self, lease: Option<&LeaseId>, now: u64) -> Result<Verdict, Box<dyn Error>> {
        let request = CheckRequest { cost: 1, lease };
        Ok(self.limiter.check(&self.subject, &self.limits, request, Millis::new(now))?)
    }

    fn decide(&mut self, count: usize, now: u64, answers: &mut Vec<Retry>) -> Result<(), Box<dyn Error>> {
        let leases: Vec<Option<LeaseId>> = (0..count).map(|_| self.lease()).collect::<Result<_, _>>()?;
        let requests = leases.iter().map(|lease| CheckRequest { cost: 1, lease: lease.as_ref() });
        let verdicts = self.limiter.check_batch(&self.subject, &self.limits, requests, Millis::new(now))?;
        answers.extend(verdicts.iter().map(Verdict::retry));
        Ok(())
    }
}
