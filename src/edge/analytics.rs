//! Data points in Analytics Engine, one per request, if the Worker has the binding `ANALYTICS`.
//!
//! index1   tenant, or the subject of the client address
//! blob1    route: its pattern, or `-`
//! blob2    verdict: `allow`, `deny`, `shadow` (denied, but forwarded), `refused` (before any limit), `unjudged`
//!          (forwarded without a verdict), `exempt`
//! blob3    limit: the first that denied the request, or nothing
//! blob4    colo: the data center
//! blob5    country
//! blob6    the limiter that gave the verdict: `redis`, `prefetch`, `memory`, or nothing
//! blob7    plan: the name of the plan whose limits were checked, or nothing
//! blob8    problem: the last part of the problem's type if the request was refused, or nothing
//! double1  cost, in units
//! double2  remaining: the least of all limits, in units
//! double3  the duration of the decision, in milliseconds
//! double4  the status with which the request was refused, or 0
//!
//! `docs/observability.md` has queries for them; `tests/e2e/observability/` runs these on points that the Worker has written.

use wasm_bindgen::JsValue;
use web_sys::Request;

use super::decision::{Decision, Outcome, Source};
use super::isolate::Isolate;
use super::js::{property, write_point};
use crate::gateway::Charge;
use crate::limit::Verdict;
use crate::time::Millis;

/// Writes the data point of a request.
#[expect(clippy::cast_precision_loss, reason = "a data point has doubles, and these are below 2^53")]
pub(super) fn write(isolate: &Isolate, request: &Request, decision: &Decision, duration: Millis) {
    let Some(set) = &isolate.analytics else { return };
    let cf = property(request, "cf");
    let cf = |name| cf.as_ref().and_then(|cf| property(cf, name)).and_then(|value: JsValue| value.as_string());
    let (colo, country) = (cf("colo").unwrap_or_default(), cf("country").unwrap_or_default());
    let route = decision.route.as_ref().map_or_else(|| "-".to_owned(), |route| route.pattern.to_string());
    let denying = decision.verdict.as_ref().and_then(|verdict| verdict.refusing().next());
    let limit = denying.map_or("", |budget| budget.limit.name().as_str());
    let cost = decision.charge().map_or(0, Charge::cost);
    let budgets = decision.verdict.iter().flat_map(Verdict::budgets);
    let remaining = budgets.map(|budget| budget.remaining).min().unwrap_or(0);
    let subject = decision.identified.as_ref().map_or("-", |identified| identified.subject.as_str());
    let index = subject.get(..MAX_INDEX).unwrap_or(subject);
    let source = decision.source.map_or("", Source::name);
    let plan = decision.charge().map_or("", Charge::plan);
    let (problem, status) = match &decision.outcome {
        Outcome::Refuse(problem) => (problem.name(), problem.status),
        Outcome::Forward => ("", 0),
    };
    let blobs = [route.as_str(), verdict(decision), limit, colo.as_str(), country.as_str(), source, plan, problem];
    write_point(set, index, &blobs, &[cost as f64, remaining as f64, duration.get() as f64, f64::from(status)]);
}

fn verdict(decision: &Decision) -> &'static str {
    match (&decision.outcome, &decision.verdict) {
        (Outcome::Refuse(_), Some(verdict)) if !verdict.is_allow() => "deny",
        (Outcome::Refuse(_), _) => "refused",
        (Outcome::Forward, Some(verdict)) if verdict.is_allow() => "allow",
        (Outcome::Forward, Some(_)) => "shadow",
        (Outcome::Forward, None) if decision.charge().is_some() => "unjudged",
        (Outcome::Forward, None) => "exempt",
    }
}

/// The longest index, in bytes (Cloudflare documentation, "Workers Analytics Engine", limits).
const MAX_INDEX: usize = 96;
