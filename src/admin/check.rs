//! `POST /check`: rate limiting as a service.

use serde_json::{Value, json};

use super::admin::Admin;
use super::input;
use super::response::{Failure, Response};
use super::subjects::Values;
use crate::config::json::{InvalidInput, Object, Problems, text};
use crate::config::{self, Config};
use crate::http::problem::Problem;
use crate::http::rate_limit;
use crate::limit::{CheckRequest, EVERYONE, LeaseId, Limit, Retry, Subject, Verdict, usage};
use crate::limiter::Decider;
use crate::redis::Transport;
use crate::tenant::{Status, TenantId};
use crate::time::Millis;

/// A parsed request for a check.
#[derive(Debug)]
struct CheckInput {
    target: Target,
    /// The limits; `None` for those of the tenant's plan.
    limits: Option<Vec<Limit>>,
    /// What the limits count by.
    values: Values,
    cost: u64,
    lease: Option<LeaseId>,
}

/// Who is charged.
#[derive(Debug)]
enum Target {
    Subject(Subject),
    Tenant(TenantId),
}

impl<T: Transport> Admin<'_, T> {
    pub(super) async fn check(&self, body: &Value) -> Result<Response, Failure> {
        let CheckInput { target, limits, values, cost, lease } = parse(body, self.config)?;
        let now = self.now();
        let mut tenant = None;
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
    let retry_ms = |retry| match retry {
        Retry::Now => Some(0),
        Retry::After(wait) => Some(wait.get()),
        Retry::Never => None,
    };
    let limits = verdict.budgets().iter().map(|budget| {
        json!({
            "name": budget.limit.name().as_str(),
            "remaining": budget.remaining,
            "retry_ms": retry_ms(budget.retry),
            "reset_ms": budget.reset.get(),
        })
    });
    json!({
        "allowed": verdict.is_allow(),
        "retry_ms": retry_ms(verdict.retry()),
        "limits": limits.collect::<Vec<_>>(),
        "at": now.get(),
    })
}

fn parse(body: &Value, config: &Config) -> Result<CheckInput, InvalidInput> {
    input::read(body, &FIELDS, Problems::default(), |object, problems| {
        input::refuse_null(body, &FIELDS, problems);
        let target = target(object, problems);
        let limits = limits(object, config, problems);
        let peek = object.optional("peek", input::boolean, problems).unwrap_or_default();
        let cost = object.optional("cost", input::count, problems).unwrap_or(1);
        let lease = |value: &Value| LeaseId::new(&text(value)?).map_err(|error| error.to_string());
        let lease = object.optional("lease", lease, problems);
        let values = Values::of_body(object, config.ipv6_prefix, problems);
        Some(CheckInput { target: target?, limits, values, cost: if peek { 0 } else { cost }, lease })
    })
}

fn target(object: &Object<'_>, problems: &mut Problems) -> Option<Target> {
    match (object.get("subject"), object.get("tenant")) {
        (Some(_), None) => object.required("subject", subject, problems).map(Target::Subject),
        (None, Some(_)) => {
            let id = |value: &Value| TenantId::new(&text(value)?).map_err(|error| error.to_string());
            object.required("tenant", id, problems).map(Target::Tenant)
        }
        (None, None) => {
            problems.push("subject", "is missing (or give a tenant)");
            None
        }
        (Some(_), Some(_)) => {
            problems.push("tenant", "cannot be given together with subject");
            None
        }
    }
}

fn limits(object: &Object<'_>, config: &Config, problems: &mut Problems) -> Option<Vec<Limit>> {
    let plan = match (object.get("plan"), object.get("limits")) {
        (Some(_), Some(_)) => {
            problems.push("limits", "cannot be given together with plan");
            return None;
        }
        (Some(_), None) => object.required("plan", |name| Ok(input::plan(name, config)?.1.clone()), problems),
        (None, Some(limits)) => {
            let plan = config::plan_from_value(&json!({ "limits": limits }), "");
            plan.map_err(|error| problems.push(error.path, error.problem)).ok()
        }
        (None, None) => {
            if object.get("tenant").is_none() {
                problems.push("plan", "is missing (or give limits)");
            }
            None
        }
    };
    plan.map(|plan| plan.limits().to_vec())
}

/// Reads the name of a subject. The keys of locks and values have the same form, and a check must not touch them.
fn subject(value: &Value) -> Result<Subject, String> {
    let name = text(value)?;
    if !(1..=MAX_SUBJECT).contains(&name.chars().count()) {
        return Err(format!("expected 1 to {MAX_SUBJECT} characters"));
    }
    if name == EVERYONE {
        return Err(format!("is {EVERYONE:?} (the subject of limits that count by everyone)"));
    }
    match RESERVED.into_iter().find(|reserved| name.starts_with(reserved)) {
        Some(reserved) => Err(format!("begins with {reserved:?} (a reserved prefix)")),
        None => Ok(Subject::named(&name)),
    }
}

const FIELDS: [&str; 8] = ["subject", "tenant", "plan", "limits", "subjects", "cost", "peek", "lease"];
const RESERVED: [&str; 2] = ["lock:", "value:"];
const MAX_SUBJECT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(body: &Value) -> String {
        let config = r#"{"default_plan":"p","plans":{"p":{"limits":[
            {"name":"l","algorithm":"sliding_log","limit":1,"window":"1s"}]}}}"#;
        parse(body, &Config::from_json(config).unwrap()).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn invalid_checks_name_field_and_problem() {
        let limit = json!({ "name": "l", "algorithm": "sliding_log", "limit": 0, "window": "1s" });
        for (body, expected) in [
            (json!({}), "subject: is missing (or give a tenant); plan: is missing (or give limits)"),
            (json!({ "subject": "a", "tenant": "b" }), "tenant: cannot be given together with subject"),
            (
                json!({ "tenant": "B" }),
                "tenant: expected 1 to 64 of a-z 0-9 - . , the first and the last a letter or a digit, found \"B\"",
            ),
            (json!({ "subject": "a", "plan": "q" }), "plan: no plan is named \"q\" (plans: p)"),
            (json!({ "tenant": "a", "plan": "p", "limits": [] }), "limits: cannot be given together with plan"),
            (json!({ "subject": "a", "limits": [limit] }), "limits[0].limit: expected 1 to 9007199254740991, found 0"),
            (json!({ "subject": "a", "limits": [] }), "limits: expected 1 to 16 limits, found 0"),
            (json!({ "subject": "", "plan": "p" }), "subject: expected 1 to 200 characters"),
            (json!({ "subject": "lock:usage", "plan": "p" }), "subject: begins with \"lock:\" (a reserved prefix)"),
            (
                json!({ "subject": "everyone", "plan": "p" }),
                "subject: is \"everyone\" (the subject of limits that count by everyone)",
            ),
            (
                json!({ "tenant": "a", "subjects": { "user": "x" } }),
                "subjects.user: expected \"address\", \"header:NAME\", \"query:NAME\", \"cookie:NAME\", \"path:NAME\", \"country\", \"asn\", \"route\" or \"everyone\", found \"user\"",
            ),
            (
                json!({ "tenant": "a", "subjects": { "everyone": "" } }),
                "subjects.everyone: everyone has no value (leave it out)",
            ),
            (
                json!({ "tenant": "a", "subjects": { "address": "x" } }),
                "subjects.address: expected an address, found \"x\"",
            ),
            (json!({ "tenant": "a", "subjects": [] }), "subjects: expected an object, found a list"),
            (json!({ "tenant": "a", "cost": null }), "cost: is null (leave it out)"),
            (
                json!({ "tenant": "a", "cost": -1 }),
                "cost: expected a whole number from 0 to 9007199254740991, found -1",
            ),
        ] {
            assert_eq!(problem(&body), expected, "{body}");
        }
    }
}
