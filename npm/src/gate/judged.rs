//! A decision as JSON.

use serde_json::{Value, json};
use sluicegate::http::problem::{self, Problem};
use sluicegate::http::rate_limit::{self, RETRY_AFTER_MS};
use sluicegate::limit::{Budget, LeaseId, Verdict, usage};
use sluicegate::limiter::Decider;
use sluicegate::redis::RedisError;
use sluicegate::time::Millis;

use super::js::random_uuid;
use super::subject::Charge;

/// A decision about a request.
pub(super) struct Judged {
    /// The verdict of a limiter, if one gave it.
    verdict: Option<Verdict>,
    by: DecidedBy,
    /// The refusal; `None` if the request is allowed.
    problem: Option<Problem>,
    /// The charge, if one was made.
    charged: Option<Charged>,
    /// Why Redis did not decide.
    outage: Option<String>,
}

/// A charge, which can be settled.
struct Charged {
    id: String,
    /// The time by the clock that decided.
    at: Millis,
    lease: Option<LeaseId>,
}

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DecidedBy {
    Redis,
    /// Units that were taken from Redis in advance.
    Prefetch,
    /// A refusal that is remembered.
    Memory,
    /// The fallback limiter.
    Local,
    /// No limiter: the outage policy.
    Outage,
    /// No limiter: the tenant is suspended or does not exist.
    Tenant,
}

impl From<Decider> for DecidedBy {
    fn from(decider: Decider) -> Self {
        match decider {
            Decider::Redis => DecidedBy::Redis,
            Decider::HeldUnits => DecidedBy::Prefetch,
            Decider::Refusal => DecidedBy::Memory,
        }
    }
}

impl DecidedBy {
    /// The name in the library's interface.
    fn name(self) -> &'static str {
        match self {
            DecidedBy::Redis => "redis",
            DecidedBy::Prefetch => "prefetch",
            DecidedBy::Memory => "memory",
            DecidedBy::Local => "local",
            DecidedBy::Outage => "outage",
            DecidedBy::Tenant => "tenant",
        }
    }
}

impl Judged {
    /// The verdict of a limiter at the time `at`. A request that only looks is not charged, and holds no lease.
    pub(super) fn by(verdict: Verdict, by: DecidedBy, at: Millis, charge: &Charge) -> Self {
        let (verdict, _usage) = usage::split(verdict);
        let problem = (!verdict.is_allow()).then(|| Problem::quota_exceeded(&verdict));
        let charged = (verdict.is_allow() && charge.cost > 0).then(|| Charged {
            id: random_uuid(),
            at,
            lease: charge.held_lease().cloned(),
        });
        Judged { verdict: Some(verdict), by, problem, charged, outage: None }
    }

    /// Allowed without a limiter.
    pub(super) fn unjudged() -> Self {
        Judged { verdict: None, by: DecidedBy::Outage, problem: None, charged: None, outage: None }
    }

    /// Refused without a limiter.
    pub(super) fn refused(problem: Problem, by: DecidedBy) -> Self {
        Judged { problem: Some(problem), by, ..Judged::unjudged() }
    }

    /// Notes why Redis did not decide.
    pub(super) fn because(self, error: &RedisError) -> Self {
        Judged { outage: Some(error.to_string()), ..self }
    }

    /// Returns the decision as JSON.
    pub(super) fn json(&self) -> Value {
        let budgets = self.verdict.as_ref().map_or(&[][..], Verdict::budgets);
        let fields = self.verdict.as_ref().map_or_else(Vec::new, |verdict| rate_limit::fields(verdict, false));
        let charged = self.charged.as_ref();
        json!({
            "allowed": self.problem.is_none(),
            "decidedBy": self.by.name(),
            "outage": self.outage,
            "retryMs": self.retry(),
            "limits": budgets.iter().map(limit).collect::<Vec<_>>(),
            "fields": fields,
            "problem": self.problem.as_ref().map(response),
            "id": charged.map(|charged| &charged.id),
            "at": charged.map(|charged| charged.at.get()),
            "lease": charged.and_then(|charged| charged.lease.as_ref()).map(LeaseId::as_str),
        })
    }

    fn retry(&self) -> Option<u64> {
        match (&self.verdict, &self.problem) {
            (Some(verdict), _) => verdict.retry().millis(),
            (None, None) => Some(0),
            (None, Some(problem)) => {
                let field = problem.headers().iter().find(|(name, _)| *name == RETRY_AFTER_MS);
                field.and_then(|(_, value)| value.parse().ok())
            }
        }
    }
}

fn limit(budget: &Budget) -> Value {
    json!({
        "name": budget.limit.name().as_str(),
        "limit": budget.limit.quota(),
        "remaining": budget.remaining,
        "retryMs": budget.retry.millis(),
        "resetMs": budget.reset.get(),
    })
}

/// Returns the response that the Worker gives for a problem. It must not be cached.
fn response(problem: &Problem) -> Value {
    let own = [("content-type", problem::CONTENT_TYPE.to_owned()), ("cache-control", "no-store".to_owned())];
    let headers: Vec<_> = own.into_iter().chain(problem.headers().iter().cloned()).collect();
    json!({ "status": problem.status, "headers": headers, "body": problem.body() })
}
