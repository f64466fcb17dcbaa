//! The log: lines of JSON about refusals, failures and outages, and a sample of the allowed requests.
//!
//! What repeats is summarized: the first event is a line at once, and every ten seconds one more line has the number of
//! events since. No timer runs between requests, so that line comes with the first request after the ten seconds. The
//! member `count` is the number of events that a line stands for, so a sum over lines counts events. No line contains a
//! key, a token, a query or a body.

use std::cell::{Cell, RefCell};
use std::fmt::Display;

use serde_json::{Map, Value, json};

use super::decision::{Decision, Outcome};
use super::js::now;
use crate::config::{Config, LogRefused, OnOutage};
use crate::gateway::{LogSummary, SUMMARY_INTERVAL};
use crate::http::RequestFacts;
use crate::limit::{Retry, Verdict};
use crate::limiter::breaker::Change;
use crate::tenant::TenantId;
use crate::tenant::history::Report;
use crate::time::Millis;

/// The members of a line.
type Members = Vec<(&'static str, Value)>;

/// What the events of one summary have in common: the members of its line.
type Repeated = Vec<(&'static str, String)>;

thread_local! {
    /// The refusals whose summary is due later.
    static REFUSALS: RefCell<LogSummary<Repeated, String>> = RefCell::new(LogSummary::new(MAX_REFUSALS));
    /// The failures and outages whose summary is due later, with the last error. They are apart, so that a flood of
    /// refusals does not hide them.
    static FAILURES: RefCell<LogSummary<Repeated, String>> = RefCell::new(LogSummary::new(MAX_FAILURES));
}

/// Logs a failure. `what` names the part that failed.
pub(super) fn failure(what: &str, error: &dyn Display) {
    let error = error.to_string();
    let repeated = vec![("event", "failure".to_owned()), ("what", what.to_owned()), ("error", error)];
    write_first(repeated, String::new());
}

/// Logs a failure that an outage of Redis repeats for many requests, with different errors.
pub(super) fn redis_failure(what: &str, error: &dyn Display) {
    let repeated = vec![("event", "failure".to_owned()), ("what", what.to_owned())];
    write_first(repeated, error.to_string());
}

/// Logs a failure of Redis, and what the outage policy did with the request.
pub(super) fn outage(error: &dyn Display, policy: OnOutage, action: &str) {
    let (policy, error) = (policy.name(), error.to_string());
    // The details behind the colon differ from request to request.
    let cause = error.split(": ").next().unwrap_or_default().to_owned();
    let repeated = vec![("event", "outage".to_owned()), ("policy", policy.to_owned()), ("cause", cause)];
    write_first(repeated, format!("{error}; {action} (on_outage = {policy})"));
}

/// Logs a change of the circuit breaker. That it stays open is told by the summary of the outage.
pub(super) fn breaker(change: Change, cause: Option<&str>) {
    let event = ("event", "breaker".into());
    match change {
        Change::Opened(pause) => {
            let retry = ("retry_ms", pause.get().into());
            write(Level::Error, vec![event, ("state", "open".into()), retry, ("error", json!(cause))]);
        }
        Change::StaysOpen(_) => {}
        Change::Closed => write(Level::Info, vec![event, ("state", "closed".into())]),
    }
}

/// Logs that a new configuration is in force.
pub(super) fn configuration_changed() {
    write(Level::Info, vec![("event", "configuration".into()), ("state", "changed".into())]);
}

/// Logs the report of a scheduled run.
pub(super) fn recorded(report: &Report) {
    let unreadable: Vec<&str> = report.unreadable.iter().map(TenantId::as_str).collect();
    let members = vec![
        ("event", "recorded".into()),
        ("end", format!("{:?}", report.end).into()),
        ("tenants", report.tenants.into()),
        ("written", report.written.into()),
        ("unreadable", json!(unreadable)),
        ("calls", report.calls.into()),
    ];
    write(Level::Info, members);
}

/// The log of decisions: those that deny or refuse a request, and a sample of the others.
pub(super) struct DecisionLog {
    /// One in this many of the other decisions is logged; 0 logs none.
    one_in: u64,
    /// The other decisions since the last one that was logged.
    skipped: Cell<u64>,
    refused: LogRefused,
}

impl DecisionLog {
    pub(super) fn new(config: &Config) -> Self {
        DecisionLog { one_in: config.log_allowed_one_in, skipped: Cell::new(0), refused: config.log_refused }
    }

    /// Logs a decision that denies or refuses its request, or that belongs to the sample. It took `duration`.
    pub(super) fn write(&self, facts: &RequestFacts, decision: &Decision, duration: Millis) {
        let refuses = decision.is_denied() || matches!(decision.outcome, Outcome::Refuse(_));
        write_due();
        let is_logged = match (refuses, self.refused) {
            (true, LogRefused::Summary) => {
                let repeated = repeated(facts, decision);
                REFUSALS.with_borrow_mut(|refusals| refusals.count(&repeated, String::new(), now())).is_some()
            }
            (true, LogRefused::Each) => true,
            (false, _) => self.samples(),
        };
        if is_logged {
            let mut line = line(facts, decision);
            line.push(("limiter_ms", duration.get().into()));
            line.push(("count", (if refuses { 1 } else { self.one_in }).into()));
            write(Level::Info, line);
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

/// Logs a failure if it is the first of its kind, and counts it otherwise.
fn write_first(repeated: Repeated, error: String) {
    write_due();
    if let Some(error) = FAILURES.with_borrow_mut(|failures| failures.count(&repeated, error, now())) {
        let mut members = members(repeated, error);
        members.push(("count", 1.into()));
        write(Level::Error, members);
    }
}

/// Logs the summaries of the last ten seconds, if they are due.
fn write_due() {
    let now = now();
    let refusals = REFUSALS.with_borrow_mut(|refusals| refusals.take(now));
    let failures = FAILURES.with_borrow_mut(|failures| failures.take(now));
    for (level, event, due) in [(Level::Info, "other refusals", refusals), (Level::Error, "other failures", failures)] {
        let Some(due) = due else { continue };
        let others = (due.others > 0).then(|| (vec![("event", event.to_owned())], due.others, String::new()));
        for (repeated, count, error) in due.keys.into_iter().chain(others) {
            let mut members = members(repeated, error);
            members.push(("count", count.into()));
            members.push(("seconds", SUMMARY_INTERVAL.ceil_secs().into()));
            write(level, members);
        }
    }
}

/// Returns the members of the line of a repeated event with its last error.
fn members(repeated: Repeated, error: String) -> Members {
    let mut members: Members = repeated.into_iter().map(|(name, value)| (name, value.into())).collect();
    if !error.is_empty() {
        members.push(("error", error.into()));
    }
    members
}

/// How urgent a line is.
#[derive(Clone, Copy)]
enum Level {
    Info,
    Error,
}

/// Writes a line with these members.
fn write(level: Level, members: Members) {
    let mut object = Map::new();
    for (name, value) in members {
        object.insert(name.to_owned(), value);
    }
    let line = Value::Object(object).to_string();
    match level {
        Level::Info => worker::console_log!("{line}"),
        Level::Error => worker::console_error!("{line}"),
    }
}

/// Returns what a refusal has in common with those that its summary counts: whose it is, and the limit or the problem.
fn repeated(facts: &RequestFacts, decision: &Decision) -> Repeated {
    let event = if let Outcome::Refuse(_) = decision.outcome { "refused" } else { "passed" };
    let denying = decision.verdict.as_ref().and_then(|verdict| verdict.refusing().next());
    let reason = match (denying, &decision.outcome) {
        (Some(budget), _) => ("limit", budget.limit.name().to_string()),
        (None, Outcome::Refuse(problem)) => ("problem", problem.name().to_owned()),
        (None, Outcome::Forward) => ("problem", String::new()),
    };
    let mut repeated = vec![("event", event.to_owned()), reason];
    match (&decision.identified, &decision.outcome) {
        // An outage refuses everybody.
        (_, Outcome::Refuse(problem)) if problem.status == 503 => {}
        (Some(identified), _) => repeated.push(("subject", identified.subject.as_str().to_owned())),
        (None, _) => repeated.extend(facts.address.map(|address| ("address", address.to_string()))),
    }
    repeated
}

/// Returns the members of a decision's line.
fn line(facts: &RequestFacts, decision: &Decision) -> Members {
    let mut line = vec![("method", facts.method.as_str().into()), ("path", facts.path.as_str().into())];
    match &decision.identified {
        None => line.push(("address", json!(facts.address))),
        Some(identified) => {
            line.push(("subject", identified.subject.as_str().into()));
            line.extend(identified.tenant.as_ref().map(|tenant| ("tenant", tenant.as_str().into())));
        }
    }
    if let Some(charge) = decision.charge() {
        line.push(("plan", charge.plan().into()));
        line.push(("cost", charge.cost().into()));
        line.extend(charge.is_shadow().then(|| ("shadow", true.into())));
    }
    line.extend(decision.route.as_ref().map(|route| ("route", route.pattern.to_string().into())));
    if let Some(verdict) = &decision.verdict {
        line.push(("verdict", (if verdict.is_allow() { "allow" } else { "deny" }).into()));
        line.extend(decision.source.map(|source| ("by", source.name().into())));
        if let Verdict::Deny(_) = verdict {
            let names: Vec<_> = verdict.refusing().map(|budget| budget.limit.name().as_str()).collect();
            // The first by itself, too: only a text can be grouped by.
            line.extend(names.first().map(|name| ("limit", (*name).into())));
            line.push(("limits", json!(names)));
        }
        if let Retry::After(wait) = verdict.retry() {
            line.push(("retry_ms", wait.get().into()));
        }
    }
    match &decision.outcome {
        Outcome::Refuse(problem) => {
            let (status, problem) = (problem.status.into(), problem.name().into());
            line.extend([("status", status), ("problem", problem), ("event", "refused".into())]);
        }
        Outcome::Forward => line.push(("event", "passed".into())),
    }
    line
}

/// The most kinds of refusals that are counted each on their own: a hundred lines in ten seconds can be read.
const MAX_REFUSALS: usize = 100;

/// The most kinds of failures: there are fewer causes than clients.
const MAX_FAILURES: usize = 50;
