//! Checks a charge: spends units that this isolate has taken in advance, repeats a refusal that it remembers, asks Redis, or
//! follows the outage policy.

use std::rc::Rc;

use js_sys::futures::JsFuture;
use worker::Context;

use super::decision::{Charged, Outcome, Source};
use super::isolate::{EdgeTransport, Isolate};
use super::js::{error_message, now, object, property, random_uuid};
use super::lease::Lease;
use super::{log, overview, prefetch};
use crate::config::OnOutage;
use crate::gateway::{Charge, IdentifiedRequest};
use crate::http::problem::Problem;
use crate::limit::{CheckRequest, LeaseId, Subject, Verdict, usage};
use crate::limiter::{CheckError, Decider, Limiter};
use crate::tenant::TenantId;
use crate::time::Millis;

/// The result of a check.
pub(super) struct Checked {
    /// The verdict; `None` if no limiter could give one.
    pub(super) verdict: Option<Verdict>,
    /// The limiter that gave the verdict.
    pub(super) source: Option<Source>,
    /// The charge, if it was made and needs work after the response.
    pub(super) charged: Option<Charged>,
    /// Whether to forward the request.
    pub(super) outcome: Outcome,
}

/// Checks the charge of a request: by units taken in advance, by a remembered refusal, or in one call to Redis. If Redis
/// does not answer before the deadline of `redis`, a remembered refusal decides if there is one, and otherwise `policy`.
pub(super) async fn check(
    isolate: &Rc<Isolate>,
    context: &Context,
    redis: &Limiter<EdgeTransport<'_>>,
    identified: &IdentifiedRequest,
    charge: &Charge,
    policy: OnOutage,
) -> Checked {
    let (subject, tenant) = (&identified.subject, identified.tenant.as_ref());
    let asked = now();
    let id = charge.outlives_answer().then(random_uuid);
    let lease = id.as_ref().and_then(|id| LeaseId::new(id).ok());
    let request = CheckRequest { cost: charge.cost(), lease: lease.as_ref() };
    let (limits, prefetch) = (charge.limits(), charge.prefetch());
    let error = match redis.decide_with_prefetch(subject, limits, request, prefetch, isolate.config.clock, asked).await
    {
        Ok(decided) => {
            if let (Some(lot), Some(rule)) = (decided.lot, prefetch) {
                prefetch::give_back_later(isolate, context, lot, rule.hold());
            }
            let source = match decided.decider {
                Decider::Redis => Source::Redis,
                Decider::HeldUnits => Source::Prefetch,
                Decider::Refusal => Source::Memory,
            };
            let verdict = note(isolate, context, tenant, decided.verdict, decided.decider, asked);
            return Checked::by_verdict(verdict, charge, id, decided.at, source);
        }
        Err(CheckError::Invalid(error)) => {
            log::failure("request", &format!("cannot be checked: {error}"));
            return Checked::refuse(Problem::misconfigured());
        }
        Err(CheckError::Redis(error)) => error,
    };
    if error.outcome_is_unknown()
        && let Some(lease) = id.as_deref().and_then(|id| Lease::of(isolate, Source::Redis, subject, charge, id))
    {
        context.wait_until(async move { lease.release_unconfirmed().await });
    }
    let now = now();
    if let Some(verdict) = redis.remembered(subject, limits, request.cost, now) {
        let verdict = note(isolate, context, tenant, verdict, Decider::Refusal, now);
        return Checked::by_verdict(verdict, charge, None, now, Source::Memory);
    }
    match policy {
        OnOutage::Open => {
            log::outage(&error, policy, "forwarded the request unchecked");
            Checked::FORWARD
        }
        OnOutage::Closed => {
            log::outage(&error, policy, "refused the request");
            Checked::refuse(Problem::limiter_unavailable(error.retry()))
        }
        OnOutage::Local => {
            log::outage(&error, policy, "checked the request in this isolate");
            check_locally(isolate, subject, charge, request, id, now).await
        }
    }
}

/// Checks a charge without Redis: with the fallback limiter of this isolate, then with the binding `LAST_RESORT`.
async fn check_locally(
    isolate: &Rc<Isolate>,
    subject: &Subject,
    charge: &Charge,
    request: CheckRequest<'_>,
    id: Option<String>,
    now: Millis,
) -> Checked {
    let verdict = isolate.fallback.borrow_mut().check(subject, charge.limits(), request, now);
    let mut checked = match verdict {
        Ok(verdict) => Checked::by_verdict(usage::split(verdict).0, charge, id, now, Source::Memory),
        Err(error) => {
            log::failure("request", &error);
            Checked::FORWARD
        }
    };
    let forward = matches!(checked.outcome, Outcome::Forward);
    if forward && !charge.is_shadow() && !last_resort_allows(isolate, subject).await {
        checked.outcome = Outcome::Refuse(Problem::over_last_resort());
        if let Some(charged) = checked.charged.take()
            && let Some(lease) = Lease::of(isolate, charged.source, subject, charge, &charged.id)
        {
            lease.release().await;
        }
    }
    checked
}

/// Returns whether the rate limit binding allows a subject. True if the binding fails or does not exist: the fallback
/// limiter has allowed the request already.
async fn last_resort_allows(isolate: &Isolate, subject: &Subject) -> bool {
    let Some(binding) = &isolate.last_resort else { return true };
    let result = JsFuture::from(binding.limit(&object([("key", subject.as_str().into())]))).await;
    match result {
        Ok(result) => property(&result, "success").and_then(|success| success.as_bool()).unwrap_or(true),
        Err(error) => {
            log::failure("the binding LAST_RESORT", &error_message(&error));
            true
        }
    }
}

/// Notes a verdict on a request of a tenant for the overview. Returns the verdict without the usage meters.
fn note(
    isolate: &Rc<Isolate>,
    context: &Context,
    tenant: Option<&TenantId>,
    verdict: Verdict,
    decider: Decider,
    at: Millis,
) -> Verdict {
    let (verdict, usage) = usage::split(verdict);
    if let Some((tenant, usage)) = tenant.zip(usage) {
        isolate.sightings.borrow_mut().note(tenant, &verdict, usage, decider, at);
        overview::report_later(isolate, context, at);
    }
    verdict
}

impl Checked {
    const FORWARD: Checked = Checked { verdict: None, source: None, charged: None, outcome: Outcome::Forward };

    fn refuse(problem: Problem) -> Self {
        Checked { outcome: Outcome::Refuse(problem), ..Checked::FORWARD }
    }

    /// Follows a verdict of `source` at the time `at`, without usage meters. A shadow route forwards a denied request too.
    fn by_verdict(verdict: Verdict, charge: &Charge, id: Option<String>, at: Millis, source: Source) -> Self {
        let charged = id.filter(|_| verdict.is_allow()).map(|id| Charged { id, at, source });
        let outcome = if verdict.is_allow() || charge.is_shadow() {
            Outcome::Forward
        } else {
            Outcome::Refuse(Problem::quota_exceeded(&verdict))
        };
        Checked { verdict: Some(verdict), source: Some(source), charged, outcome }
    }
}
