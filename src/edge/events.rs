//! Records the events of this isolate for an operator who watches (`GET /_sluicegate/v1/events`).

use std::cell::RefCell;
use std::rc::Rc;

use super::decision::{Decision, Outcome, Source};
use super::js::{now, random_bytes};
use crate::gateway::{Charge, EventKind, EventRing};
use crate::http::RequestFacts;
use crate::limit::Retry;
use crate::limiter::breaker::Change;

thread_local! {
    /// The ring outlives the configuration. Its id is made by the first request: before, the runtime has no random numbers.
    static RING: Rc<RefCell<EventRing>> = Rc::new(RefCell::new(EventRing::new(u64::from_le_bytes(random_bytes()))));
}

/// Returns the ring of this isolate.
pub(super) fn ring() -> Rc<RefCell<EventRing>> {
    RING.with(Rc::clone)
}

/// Records a decision that refuses a request, or would on a route that is not a shadow, or that none of the limiters made.
pub(super) fn decided(facts: &RequestFacts, decision: &Decision) {
    let kind = match &decision.outcome {
        Outcome::Refuse(_) => EventKind::Refused,
        Outcome::Forward if decision.is_denied() => EventKind::Passed,
        Outcome::Forward if decision.verdict.is_none() && decision.charge().is_some() => EventKind::Unjudged,
        Outcome::Forward => return,
    };
    RING.with(|ring| {
        ring.borrow_mut().record(kind, now(), |event| {
            if let Outcome::Refuse(problem) = &decision.outcome {
                (event.status, event.problem, event.retry) = (Some(problem.status), problem.name(), problem.retry());
            }
            match &decision.identified {
                Some(identified) => {
                    event.subject.push_str(identified.subject.as_str());
                    event.is_tenant = identified.tenant.is_some();
                }
                None => event.address = facts.address,
            }
            event.route.clone_from(&decision.route);
            event.cost = decision.charge().map(Charge::cost);
            event.by = decision.source.map_or("", Source::name);
            if let Some(verdict) = &decision.verdict {
                if let Some(budget) = verdict.refusing().next() {
                    event.limit.push_str(budget.limit.name().as_str());
                }
                if let Retry::After(wait) = verdict.retry() {
                    event.retry = Some(wait);
                }
            }
        });
    });
}

/// Records that the circuit breaker has opened or closed.
pub(super) fn breaker(change: Change, cause: Option<&str>) {
    let (kind, pause) = match change {
        Change::Opened(pause) => (EventKind::BreakerOpened, Some(pause)),
        Change::StaysOpen(_) => return,
        Change::Closed => (EventKind::BreakerClosed, None),
    };
    RING.with(|ring| {
        ring.borrow_mut().record(kind, now(), |event| {
            event.retry = pause;
            event.error.push_str(cause.unwrap_or_default());
        });
    });
}
