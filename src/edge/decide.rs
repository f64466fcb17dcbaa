//! Decides about a request: who asks, what it costs, and what the limits say, or what is done when they cannot say it.

use std::rc::Rc;

use js_sys::futures::JsFuture;
use worker::Context;

use super::decision::{Charged, Decision, Outcome, Source};
use super::isolate::Isolate;
use super::js::{error_message, now, object, property, random_uuid};
use super::lease::Lease;
use super::{keep_alive, log};
use crate::config::OnOutage;
use crate::gateway::{Charge, RoutedRequest, find_route};
use crate::http::RequestFacts;
use crate::http::problem::Problem;
use crate::limit::{CheckRequest, LeaseId, Subject, Verdict, usage};
use crate::limiter::{CheckError, Now};
use crate::tenant::Caller;
use crate::tenant::authenticator::AuthenticationError;
use crate::tenant::store::StoreError;

/// Decides about a request that is for the origin.
pub(super) async fn decide(isolate: &Rc<Isolate>, context: &Context, facts: &RequestFacts) -> Decision {
    let found = match find_route(facts, &isolate.config) {
        Ok(found) => found,
        Err(problem) => return Decision::refused(None, problem),
    };
    let route = found.cloned();
    let request = match RoutedRequest::new(facts, &isolate.config, found) {
        Ok(request) => request,
        Err(problem) => return Decision::refused(route, problem),
    };
    let caller = match caller(isolate, context, &request).await {
        Ok(caller) => caller,
        Err(problem) => return Decision::refused(route, problem),
    };
    let known = matches!(caller, Caller::Tenant(..));
    let identified = match request.identify(caller, now()) {
        Ok(identified) => identified,
        Err(problem) => return Decision::refused(route, problem),
    };
    if let Some(unknown) = &identified.unknown_plan {
        let tenant = identified.tenant.as_ref().map_or("", |tenant| tenant.as_str());
        log::failure(&format!("tenant {tenant}"), &format!("{unknown}; judged by the default plan"));
    }
    let mut decision =
        Decision { route, identified: None, verdict: None, charged: None, outcome: Outcome::Forward, hold: None };
    if let Some(charge) = &identified.charge {
        decision.hold = charge.leases().next().map(|_| keep_alive::keep_alive(context));
        decision.ask(isolate, context, &identified.subject, charge, request.on_outage(known)).await;
    }
    decision.identified = Some(identified);
    decision
}

/// Whose the request's key is, where that matters.
async fn caller(isolate: &Rc<Isolate>, context: &Context, request: &RoutedRequest<'_>) -> Result<Caller, Problem> {
    let Some(key) = request.key() else { return Ok(Caller::Anonymous) };
    match isolate.directory.authenticate(isolate.tenants(), key, &request.client(), now()).await {
        Ok(answer) => {
            if answer.refresh {
                let (isolate, id) = (Rc::clone(isolate), key.tenant().clone());
                context.wait_until(async move {
                    if let Err(error) = isolate.directory.refresh(isolate.tenants(), &id, now()).await {
                        log::failure(&format!("tenant {id}"), &error);
                    }
                });
            }
            Ok(answer.caller)
        }
        Err(AuthenticationError::TooManyGuesses(wait)) => Err(Problem::too_many_unknown_keys(wait)),
        Err(AuthenticationError::Store(error @ (StoreError::Unreadable(_) | StoreError::Index { .. }))) => {
            log::failure(&format!("tenant {}", key.tenant()), &error);
            Err(Problem::misconfigured())
        }
        Err(error) => match request.on_outage(false) {
            policy @ OnOutage::Closed => {
                log::outage(&error, policy, "refused the request");
                Err(Problem::limiter_unavailable())
            }
            policy @ (OnOutage::Open | OnOutage::Local) => {
                log::outage(&error, policy, "cannot tell whose the API key is, and judges by the address");
                Ok(Caller::Anonymous)
            }
        },
    }
}

impl Decision {
    /// Asks Redis, and when it does not answer, does what `policy` says.
    async fn ask(
        &mut self,
        isolate: &Rc<Isolate>,
        context: &Context,
        subject: &Subject,
        charge: &Charge,
        policy: OnOutage,
    ) {
        let started = now();
        let id = charge.outlives_answer().then(random_uuid);
        let lease = id.as_ref().and_then(|id| LeaseId::new(id).ok());
        let request = CheckRequest { cost: charge.cost(), lease: lease.as_ref() };
        let clock = Now::from_clock(isolate.config.clock, started);
        let error = match isolate.limiter.check_batch_timed(subject, charge.limits(), [request], clock).await {
            Ok(mut judged) => {
                if let Some(verdict) = judged.verdicts.pop() {
                    if verdict.is_allow() {
                        self.charged = id.map(|id| Charged { id, at: judged.at, source: Source::Redis });
                    }
                    return self.accept(verdict, charge);
                }
                return;
            }
            Err(CheckError::Invalid(error)) => {
                log::failure("request", &format!("cannot be judged: {error}"));
                self.outcome = Outcome::Refuse(Problem::misconfigured());
                return;
            }
            Err(CheckError::Redis(error)) => error,
        };
        if error.outcome_is_unknown()
            && let Some(lease) = id.as_deref().and_then(|id| Lease::of(isolate, Source::Redis, subject, charge, id))
        {
            context.wait_until(async move { lease.end_in_doubt().await });
        }
        match policy {
            OnOutage::Open => log::outage(&error, policy, "forwarded the request unjudged"),
            OnOutage::Closed => {
                log::outage(&error, policy, "refused the request");
                self.outcome = Outcome::Refuse(Problem::limiter_unavailable());
            }
            OnOutage::Local => {
                log::outage(&error, policy, "judged the request by what this isolate has seen");
                let verdict = isolate.local.borrow_mut().check(subject, charge.limits(), request, started);
                match verdict {
                    Ok(verdict) => {
                        if verdict.is_allow() {
                            self.charged = id.map(|id| Charged { id, at: started, source: Source::Memory });
                        }
                        self.accept(verdict, charge);
                    }
                    Err(error) => log::failure("request", &error),
                }
                if matches!(self.outcome, Outcome::Forward)
                    && !charge.is_shadow()
                    && !last_resort(isolate, subject).await
                {
                    self.outcome = Outcome::Refuse(Problem::over_last_resort());
                    if let Some(charged) = self.charged.take()
                        && let Some(lease) = Lease::of(isolate, charged.source, subject, charge, &charged.id)
                    {
                        lease.end().await;
                    }
                }
            }
        }
    }

    /// Takes a verdict for the decision, unless it is only a shadow's.
    fn accept(&mut self, verdict: Verdict, charge: &Charge) {
        let (verdict, _) = usage::split(verdict);
        if !verdict.is_allow() && !charge.is_shadow() {
            self.outcome = Outcome::Refuse(Problem::quota_exceeded(&verdict));
        }
        self.verdict = Some(verdict);
    }
}

/// Whether the rate limit binding lets a subject pass. A binding that fails, or that the deployment does not have,
/// lets everybody pass: this isolate has judged already.
async fn last_resort(isolate: &Isolate, subject: &Subject) -> bool {
    let Some(binding) = &isolate.last_resort else { return true };
    let answer = JsFuture::from(binding.limit(&object([("key", subject.as_str().into())]))).await;
    let success = answer.map(|answer| property(&answer, "success").and_then(|success| success.as_bool()));
    match success {
        Ok(Some(success)) => success,
        Ok(None) => true,
        Err(error) => {
            log::failure("the binding LAST_RESORT", &error_message(&error));
            true
        }
    }
}

/// What the request shows of itself and of the client. Only the edge's own header is believed for the address.
pub(super) fn facts(request: &web_sys::Request, url: &url::Url, isolate: Option<&Isolate>) -> RequestFacts {
    let header = |name| request.headers().get(name).ok().flatten();
    let sources = isolate.map_or(&[][..], |isolate| isolate.config.key_sources());
    RequestFacts {
        method: request.method(),
        path: url.path().to_owned(),
        address: header("cf-connecting-ip").and_then(|address| address.parse().ok()),
        api_key: sources.iter().find_map(|source| source.key_in(&header(source.header())?)),
    }
}
