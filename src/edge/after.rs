//! What comes after the answer: the real cost, and the end of the lease. Nothing of it delays the answer, and all of it
//! happens also when the client has gone.

use std::rc::Rc;
use std::time::Duration;

use futures_channel::oneshot;
use js_sys::Promise;
use js_sys::futures::JsFuture;
use worker::{Context, Delay};

use super::gate::Gate;
use super::js::now;
use super::judge::{Charged, Judge, Judgement};
use super::log;
use crate::admission::Charge;
use crate::limiter::Now;
use crate::policy::Limit;
use crate::question::LeaseId;
use crate::redis::RedisError;
use crate::settle::{Correction, RequestId, Settlement};
use crate::subject::Subject;
use crate::time::Millis;

/// What the origin has answered, as far as it matters here.
pub(super) struct Answered {
    /// The status; 502 where there was no answer.
    pub(super) status: u16,
    /// The real cost, if the answer tells it.
    pub(super) cost: Option<u64>,
    /// Is kept when the body has ended, or the client has gone. `None`: there is no body.
    pub(super) ended: Option<Promise>,
}

/// Keeps a request alive until it is dropped: else the runtime ends the request with its client, and nobody would give
/// back what it has taken meanwhile.
pub(super) struct Hold {
    _until_dropped: oneshot::Sender<()>,
}

/// Holds a request.
pub(super) fn hold(context: &Context) -> Hold {
    let (sender, receiver) = oneshot::channel();
    context.wait_until(async move {
        // Nothing is ever sent.
        let _ = receiver.await;
    });
    Hold { _until_dropped: sender }
}

/// Promises to do what is left to do when the answer is known. `None`: nothing will be.
///
/// If the sender is dropped, the request has ended without an answer: then its lease ends, and it costs what it
/// was charged.
pub(super) fn expect(gate: &Rc<Gate>, context: &Context, judgement: &Judgement) -> Option<oneshot::Sender<Answered>> {
    let (charged, admission) = (judgement.charged.clone()?, judgement.admission.as_ref()?);
    let (subject, charge) = (admission.subject.clone(), admission.charge.clone()?);
    let lease = Lease::of(gate, charged.by, &subject, &charge, &charged.id);
    if charged.by == Judge::Local && lease.is_none() {
        return None;
    }
    let (sender, receiver) = oneshot::channel();
    let after = After { gate: Rc::clone(gate), subject, charge, charged };
    context.wait_until(async move {
        let answered: Option<Answered> = receiver.await.ok();
        // From now on somebody listens to how the body ends.
        let ended = answered.as_ref().and_then(|answered| answered.ended.clone()).map(JsFuture::from);
        if let Some(answered) = &answered {
            after.settle(answered).await;
        }
        let Some(lease) = lease else { return };
        if let Some(ended) = ended {
            // Kept or broken: either way the body has ended.
            let _ = ended.await;
        }
        // A WebSocket: nobody here sees it end, so its lease does by itself.
        if answered.is_none_or(|answered| answered.status != 101) {
            lease.end().await;
        }
    });
    Some(sender)
}

/// One request, after its answer.
struct After {
    gate: Rc<Gate>,
    subject: Subject,
    charge: Charge,
    charged: Charged,
}

impl After {
    /// Corrects the cost. What only this isolate has judged stays as it was charged.
    async fn settle(&self, answered: &Answered) {
        if self.charged.by == Judge::Local {
            return;
        }
        for (i, correction) in self.charge.corrections(answered.status, answered.cost).into_iter().enumerate() {
            let Ok(request) = RequestId::new(&format!("{}:{i}", self.charged.id)) else { continue };
            let settlement = Settlement {
                request: &request,
                charged_at: self.charged.at,
                correction: Correction::between(correction.charged, correction.real),
                memory: REMEMBERED,
            };
            let clock = Now::by(self.gate.config.clock, now());
            let settled = self.gate.limiter.settle(&self.subject, &correction.limits, &settlement, clock).await;
            if let Err(error) = settled {
                log::failure("settlement", &format!("{} is not settled: {error}", self.subject.as_str()));
            }
        }
    }
}

/// The lease of one request.
pub(super) struct Lease {
    gate: Rc<Gate>,
    by: Judge,
    subject: Subject,
    /// Those of concurrency.
    limits: Vec<Limit>,
    id: LeaseId,
}

impl Lease {
    /// The lease named `id` that `by` gives for a charge, if a limit of it needs one.
    pub(super) fn of(gate: &Rc<Gate>, by: Judge, subject: &Subject, charge: &Charge, id: &str) -> Option<Self> {
        let limits: Vec<Limit> = charge.leases().cloned().collect();
        if limits.is_empty() {
            return None;
        }
        Some(Lease { gate: Rc::clone(gate), by, subject: subject.clone(), limits, id: LeaseId::new(id).ok()? })
    }

    /// Ends it; where Redis does not answer, once more some seconds later.
    pub(super) async fn end(&self) {
        match self.release().await {
            Ok(()) => {}
            Err(error) if error.leaves_it_open() => self.end_later().await,
            Err(error) => self.stays(&error),
        }
    }

    /// Ends it although nobody knows whether it was taken: now, and once more some seconds later, because the question
    /// may have been held up on its way.
    pub(super) async fn end_in_doubt(&self) {
        // If it fails, there is the second time.
        let _ = self.release().await;
        self.end_later().await;
    }

    async fn end_later(&self) {
        Delay::from(LATER).await;
        if let Err(error) = self.release().await {
            self.stays(&error);
        }
    }

    async fn release(&self) -> Result<(), RedisError> {
        match self.by {
            Judge::Redis => self.gate.limiter.release(&self.subject, &self.limits, &self.id).await.map(drop),
            Judge::Local => {
                self.gate.local.borrow_mut().release(&self.subject, &self.limits, &self.id);
                Ok(())
            }
        }
    }

    fn stays(&self, error: &RedisError) {
        log::failure("lease", &format!("{} keeps one until it expires: {error}", self.subject.as_str()));
    }
}

/// When a release is tried again. Long enough for Redis to come back from a failover, and well within the 30 seconds
/// that a Worker has after its answer.
const LATER: Duration = Duration::from_secs(5);

/// Longer than an answer to a settlement may be under way. Nobody tries a settlement a second time.
const REMEMBERED: Millis = Millis::from_secs(60);
