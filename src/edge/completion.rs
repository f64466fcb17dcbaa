//! The work after the response: settles the real cost and releases the lease. It never delays the response, and it is
//! done even if the client has disconnected.

use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::Promise;
use js_sys::futures::JsFuture;
use worker::Context;

use super::bodies::MeteredBody;
use super::decision::{Charged, Decision, Source};
use super::isolate::Isolate;
use super::js::now;
use super::lease::Lease;
use super::log;
use crate::gateway::Charge;
use crate::http::usage::Usage;
use crate::limit::Subject;
use crate::limiter::{Correction, Now, RequestId, Settlement};
use crate::time::Millis;

/// What completion needs of the origin's response.
pub(super) struct OriginResponse {
    /// The status.
    pub(super) status: u16,
    /// What its headers report about the cost.
    pub(super) usage: Usage,
    /// Its end.
    pub(super) end: End,
}

/// The end of a response's body.
pub(super) enum End {
    /// Nobody waits for it, or there is no body.
    Unknown,
    /// The promise resolves or rejects when the body ends or the client disconnects.
    Watched(Promise),
    /// The same, and the body reports the cost.
    Metered(MeteredBody),
}

impl OriginResponse {
    /// Stands in for a response if the origin has none that can be passed on: the client gets status 502.
    pub(super) fn failed() -> Self {
        OriginResponse { status: 502, usage: Usage::default(), end: End::Unknown }
    }
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
        let status = response.as_ref().map(|response| response.status);
        let mut watched = None;
        if let Some(OriginResponse { status, mut usage, end }) = response {
            match end {
                End::Unknown => {}
                // Listens from now on: the body may end or fail during the settlement.
                End::Watched(ended) => watched = Some(JsFuture::from(ended)),
                End::Metered(body) => usage = body.usage().await,
            }
            settler.settle(status, &usage).await;
        }
        let Some(lease) = lease else { return };
        if let Some(ended) = watched {
            // Resolved or rejected, the body has ended.
            let _ = ended.await;
        }
        // Nothing here sees a WebSocket close (status 101): its lease expires by itself.
        if status != Some(101) {
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
    async fn settle(&self, status: u16, usage: &Usage) {
        if self.charged.source == Source::Memory {
            return;
        }
        if let (Some(problem), Some(route)) = (&usage.problem, self.charge.route())
            && !route.is_free(status)
        {
            log::failure("settlement", &format!("{}: {problem}; the reserved cost stays", route.pattern));
        }
        for (i, correction) in self.charge.corrections(status, &usage.reported).into_iter().enumerate() {
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
