//! The work after the response: settles the real cost and releases the lease. It never delays the response, and it is
//! done even if the client has disconnected.

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

/// What completion needs of the origin's response.
pub(super) struct OriginResponse {
    /// The status.
    pub(super) status: u16,
    /// The real cost in units, if the response has it.
    pub(super) cost: Option<u64>,
    /// Resolves or rejects when the body ends or the client disconnects; `None` if there is no body.
    pub(super) ended: Option<Promise>,
}

impl OriginResponse {
    /// Stands in for a response if the origin has none that can be passed on: the client gets status 502.
    pub(super) const FAILED: OriginResponse = OriginResponse { status: 502, cost: None, ended: None };
}

/// Schedules the work after the response, which starts when the origin's response is sent to the returned channel.
/// Returns `None` if there is no work.
///
/// If the sender is dropped, the request has ended without a response: its lease is released and its charge stays.
pub(super) fn schedule(
    isolate: &Rc<Isolate>,
    context: &Context,
    decision: &Decision,
) -> Option<oneshot::Sender<OriginResponse>> {
    let (charged, identified) = (decision.charged.clone()?, decision.identified.as_ref()?);
    let (subject, charge) = (identified.subject.clone(), identified.charge.clone()?);
    let lease = Lease::of(isolate, charged.source, &subject, &charge, &charged.id);
    if charged.source == Source::Memory && lease.is_none() {
        return None;
    }
    let (sender, receiver) = oneshot::channel();
    let settler = Settler { isolate: Rc::clone(isolate), subject, charge, charged };
    context.wait_until(async move {
        let response: Option<OriginResponse> = receiver.await.ok();
        // Listens from now on: the body may end or fail during the settlement.
        let ended = response.as_ref().and_then(|response| response.ended.clone()).map(JsFuture::from);
        if let Some(response) = &response {
            settler.settle(response).await;
        }
        let Some(lease) = lease else { return };
        if let Some(ended) = ended {
            // Resolved or rejected, the body has ended.
            let _ = ended.await;
        }
        // Nothing here sees a WebSocket close (status 101): its lease expires by itself.
        if response.is_none_or(|response| response.status != 101) {
            lease.release().await;
        }
    });
    Some(sender)
}

/// Settles the cost of one request.
struct Settler {
    isolate: Rc<Isolate>,
    subject: Subject,
    charge: Charge,
    charged: Charged,
}

impl Settler {
    /// Corrects the charge to the real cost. A charge of the fallback limiter stays as it is.
    async fn settle(&self, response: &OriginResponse) {
        if self.charged.source == Source::Memory {
            return;
        }
        for (i, correction) in self.charge.corrections(response.status, response.cost).into_iter().enumerate() {
            let Ok(request) = RequestId::new(&format!("{}:{i}", self.charged.id)) else { continue };
            let settlement = Settlement {
                request: &request,
                charged_at: self.charged.at,
                correction: Correction::between(correction.charged, correction.real),
                memory: MEMORY,
            };
            let clock = Now::from_clock(self.isolate.config.clock, now());
            let settled = self.isolate.limiter().settle(&self.subject, &correction.limits, &settlement, clock).await;
            if let Err(error) = settled {
                log::redis_failure("settlement", &format!("{} is not settled: {error}", self.subject.as_str()));
            }
        }
    }
}

/// How long Redis remembers a settlement: longer than a call can be under way. No settlement is sent a second time.
const MEMORY: Millis = Millis::from_secs(60);
