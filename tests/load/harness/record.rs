//! A recorded call with its reply.

use sluicegate::limit::{CheckRequest, LeaseId, Retry, Verdict};

use super::plans::{Plan, plan};

/// One call of the limiter.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// Its subject's number.
    pub(crate) subject: usize,
    /// Its `now`, in milliseconds since the epoch.
    pub(crate) now: u64,
    /// Cost and lease of each request.
    pub(crate) requests: Vec<(u64, Option<LeaseId>)>,
    /// The integers of `check.lua`, or `None` without a reply: then it is unknown whether anything was charged.
    pub(crate) answer: Option<Vec<i64>>,
    /// When it was sent and when its reply came, as sequence numbers over all clients.
    pub(crate) sent: u64,
    pub(crate) done: u64,
}

/// What remains of the ledger before and after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) before: i64,
    pub(crate) after: i64,
}

impl Record {
    pub(crate) fn requests(&self) -> impl Iterator<Item = CheckRequest<'_>> {
        self.requests.iter().map(|(cost, lease)| CheckRequest { cost: *cost, lease: lease.as_ref() })
    }

    /// The place of the reply in the ledger, or `None` without a reply.
    pub(crate) fn span(&self) -> Option<Span> {
        Some(span(plan(self.subject), &self.requests, self.answer.as_deref()?))
    }
}

/// The place of a reply in the ledger.
pub(crate) fn span(plan: &Plan, requests: &[(u64, Option<LeaseId>)], answer: &[i64]) -> Span {
    let runs = || answer.chunks_exact(width(plan));
    let remaining = |run: &[i64]| run[1 + 3 * plan.ledger];
    let (first, last) = (runs().next().unwrap(), runs().next_back().unwrap());
    let charged = if first[0] == 1 { requests[0].0.cast_signed() } else { 0 };
    Span { before: remaining(first) + charged, after: remaining(last) }
}

/// The number of integers per request in a reply.
pub(crate) fn width(plan: &Plan) -> usize {
    1 + 3 * plan.limits.len()
}

/// Verdicts as the integers of `check.lua`.
pub(crate) fn numbers(verdicts: &[Verdict]) -> Vec<i64> {
    let signed = |number: u64| i64::try_from(number).unwrap();
    let mut numbers = Vec::with_capacity(verdicts.len() * (1 + 3 * verdicts[0].budgets().len()));
    for verdict in verdicts {
        numbers.push(i64::from(verdict.is_allow()));
        for budget in verdict.budgets() {
            let retry = match budget.retry {
                Retry::Now => 0,
                Retry::Never => -1,
                Retry::After(wait) => signed(wait.get()),
            };
            numbers.extend([signed(budget.remaining), retry, signed(budget.reset.get())]);
        }
    }
    numbers
}
