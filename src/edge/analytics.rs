//! One data point a request, for deployments that bind a data set of Analytics Engine as `ANALYTICS`.
//!
//! index1   tenant, or the subject of the address
//! blob1    route: its pattern, or `-`
//! blob2    verdict: `allow`, `deny`, `shadow` (denied, but let through), `refused` (before any limit), `unjudged`,
//!          `exempt`
//! blob3    limit: the first that refused, or nothing
//! blob4    colo: the data centre
//! blob5    country
//! double1  cost, in units
//! double2  remaining: the least of all limits, in units
//! double3  milliseconds that the limiter took

use wasm_bindgen::JsValue;
use web_sys::Request;

use super::decision::{Judgement, Passage};
use super::isolate::Gate;
use super::js::{property, write_point};
use crate::gateway::Charge;
use crate::limit::Verdict;
use crate::time::Millis;

/// Writes the data point of a request.
#[expect(clippy::cast_precision_loss, reason = "a data point has doubles, and these are below 2^53")]
pub(super) fn write(gate: &Gate, request: &Request, judgement: &Judgement, spent: Millis) {
    let Some(set) = &gate.analytics else { return };
    let cf = property(request, "cf");
    let of_edge = |name| cf.as_ref().and_then(|cf| property(cf, name)).and_then(|value: JsValue| value.as_string());
    let (colo, country) = (of_edge("colo").unwrap_or_default(), of_edge("country").unwrap_or_default());
    let route = judgement.route.as_ref().map_or_else(|| "-".to_owned(), |route| route.pattern.to_string());
    let refusing = judgement.verdict.as_ref().and_then(|verdict| verdict.refusing().next());
    let limit = refusing.map_or("", |budget| budget.limit.name().as_str());
    let admission = judgement.admission.as_ref();
    let cost = admission.and_then(|admission| admission.charge.as_ref()).map_or(0, Charge::cost);
    let budgets = judgement.verdict.iter().flat_map(Verdict::budgets);
    let remaining = budgets.map(|budget| budget.remaining).min().unwrap_or(0);
    let subject = admission.map_or("-", |admission| admission.subject.as_str());
    let index = subject.get(..MAX_INDEX).unwrap_or(subject);
    let blobs = [route.as_str(), word(judgement), limit, colo.as_str(), country.as_str()];
    write_point(set, index, &blobs, &[cost as f64, remaining as f64, spent.get() as f64]);
}

fn word(judgement: &Judgement) -> &'static str {
    let limited = judgement.admission.as_ref().is_some_and(|admission| admission.charge.is_some());
    match (&judgement.passage, &judgement.verdict) {
        (Passage::Refused(_), Some(verdict)) if !verdict.is_allow() => "deny",
        (Passage::Refused(_), _) => "refused",
        (Passage::Open, Some(verdict)) if verdict.is_allow() => "allow",
        (Passage::Open, Some(_)) => "shadow",
        (Passage::Open, None) if limited => "unjudged",
        (Passage::Open, None) => "exempt",
    }
}

/// Bytes of the longest index (Cloudflare documentation, "Workers Analytics Engine", limits).
const MAX_INDEX: usize = 96;
