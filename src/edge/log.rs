//! The log: a line of JSON for each refusal and each failure, and for a sample of the allowed requests.
//!
//! No line contains a key, a token, a query or a body.

use std::cell::Cell;
use std::fmt::Display;

use serde_json::{Map, Value, json};

use super::decision::{Decision, Outcome};
use crate::config::OnOutage;
use crate::http::RequestFacts;
use crate::limit::{Retry, Verdict};
use crate::tenant::TenantId;
use crate::tenant::history::Report;

/// Logs a failure. `what` names the part that failed.
pub(super) fn failure(what: &str, error: &dyn Display) {
    worker::console_error!("{}", json!({ "event": "failure", "what": what, "error": error.to_string() }));
}

/// Logs a failure of Redis, and what the outage policy did with the request.
pub(super) fn outage(error: &dyn Display, policy: OnOutage, action: &str) {
    let policy = policy.name();
    let error = format!("{error}; {action} (on_outage = {policy})");
    worker::console_error!("{}", json!({ "event": "outage", "policy": policy, "error": error }));
}

/// Logs the report of a scheduled run.
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

/// The log of decisions: all that deny or refuse a request, and a sample of the others.
pub(super) struct DecisionLog {
    /// One in this many of the other decisions is logged; 0 logs none.
    one_in: u64,
    /// The other decisions since the last one that was logged.
    skipped: Cell<u64>,
}

impl DecisionLog {
    pub(super) fn new(one_in: u64) -> Self {
        DecisionLog { one_in, skipped: Cell::new(0) }
    }

    /// Logs a decision that denies or refuses its request, or that belongs to the sample.
    pub(super) fn write(&self, facts: &RequestFacts, decision: &Decision) {
        if decision.is_denied() || matches!(decision.outcome, Outcome::Refuse(_)) || self.samples() {
            worker::console_log!("{}", line(facts, decision));
        }
    }

    /// Counts a decision that allows its request, and returns whether it belongs to the sample.
    fn samples(&self) -> bool {
        let count = self.skipped.get() + 1;
        let sampled = self.one_in > 0 && count >= self.one_in;
        self.skipped.set(if sampled { 0 } else { count });
        sampled
    }
}

/// Returns the line of a decision.
fn line(facts: &RequestFacts, decision: &Decision) -> Value {
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
    Value::Object(line)
}
