//! The steps of an explanation, in English.

use std::sync::Arc;

use super::explanation::{Cost, ExplainedCaller, Onward};
use crate::config::OnOutage;
use crate::config::costs::{CostSource, RequestReading};
use crate::config::routes::Route;
use crate::gateway::charge::Charge;
use crate::http::problem::Problem;
use crate::limit::{Limit, usage};
use crate::tenant::{ApiKey, UnknownPlan};

pub(super) fn route(found: Option<(usize, &Arc<Route>)>) -> String {
    match found {
        Some((place, route)) => format!("The first route that matches is routes[{place}]: {}.", route.pattern),
        None => "No route matches.".to_owned(),
    }
}

pub(super) fn refusal(problem: &Problem) -> String {
    format!("The request is refused with status {}: {}.", problem.status, problem.detail())
}

/// Explains an API key that does not identify the caller, if there is one.
pub(super) fn unused_key(key: Option<&str>, counts: bool) -> Option<String> {
    match ApiKey::parse(key?) {
        Err(reason) => Some(format!("The API key does not count: {reason}.")),
        Ok(_) if counts => None,
        Ok(_) => Some(
            "The API key does not count: something else comes first in identify, or the request needs no caller."
                .to_owned(),
        ),
    }
}

pub(super) fn unknown_plan(unknown: &UnknownPlan) -> String {
    format!("The configuration has no plan {:?}: the default plan applies.", unknown.plan)
}

pub(super) fn caller(caller: &ExplainedCaller) -> String {
    let subject = caller.subject.as_str();
    match &caller.plan {
        Some(plan) => format!("The caller is {subject}, with the limits of the plan {plan}."),
        None => format!("The caller is {subject}."),
    }
}

pub(super) fn exempt(by_route: bool) -> String {
    let why = if by_route { "the route is exempt" } else { "the route allows the client's address" };
    format!("No limit is checked: {why}.")
}

/// Explains where the cost in the request was looked for. `cost` is what it told.
pub(super) fn reading(
    reading: &RequestReading,
    source: Option<&CostSource>,
    cost: Option<u64>,
    body_was_read: bool,
) -> Option<String> {
    match (source, cost) {
        (Some(source), Some(cost)) => {
            Some(format!("The request tells its cost, {cost}, in {}.", reading.text_of(source)))
        }
        _ if reading.sources.is_empty() => None,
        _ => {
            let sources: Vec<_> = reading.sources.iter().map(|source| reading.text_of(source)).collect();
            let why = if reading.reads_body() && !body_was_read { " (it has no body that can be read)" } else { "" };
            Some(format!("The request does not tell its cost in {}{why}.", sources.join(" or ")))
        }
    }
}

/// Explains what the limits count.
pub(super) fn limits(charge: &Charge, steps: &mut Vec<String>) {
    for (counts_requests, what) in
        [(true, "Limits that count the request as one"), (false, "Limits that are charged its cost")]
    {
        let own = |limit: &&Limit| !usage::is_meter(limit) && counts_requests == limit.counts_requests();
        let names: Vec<_> = charge.limits().iter().filter(own).map(|limit| limit.name().as_str()).collect();
        if !names.is_empty() {
            steps.push(format!("{what}: {}.", names.join(", ")));
        }
    }
}

pub(super) fn cost(cost: &Cost) -> String {
    format!("The cost is {}.", cost.units)
}

pub(super) fn on_outage(policy: OnOutage) -> &'static str {
    match policy {
        OnOutage::Open => "While Redis is unavailable, the request is forwarded without a check.",
        OnOutage::Closed => "While Redis is unavailable, the request is refused with status 503.",
        OnOutage::Local => "While Redis is unavailable, each isolate checks the request by what it has seen.",
    }
}

pub(super) fn forwarding(onward: &Onward) -> String {
    format!("Allowed, the request is sent to {}.", onward.url)
}

/// Explains what the response changes.
pub(super) fn after(charge: &Charge, steps: &mut Vec<String>) {
    for rule in charge.settled_by().map_or(&[][..], |settle| settle.rules()) {
        let at = rule.limit.as_ref().map(|limit| format!(" at the limit {limit}")).unwrap_or_default();
        steps.push(format!("After the response, the cost{at} is corrected by {}.", rule.text));
    }
    if let Some(route) = charge.route() {
        for (statuses, which, what) in
            [(&route.refund_on, "A", "costs nothing"), (&route.count_on, "Only a", "costs anything")]
        {
            if !statuses.is_empty() {
                let list: Vec<_> = statuses.iter().collect();
                steps.push(format!("{which} response with status {} {what}.", list.join(" or ")));
            }
        }
    }
    if charge.leases().next().is_some() {
        steps.push("The lease ends with the response.".to_owned());
    }
}

pub(super) const OWN_PATH: &str = "The path belongs to sluicegate: it has no route and no limit.";
pub(super) const PREFLIGHT: &str = "The request is a CORS preflight: it has no key and is not limited.";
pub(super) const PREFLIGHT_ANSWERED: &str = "It is answered here.";
pub(super) const INCLUDE_USAGE: &str = "The body asks for a stream: it is changed to ask for its usage, too.";
pub(super) const CHECK: &str =
    "One call to Redis checks all limits: if one of them denies the request, nothing is charged and the status is 429.";
pub(super) const SHADOW: &str =
    "One call to Redis checks all limits, but the route is a shadow: the request is forwarded whatever they say.";
