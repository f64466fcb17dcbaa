//! The lease of a request.

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
    /// Those of concurrency.
    limits: Vec<Limit>,
    id: LeaseId,
}

impl Lease {
    /// The lease named `id` that `by` gives for a charge, if a limit of it needs one.
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

    /// Ends it; where Redis does not answer, once more some seconds later.
    pub(super) async fn end(&self) {
        match self.release().await {
            Ok(()) => {}
            Err(error) if error.outcome_is_unknown() => self.end_later().await,
            Err(error) => self.stays(&error),
        }
    }

    /// Ends it although nobody knows whether it was taken: now, and once more some seconds later, because the question
    /// may have been held up on its way.
    pub(super) async fn end_in_doubt(&self) {
        // If it fails, there is the second time.
        let _ = self.release().await;
        self.end_later().await;
    }

    async fn end_later(&self) {
        Delay::from(LATER).await;
        if let Err(error) = self.release().await {
            self.stays(&error);
        }
    }

    async fn release(&self) -> Result<(), RedisError> {
        match self.source {
            Source::Redis => self.isolate.limiter.release(&self.subject, &self.limits, &self.id).await.map(drop),
            Source::Memory => {
                self.isolate.local.borrow_mut().release(&self.subject, &self.limits, &self.id);
                Ok(())
            }
        }
    }

    fn stays(&self, error: &RedisError) {
        log::failure("lease", &format!("{} keeps one until it expires: {error}", self.subject.as_str()));
    }
}

/// When a release is tried again. Long enough for Redis to come back from a failover, and well within the 30 seconds
/// that a Worker has after its answer.
const LATER: Duration = Duration::from_secs(5);
