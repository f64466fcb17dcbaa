//! The lease of a request in flight.

use std::rc::Rc;
use std::time::Duration;

use worker::Delay;

use super::decision::Source;
use super::isolate::Isolate;
use super::log;
use crate::gateway::Charge;
use crate::limit::{LeaseId, Limit, Subject};
use crate::limiter::{release_again, release_unconfirmed};
use crate::redis::RedisError;
use crate::time::Millis;

/// The lease of one request.
pub(super) struct Lease {
    isolate: Rc<Isolate>,
    source: Source,
    subject: Subject,
    /// The concurrency limits.
    limits: Vec<Limit>,
    id: LeaseId,
}

impl Lease {
    /// Returns the lease `id` that `source` took for a charge; `None` if the charge has no concurrency limit.
    pub(super) fn of(
        isolate: &Rc<Isolate>,
        source: Source,
        subject: &Subject,
        charge: &Charge,
        id: &str,
    ) -> Option<Self> {
        let limits: Vec<Limit> = charge.leases().cloned().collect();
        if limits.is_empty() {
            return None;
        }
        Some(Lease {
            isolate: Rc::clone(isolate),
            source,
            subject: subject.clone(),
            limits,
            id: LeaseId::new(id).ok()?,
        })
    }

    /// Releases the lease, again if Redis does not answer.
    pub(super) async fn release(&self) {
        self.log(release_again(async || self.try_release().await, sleep).await);
    }

    /// Releases a lease that may or may not have been taken.
    pub(super) async fn release_unconfirmed(&self) {
        self.log(release_unconfirmed(async || self.try_release().await, sleep).await);
    }

    async fn try_release(&self) -> Result<(), RedisError> {
        match self.source {
            Source::Redis | Source::Prefetch => {
                self.isolate.limiter().release(&self.subject, &self.limits, &self.id).await.map(drop)
            }
            Source::Memory => {
                self.isolate.fallback.borrow_mut().release(&self.subject, &self.limits, &self.id);
                Ok(())
            }
        }
    }

    fn log(&self, released: Result<(), RedisError>) {
        if let Err(error) = released {
            log::redis_failure("lease", &format!("{} keeps one until it expires: {error}", self.subject.as_str()));
        }
    }
}

async fn sleep(wait: Millis) {
    Delay::from(Duration::from(wait)).await;
}
