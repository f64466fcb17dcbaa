//! An explanation as JSON.

use serde_json::Value;

use super::limit::limit;
use super::members::{object, texts};
use crate::config::OnOutage;
use crate::gateway::{Charge, Cost, ExplainedCaller, Explanation, Onward, Outcome};
use crate::http::problem::Problem;
use crate::limit::{Algorithm, Limit, Subject, usage};

/// Returns an explanation as JSON. The usage meters are left out.
pub(super) fn json(explanation: Explanation<'_>) -> Value {
    let outcome = explanation.outcome.name();
    let (limits, settle) = (limits(&explanation), settle(&explanation));
    let route = explanation
        .route
        .map(|(place, route)| object(vec![("index", place.into()), ("match", route.pattern.to_string().into())]));
    let refusal = match &explanation.outcome {
        Outcome::Refuse(problem) => refusal(problem),
        _ => Value::Null,
    };
    object(vec![
        ("outcome", outcome.into()),
        ("refusal", refusal),
        ("route", route.into()),
        ("caller", explanation.caller.map(caller).into()),
        ("limits", limits),
        ("cost", explanation.cost.map(cost).into()),
        ("settle", settle),
        ("shadow", explanation.charge.as_ref().is_some_and(Charge::is_shadow).into()),
        ("on_outage", explanation.on_outage.map(OnOutage::name).into()),
        ("onward", explanation.onward.map(onward).into()),
        ("steps", texts(explanation.steps)),
    ])
}

fn refusal(problem: &Problem) -> Value {
    object(vec![
        ("status", problem.status.into()),
        ("problem", problem.name().into()),
        ("detail", problem.detail().into()),
    ])
}

fn caller(caller: ExplainedCaller) -> Value {
    object(vec![
        ("kind", caller.kind.name().into()),
        ("subject", caller.subject.as_str().into()),
        ("tenant", caller.tenant.map(|tenant| tenant.to_string()).into()),
        ("plan", caller.plan.into()),
        ("verified", caller.verified.into()),
    ])
}

fn limits(explanation: &Explanation<'_>) -> Value {
    let (Some(charge), Some(caller)) = (&explanation.charge, &explanation.caller) else { return Value::Array(vec![]) };
    let own = charge.route().map_or(&[][..], |route| &route.limits);
    let each = |one: &Limit| {
        let is_own = own.iter().any(|own| own.name() == one.name());
        let units = if one.needs_lease() { 1 } else { one.charge_for(charge.cost()) };
        let more = vec![
            ("from", if is_own { "route" } else { "plan" }.into()),
            ("charge", units.into()),
            ("key", caller.subject.owner(one).map(|owner| key(owner, one)).into()),
        ];
        limit(one, more)
    };
    Value::Array(charge.limits().iter().filter(|limit| !usage::is_meter(limit)).map(each).collect())
}

/// Returns the key that has the state of a limit.
fn key(owner: &Subject, limit: &Limit) -> String {
    match limit.algorithm() {
        Algorithm::SlidingLog { .. } => owner.log_key(limit.name()),
        Algorithm::Concurrency { .. } => owner.inflight_key(limit.name()),
        _ => owner.state_key(),
    }
}

fn cost(cost: Cost) -> Value {
    object(vec![("units", cost.units.into()), ("from", cost.from.into())])
}

fn settle(explanation: &Explanation<'_>) -> Value {
    let settle = explanation.charge.as_ref().and_then(Charge::settled_by);
    let rules = settle.map_or(&[][..], |settle| settle.rules()).iter().map(|rule| {
        let limit = rule.limit.as_ref().map(ToString::to_string);
        object(vec![("limit", limit.into()), ("from", rule.text.as_str().into())])
    });
    Value::Array(rules.collect())
}

fn onward(onward: Onward) -> Value {
    object(vec![
        ("origin", onward.origin.into()),
        ("url", onward.url.into()),
        ("set", texts(onward.set)),
        ("removed", texts(onward.removed)),
    ])
}
