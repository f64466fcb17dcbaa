//! What was decided about a request.

use std::sync::Arc;

use super::keep_alive::KeepAlive;
use crate::config::routes::Route;
use crate::gateway::IdentifiedRequest;
use crate::http::problem::Problem;
use crate::limit::Verdict;
use crate::time::Millis;

/// What was decided about a request.
pub(super) struct Decision {
    /// The route that holds for it.
    pub(super) route: Option<Arc<Route>>,
    /// Who it is charged to, and what; `None`: it did not get that far.
    pub(super) identified: Option<IdentifiedRequest>,
    /// What the limits say, where they could be asked.
    pub(super) verdict: Option<Verdict>,
    /// What has to be put right when the origin has answered.
    pub(super) charged: Option<Charged>,
    /// Whether it goes on.
    pub(super) outcome: Outcome,
    /// Keeps the request alive until somebody sees to its lease, though its client may have gone.
    pub(super) hold: Option<KeepAlive>,
}

/// Whether a request goes on to the origin.
pub(super) enum Outcome {
    /// It does.
    Forward,
    /// It does not.
    Refuse(Problem),
}

/// A charge that may have to be put right.
#[derive(Clone)]
pub(super) struct Charged {
    /// The request's id, also that of its lease.
    pub(super) id: String,
    /// When, by the clock that judged.
    pub(super) at: Millis,
    /// Who has taken it.
    pub(super) source: Source,
}

/// Who judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Redis.
    Redis,
    /// This isolate.
    Memory,
}

impl Decision {
    pub(super) fn refused(route: Option<Arc<Route>>, problem: Problem) -> Self {
        let outcome = Outcome::Refuse(problem);
        Decision { route, identified: None, verdict: None, charged: None, outcome, hold: None }
    }
}
