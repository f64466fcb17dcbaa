//! What comes after the answer: the real cost, and the end of the lease. Nothing of it delays the answer, and all of it
//! happens also when the client has gone.

use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::Promise;
use js_sys::futures::JsFuture;
use worker::Context;

use super::decision::{Charged, Decision, Source};
use super::isolate::Isolate;
use super::js::now;
use super::lease::Lease;
use super::log;
use crate::gateway::Charge;
use crate::limit::Subject;
use crate::limiter::{Correction, Now, RequestId, Settlement};
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

/// Promises to do what is left to do when the answer is known. `None`: nothing will be.
///
/// If the sender is dropped, the request has ended without an answer: then its lease ends, and it costs what it
/// was charged.
pub(super) fn expect(
    isolate: &Rc<Isolate>,
    context: &Context,
    decision: &Decision,
) -> Option<oneshot::Sender<Answered>> {
    let (charged, identified) = (decision.charged.clone()?, decision.identified.as_ref()?);
    let (subject, charge) = (identified.subject.clone(), identified.charge.clone()?);
    let lease = Lease::of(isolate, charged.source, &subject, &charge, &charged.id);
    if charged.source == Source::Memory && lease.is_none() {
        return None;
    }
    let (sender, receiver) = oneshot::channel();
    let after = After { isolate: Rc::clone(isolate), subject, charge, charged };
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
    isolate: Rc<Isolate>,
    subject: Subject,
    charge: Charge,
    charged: Charged,
}

impl After {
    /// Corrects the cost. What only this isolate has judged stays as it was charged.
    async fn settle(&self, answered: &Answered) {
        if self.charged.source == Source::Memory {
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
            let clock = Now::from_clock(self.isolate.config.clock, now());
            let settled = self.isolate.limiter.settle(&self.subject, &correction.limits, &settlement, clock).await;
            if let Err(error) = settled {
                log::failure("settlement", &format!("{} is not settled: {error}", self.subject.as_str()));
            }
        }
    }
}

/// Longer than an answer to a settlement may be under way. Nobody tries a settlement a second time.
const REMEMBERED: Millis = Millis::from_secs(60);
