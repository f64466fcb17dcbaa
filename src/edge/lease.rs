//! The lease of a request in flight.

use std::rc::Rc;
use std::time::Duration;

use worker::Delay;

use super::decision::Source;
use super::isolate::Isolate;
use super::log;
use crate::gateway::Charge;
use crate::limit::{LeaseId, Limit, Subject};
use crate::redis::RedisError;

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

    /// Releases the lease. If the outcome is unknown, or Redis was not asked, tries again after [`RELEASE_RETRY_DELAY`].
    pub(super) async fn release(&self) {
        match self.try_release().await {
            Ok(()) => {}
            Err(error) if error.outcome_is_unknown() || error.retry().is_some() => self.retry_release().await,
            Err(error) => self.log_unreleased(&error),
        }
    }

    /// Releases a lease that may or may not have been taken: now, and again after [`RELEASE_RETRY_DELAY`], because the check
    /// may still be on its way to Redis.
    pub(super) async fn release_unconfirmed(&self) {
        // The second release makes up for a failure here.
        let _ = self.try_release().await;
        self.retry_release().await;
    }

    async fn retry_release(&self) {
        Delay::from(RELEASE_RETRY_DELAY).await;
        let mut released = self.try_release().await;
        if let Err(RedisError::NotAsked { retry, .. }) = released {
            // Redis may be back. Many releases wait for the same call that finds out, so this one comes after it.
            Delay::from(Duration::from(retry) + AFTER_PROBE).await;
            released = self.try_release().await;
        }
        if let Err(error) = released {
            self.log_unreleased(&error);
        }
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

    fn log_unreleased(&self, error: &RedisError) {
        log::redis_failure("lease", &format!("{} keeps one until it expires: {error}", self.subject.as_str()));
    }
}

/// Long enough for Redis to come back from a failover, and well within the 30 seconds that a Worker has after its
/// response.
const RELEASE_RETRY_DELAY: Duration = Duration::from_secs(5);

/// Longer than a call to Redis usually takes.
const AFTER_PROBE: Duration = Duration::from_millis(500);
