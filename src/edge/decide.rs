//! Decides about a request: who asks, what it costs, and what the limits say, or what is done when they cannot say it.

use std::rc::Rc;

use js_sys::futures::JsFuture;
use worker::Context;

use super::decision::{Charged, Judge, Judgement, Passage};
use super::isolate::Gate;
use super::js::{now, object, property, random_uuid};
use super::lease::Lease;
use super::{keep_alive, log};
use crate::config::OnOutage;
use crate::gateway::{Charge, Look, look, route};
use crate::http::Facts;
use crate::http::problem::Problem;
use crate::limit::{LeaseId, Request, Subject, Verdict, usage};
use crate::limiter::{CheckError, Now};
use crate::tenant::Caller;
use crate::tenant::authenticator::DirectoryError;
use crate::tenant::store::TenantsError;

/// Decides about a request that is for the origin.
pub(super) async fn judge(gate: &Rc<Gate>, context: &Context, facts: &Facts) -> Judgement {
    let found = match route(facts, &gate.config) {
        Ok(found) => found,
        Err(problem) => return Judgement::refused(None, problem),
    };
    let route = found.cloned();
    let look = match look(facts, &gate.config, found) {
        Ok(look) => look,
        Err(problem) => return Judgement::refused(route, problem),
    };
    let caller = match caller(gate, context, &look).await {
        Ok(caller) => caller,
        Err(problem) => return Judgement::refused(route, problem),
    };
    let known = matches!(caller, Caller::Tenant(..));
    let admission = match look.admit(caller, now()) {
        Ok(admission) => admission,
        Err(problem) => return Judgement::refused(route, problem),
    };
    if let Some(unknown) = &admission.unknown_plan {
        let tenant = admission.tenant.as_ref().map_or("", |tenant| tenant.as_str());
        log::failure(&format!("tenant {tenant}"), &format!("{unknown}; judged by the default plan"));
    }
    let mut judgement =
        Judgement { route, admission: None, verdict: None, charged: None, passage: Passage::Open, hold: None };
    if let Some(charge) = &admission.charge {
        judgement.hold = charge.leases().next().map(|_| keep_alive::hold(context));
        judgement.ask(gate, context, &admission.subject, charge, look.on_outage(known)).await;
    }
    judgement.admission = Some(admission);
    judgement
}

/// Whose the request's key is, where that matters.
async fn caller(gate: &Rc<Gate>, context: &Context, look: &Look<'_>) -> Result<Caller, Problem> {
    let Some(key) = look.key() else { return Ok(Caller::Anonymous) };
    match gate.directory.find(gate.tenants(), key, &look.client(), now()).await {
        Ok(answer) => {
            if answer.refresh {
                let (gate, id) = (Rc::clone(gate), key.tenant().clone());
                context.wait_until(async move {
                    if let Err(error) = gate.directory.refresh(gate.tenants(), &id, now()).await {
                        log::failure(&format!("tenant {id}"), &error);
                    }
                });
            }
            Ok(answer.caller)
        }
        Err(DirectoryError::TooManyGuesses(wait)) => Err(Problem::too_many_unknown_keys(wait)),
        Err(DirectoryError::Tenants(error @ (TenantsError::Unreadable(_) | TenantsError::Index { .. }))) => {
            log::failure(&format!("tenant {}", key.tenant()), &error);
            Err(Problem::misconfigured())
        }
        Err(error) => match look.on_outage(false) {
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

impl Judgement {
    /// Asks Redis, and when it does not answer, does what `policy` says.
    async fn ask(&mut self, gate: &Rc<Gate>, context: &Context, subject: &Subject, charge: &Charge, policy: OnOutage) {
        let started = now();
        let id = charge.outlives_answer().then(random_uuid);
        let lease = id.as_ref().and_then(|id| LeaseId::new(id).ok());
        let request = Request { cost: charge.cost(), lease: lease.as_ref() };
        let clock = Now::by(gate.config.clock, started);
        let error = match gate.limiter.judge(subject, charge.limits(), [request], clock).await {
            Ok(mut judged) => {
                if let Some(verdict) = judged.verdicts.pop() {
                    if verdict.is_allow() {
                        self.charged = id.map(|id| Charged { id, at: judged.at, by: Judge::Redis });
                    }
                    return self.accept(verdict, charge);
                }
                return;
            }
            Err(CheckError::Question(error)) => {
                log::failure("request", &format!("cannot be judged: {error}"));
                self.passage = Passage::Refused(Problem::misconfigured());
                return;
            }
            Err(CheckError::Redis(error)) => error,
        };
        if error.leaves_it_open()
            && let Some(lease) = id.as_deref().and_then(|id| Lease::of(gate, Judge::Redis, subject, charge, id))
        {
            context.wait_until(async move { lease.end_in_doubt().await });
        }
        match policy {
            OnOutage::Open => log::outage(&error, policy, "forwarded the request unjudged"),
            OnOutage::Closed => {
                log::outage(&error, policy, "refused the request");
                self.passage = Passage::Refused(Problem::limiter_unavailable());
            }
            OnOutage::Local => {
                log::outage(&error, policy, "judged the request by what this isolate has seen");
                let verdict = gate.local.borrow_mut().check(subject, charge.limits(), request, started);
                match verdict {
                    Ok(verdict) => {
                        if verdict.is_allow() {
                            self.charged = id.map(|id| Charged { id, at: started, by: Judge::Local });
                        }
                        self.accept(verdict, charge);
                    }
                    Err(error) => log::failure("request", &error),
                }
                if matches!(self.passage, Passage::Open) && !charge.is_shadow() && !last_resort(gate, subject).await {
                    self.passage = Passage::Refused(Problem::over_last_resort());
                    if let Some(charged) = self.charged.take()
                        && let Some(lease) = Lease::of(gate, charged.by, subject, charge, &charged.id)
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
            self.passage = Passage::Refused(Problem::quota_exceeded(&verdict));
        }
        self.verdict = Some(verdict);
    }
}

/// Whether the rate limit binding lets a subject pass. A binding that fails, or that the deployment does not have,
/// lets everybody pass: this isolate has judged already.
async fn last_resort(gate: &Gate, subject: &Subject) -> bool {
    let Some(binding) = &gate.last_resort else { return true };
    let answer = JsFuture::from(binding.limit(&object([("key", subject.as_str().into())]))).await;
    let success = answer.map(|answer| property(&answer, "success").and_then(|success| success.as_bool()));
    match success {
        Ok(Some(success)) => success,
        Ok(None) => true,
        Err(error) => {
            log::failure("the binding LAST_RESORT", &format!("{error:?}"));
            true
        }
    }
}

/// What the request shows of itself and of the client. Only the edge's own header is believed for the address.
pub(super) fn facts(request: &web_sys::Request, url: &url::Url, gate: Option<&Gate>) -> Facts {
    let header = |name| request.headers().get(name).ok().flatten();
    let sources = gate.map_or(&[][..], |gate| gate.config.key_sources());
    Facts {
        method: request.method(),
        path: url.path().to_owned(),
        address: header("cf-connecting-ip").and_then(|address| address.parse().ok()),
        api_key: sources.iter().find_map(|source| source.key_in(&header(source.header())?)),
    }
}
