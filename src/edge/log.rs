//! The log: one line of JSON for each refusal, each failure, and as many requests that pass as are wanted.
//!
//! No line has a key, a token, a query or a body in it.

use std::fmt::Display;

use serde_json::{Map, Value, json};

use super::decision::{Decision, Outcome};
use crate::config::OnOutage;
use crate::http::RequestFacts;
use crate::limit::{Retry, Verdict};
use crate::tenant::TenantId;
use crate::tenant::history::Report;

/// Something does not work that should. `what` says which part.
pub(super) fn failure(what: &str, error: &dyn Display) {
    worker::console_error!("{}", json!({ "event": "failure", "what": what, "error": error.to_string() }));
}

/// A failure of Redis, and what it meant for the request (`on_outage`).
pub(super) fn outage(error: &dyn Display, policy: OnOutage, meaning: &str) {
    let policy = policy.name();
    let error = format!("{error}; {meaning} (on_outage = {policy})");
    worker::console_error!("{}", json!({ "event": "outage", "policy": policy, "error": error }));
}

/// What a run of the scheduled work has done.
pub(super) fn recorded(report: &Report) {
    let unreadable: Vec<&str> = report.unreadable.iter().map(TenantId::as_str).collect();
    let line = json!({
        "event": "recorded",
        "end": format!("{:?}", report.end),
        "tenants": report.tenants,
        "written": report.written,
        "unreadable": unreadable,
        "calls": report.calls,
    });
    worker::console_log!("{line}");
}

/// What became of a request that was judged or refused.
pub(super) fn decision(facts: &RequestFacts, decision: &Decision) {
    let mut line = Map::new();
    let mut put = |name: &str, value: Value| drop(line.insert(name.to_owned(), value));
    put("method", json!(facts.method));
    put("path", json!(facts.path));
    if decision.identified.is_none() {
        put("address", json!(facts.address));
    }
    if let Some(identified) = &decision.identified {
        put("subject", json!(identified.subject.as_str()));
        if let Some(tenant) = &identified.tenant {
            put("tenant", json!(tenant.as_str()));
        }
        if let Some(charge) = &identified.charge {
            put("cost", json!(charge.cost()));
            if charge.is_shadow() {
                put("shadow", json!(true));
            }
        }
    }
    if let Some(route) = &decision.route {
        put("route", json!(route.pattern.to_string()));
    }
    if let Some(verdict) = &decision.verdict {
        put("verdict", json!(if verdict.is_allow() { "allow" } else { "deny" }));
        if let Verdict::Deny(_) = verdict {
            put("limits", json!(verdict.refusing().map(|budget| budget.limit.name().as_str()).collect::<Vec<_>>()));
        }
        if let Retry::After(wait) = verdict.retry() {
            put("retry_ms", json!(wait.get()));
        }
    }
    let event = match &decision.outcome {
        Outcome::Refuse(problem) => {
            put("status", json!(problem.status));
            "refused"
        }
        Outcome::Forward => "passed",
    };
    put("event", json!(event));
    worker::console_log!("{}", Value::Object(line));
}
