//! The lease of a request in flight.

use sluicegate::limit::{LeaseId, Limit, Subject};
use sluicegate::limiter::{release_again, release_unconfirmed};
use sluicegate::redis::RedisError;

use super::state::State;
use super::subject::Charge;
use super::timer::sleep;

/// The lease of one request in Redis.
pub(super) struct Lease {
    subject: Subject,
    /// The concurrency limits.
    limits: Vec<Limit>,
    id: LeaseId,
}

impl Lease {
    /// Returns the lease of a charge; `None` if it has none.
    pub(super) fn of(charge: &Charge) -> Option<Self> {
        let id = charge.held_lease()?.clone();
        let limits = charge.limits.iter().filter(|limit| limit.needs_lease()).cloned().collect();
        Some(Lease { subject: charge.subject.clone(), limits, id })
    }

    /// Releases the lease, again if Redis does not answer.
    pub(super) async fn release(&self, state: &State) {
        self.log(state, release_again(async || self.try_release(state).await, sleep).await);
    }

    /// Releases a lease that may or may not have been taken.
    pub(super) async fn release_unconfirmed(&self, state: &State) {
        self.log(state, release_unconfirmed(async || self.try_release(state).await, sleep).await);
    }

    /// Releases a lease that the fallback limiter has granted.
    pub(super) fn release_locally(&self, state: &State) {
        state.fallback.borrow_mut().release(&self.subject, &self.limits, &self.id);
    }

    async fn try_release(&self, state: &State) -> Result<(), RedisError> {
        let deadline = state.deadline();
        state.limiter(&deadline).release(&self.subject, &self.limits, &self.id).await.map(drop)
    }

    fn log(&self, state: &State, released: Result<(), RedisError>) {
        if let Err(error) = released {
            let error = format!("{} keeps one until it expires: {error}", self.subject.as_str());
            state.log.failure("lease", &error);
        }
    }
}
