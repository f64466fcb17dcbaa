//! `POST /check`: rate limiting as a service.

use serde_json::{Value, json};

use super::admin::Admin;
use super::check_input::{CheckInput, Target};
use super::response::{Failure, Response};
use crate::http::problem::Problem;
use crate::http::rate_limit;
use crate::limit::{CheckRequest, Verdict, usage};
use crate::limiter::Decider;
use crate::redis::Transport;
use crate::tenant::Status;
use crate::time::Millis;

impl<T: Transport> Admin<'_, T> {
    pub(super) async fn check(&self, body: &Value) -> Result<Response, Failure> {
        let CheckInput { target, plan, values, cost, lease } = CheckInput::read(body, self.config, None)?;
        let now = self.now();
        let mut tenant = None;
        let limits = plan.map(|plan| plan.limits().to_vec());
        let (mut subject, limits) = match target {
            Target::Subject(subject) => (subject, limits.unwrap_or_default()),
            Target::Tenant(id) => {
                let stored = self.tenant(&id).await?;
                if stored.tenant.status() == Status::Suspended {
                    return Err(Problem::suspended().into());
                }
                let limits = limits.map_or_else(|| self.limits_of(&stored, now), Ok)?;
                let subject = id.subject();
                tenant = Some(id);
                (subject, self.metered(&limits))
            }
        };
        values.add_all(&mut subject, &limits)?;
        let request = CheckRequest { cost, lease: lease.as_ref() };
        // Reading the tenant may have taken a while.
        let asked = self.now();
        let answer = self.limiter.decide(&subject, &limits, request, self.config.clock, asked).await;
        let (verdict, decider, at) = match answer {
            Ok(decided) => (decided.verdict, decided.decider, asked),
            Err(error) => {
                let now = self.now();
                let remembered = self.limiter.remembered(&subject, &limits, cost, now);
                (remembered.ok_or(error)?, Decider::Refusal, now)
            }
        };
        let (verdict, usage) = usage::split(verdict);
        if let (Some(tenant), Some(usage), 1..) = (&tenant, usage, cost) {
            self.sightings.borrow_mut().note(tenant, &verdict, usage, decider, at);
        }
        let response = Response::json(200, &verdict_json(&verdict, at));
        Ok(rate_limit::fields(&verdict, false)
            .into_iter()
            .fold(response, |response, (name, value)| response.with(name, value)))
    }
}

/// Returns a verdict as JSON. `now` is the time of the edge's clock at the check.
fn verdict_json(verdict: &Verdict, now: Millis) -> Value {
    let limits = verdict.budgets().iter().map(|budget| {
        json!({
            "name": budget.limit.name().as_str(),
            "remaining": budget.remaining,
            "retry_ms": budget.retry.millis(),
            "reset_ms": budget.reset.get(),
        })
    });
    json!({
        "allowed": verdict.is_allow(),
        "retry_ms": verdict.retry().millis(),
        "limits": limits.collect::<Vec<_>>(),
        "at": now.get(),
    })
}
