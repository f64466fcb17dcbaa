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

use super::decision::{Decision, Outcome};
use super::isolate::Isolate;
use super::js::{property, write_point};
use crate::gateway::Charge;
use crate::limit::Verdict;
use crate::time::Millis;

/// Writes the data point of a request.
#[expect(clippy::cast_precision_loss, reason = "a data point has doubles, and these are below 2^53")]
pub(super) fn write(isolate: &Isolate, request: &Request, decision: &Decision, spent: Millis) {
    let Some(set) = &isolate.analytics else { return };
    let cf = property(request, "cf");
    let of_edge = |name| cf.as_ref().and_then(|cf| property(cf, name)).and_then(|value: JsValue| value.as_string());
    let (colo, country) = (of_edge("colo").unwrap_or_default(), of_edge("country").unwrap_or_default());
    let route = decision.route.as_ref().map_or_else(|| "-".to_owned(), |route| route.pattern.to_string());
    let refusing = decision.verdict.as_ref().and_then(|verdict| verdict.refusing().next());
    let limit = refusing.map_or("", |budget| budget.limit.name().as_str());
    let identified = decision.identified.as_ref();
    let cost = identified.and_then(|identified| identified.charge.as_ref()).map_or(0, Charge::cost);
    let budgets = decision.verdict.iter().flat_map(Verdict::budgets);
    let remaining = budgets.map(|budget| budget.remaining).min().unwrap_or(0);
    let subject = identified.map_or("-", |identified| identified.subject.as_str());
    let index = subject.get(..MAX_INDEX).unwrap_or(subject);
    let blobs = [route.as_str(), word(decision), limit, colo.as_str(), country.as_str()];
    write_point(set, index, &blobs, &[cost as f64, remaining as f64, spent.get() as f64]);
}

fn word(decision: &Decision) -> &'static str {
    let limited = decision.identified.as_ref().is_some_and(|identified| identified.charge.is_some());
    match (&decision.outcome, &decision.verdict) {
        (Outcome::Refuse(_), Some(verdict)) if !verdict.is_allow() => "deny",
        (Outcome::Refuse(_), _) => "refused",
        (Outcome::Forward, Some(verdict)) if verdict.is_allow() => "allow",
        (Outcome::Forward, Some(_)) => "shadow",
        (Outcome::Forward, None) if limited => "unjudged",
        (Outcome::Forward, None) => "exempt",
    }
}

/// Bytes of the longest index (Cloudflare documentation, "Workers Analytics Engine", limits).
const MAX_INDEX: usize = 96;
