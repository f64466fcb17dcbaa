//! The decision about a request.

use std::sync::Arc;

use web_sys::Request;

use crate::config::routes::Route;
use crate::gateway::{Charge, IdentifiedRequest};
use crate::http::problem::Problem;
use crate::limit::Verdict;
use crate::tenant::TenantId;
use crate::time::Millis;

/// The decision about a request, with what led to it.
pub(super) struct Decision {
    /// The route that matches, if one does.
    pub(super) route: Option<Arc<Route>>,
    /// The subject and its charge; `None` if the request was refused before.
    pub(super) identified: Option<IdentifiedRequest>,
    /// The verdict of the limits, if they were checked.
    pub(super) verdict: Option<Verdict>,
    /// The limiter that gave the verdict.
    pub(super) source: Option<Source>,
    /// The charge, if it needs work after the response.
    pub(super) charged: Option<Charged>,
    /// The request to forward instead of the client's, if the body of that has been read.
    pub(super) request: Option<Request>,
    /// Whether to forward the request.
    pub(super) outcome: Outcome,
}

/// What to do with a request.
pub(super) enum Outcome {
    /// Forward it to the origin.
    Forward,
    /// Refuse it with this problem.
    Refuse(Problem),
}

/// A charge that needs work after the response: a settlement, the release of a lease, or both.
#[derive(Clone)]
pub(super) struct Charged {
    /// The id of the request and of its lease.
    pub(super) id: String,
    /// The time of the charge, by the clock of the check.
    pub(super) at: Millis,
    /// The limiter that made the charge.
    pub(super) source: Source,
}

/// The limiter behind a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Redis.
    Redis,
    /// Units that this isolate has taken from Redis in advance.
    Prefetch,
    /// This isolate: its fallback limiter, or a refusal that it remembers.
    Memory,
}

impl Source {
    /// Returns the name in the log and in data points.
    pub(super) fn name(self) -> &'static str {
        match self {
            Source::Redis => "redis",
            Source::Prefetch => "prefetch",
            Source::Memory => "memory",
        }
    }
}

impl Decision {
    /// A decision with nothing established yet.
    pub(super) fn new() -> Self {
        Decision {
            route: None,
            identified: None,
            verdict: None,
            source: None,
            charged: None,
            request: None,
            outcome: Outcome::Forward,
        }
    }

    /// Returns the charge; `None` if the request is not limited.
    pub(super) fn charge(&self) -> Option<&Charge> {
        self.identified.as_ref()?.charge.as_ref()
    }

    /// Returns the tenant of the request's API key.
    pub(super) fn tenant(&self) -> Option<&TenantId> {
        self.identified.as_ref()?.tenant.as_ref()
    }

    /// Returns the subject of the request's token.
    pub(super) fn token_subject(&self) -> Option<&str> {
        self.identified.as_ref()?.token_subject.as_deref()
    }

    /// Returns whether at least one limit denied the request, even if it is forwarded.
    pub(super) fn is_denied(&self) -> bool {
        self.verdict.as_ref().is_some_and(|verdict| !verdict.is_allow())
    }
}
