//! The explanation of a decision.

use std::sync::Arc;

use crate::config::OnOutage;
use crate::config::routes::Route;
use crate::gateway::charge::Charge;
use crate::http::problem::Problem;
use crate::limit::Subject;
use crate::tenant::TenantId;

/// What would happen to a request, and why. What it does not come to is `None`.
#[derive(Debug)]
pub struct Explanation<'a> {
    /// What happens.
    pub outcome: Outcome,
    /// The route with its place in the configuration; of a preflight, that of the announced request.
    pub route: Option<(usize, &'a Arc<Route>)>,
    /// The caller.
    pub caller: Option<ExplainedCaller>,
    /// The limits that check the request, and what they charge.
    pub charge: Option<Charge>,
    /// The cost of the request.
    pub cost: Option<Cost>,
    /// The outage policy, if limits check the request.
    pub on_outage: Option<OnOutage>,
    /// The request to the origin.
    pub onward: Option<Onward>,
    /// The decision in sentences, in the order in which it is made.
    pub steps: Vec<String>,
}

/// What happens to a request.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// The limits check it.
    Check,
    /// It is forwarded without a check.
    Exempt,
    /// It is a CORS preflight, which is not limited.
    Preflight,
    /// It is refused before a check.
    Refuse(Problem),
    /// Its path belongs to sluicegate.
    Own,
}

/// Who is charged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainedCaller {
    /// What identifies the caller.
    pub kind: CallerKind,
    /// The subject that is charged, with the values by which limits count.
    pub subject: Subject,
    /// The tenant of the API key.
    pub tenant: Option<TenantId>,
    /// The plan whose limits apply, if any do.
    pub plan: Option<String>,
    /// Whether the API key or the token was verified; `None` if neither identifies the caller.
    pub verified: Option<bool>,
}

/// What identifies a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// An API key.
    Tenant,
    /// A JSON Web Token.
    Token,
    /// A header.
    Header,
    /// The client's address, or that it has none.
    Address,
}

/// The cost of a request before its response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cost {
    /// The units.
    pub units: u64,
    /// Where they come from: `default`, `route`, or a place in the request.
    pub from: String,
}

/// The request to the origin. Of headers, it has the names alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Onward {
    /// The origin.
    pub origin: String,
    /// The URL.
    pub url: String,
    /// The headers that are set.
    pub set: Vec<String>,
    /// The client's headers that are removed.
    pub removed: Vec<String>,
}

impl Explanation<'_> {
    /// Creates an explanation of nothing yet.
    pub(super) fn begin() -> Self {
        Explanation {
            outcome: Outcome::Exempt,
            route: None,
            caller: None,
            charge: None,
            cost: None,
            on_outage: None,
            onward: None,
            steps: Vec::new(),
        }
    }

    pub(super) fn say(&mut self, sentence: impl Into<String>) {
        self.steps.push(sentence.into());
    }
}

impl CallerKind {
    /// Returns the name in the API.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            CallerKind::Tenant => "tenant",
            CallerKind::Token => "token",
            CallerKind::Header => "header",
            CallerKind::Address => "address",
        }
    }
}

impl Outcome {
    /// Returns the name in the API.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Outcome::Check => "checked",
            Outcome::Exempt => "exempt",
            Outcome::Preflight => "preflight",
            Outcome::Refuse(_) => "refused",
            Outcome::Own => "own",
        }
    }
}
