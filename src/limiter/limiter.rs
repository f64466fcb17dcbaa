//! The limiter over Redis. Each operation is one script call for all limits of a subject.

use std::sync::Arc;

use super::arguments::{check_arguments, costs_per_limit, limit_arguments, settle_arguments};
use super::clock::{Clock, Now};
use super::error::CheckError;
use super::refusals::{Recall, Refusals};
use super::reply::{BatchVerdict, decode_batch, decode_outcome};
use super::settlement::{Correction, SettleOutcome, Settlement};
use crate::limit::{CheckRequest, LeaseId, Limit, Subject, Verdict, validate_check};
use crate::redis::script::{self, Dialect};
use crate::redis::{self, Argument, RedisError, Transport};
use crate::time::Millis;

/// A limiter whose state is in Redis.
#[derive(Debug, Clone)]
pub struct Limiter<T> {
    transport: T,
    dialect: Dialect,
    refusals: Option<Arc<Refusals>>,
}

/// A decision about one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The verdict.
    pub verdict: Verdict,
    /// The time by the clock that decided: [`Settlement::charged_at`] of the request.
    pub at: Millis,
    /// Whether this is a refusal that the limiter remembered. Redis was not called then.
    pub remembered: bool,
}

impl<T: Transport> Limiter<T> {
    /// Creates a limiter that reaches Redis through `transport`.
    pub fn new(transport: T, dialect: Dialect) -> Self {
        Limiter { transport, dialect, refusals: None }
    }

    /// Lets [`Limiter::decide`] remember refusals. Limiters of one isolate share them.
    #[must_use]
    pub fn with_refusals(self, refusals: Arc<Refusals>) -> Self {
        Limiter { refusals: Some(refusals), ..self }
    }

    /// Returns the transport to Redis.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// Returns the dialect of the scripts that this Redis runs.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Same as [`Limiter::check`], but a request that is certain to be refused is refused without calling Redis, if the
    /// limiter [remembers refusals](Limiter::with_refusals). `now` is the time of the caller's clock.
    ///
    /// # Errors
    /// Same as [`Limiter::check`].
    pub async fn decide(
        &self,
        subject: &Subject,
        limits: &[Limit],
        request: CheckRequest<'_>,
        clock: Clock,
        now: Millis,
    ) -> Result<Decided, CheckError> {
        validate_check(limits, &[request])?;
        let recall = self.refusals.as_ref().map(|refusals| refusals.recall(subject, limits, request.cost, now));
        if let Some(Recall::Refuse(verdict)) = recall {
            return Ok(Decided { verdict, at: now, remembered: true });
        }
        let mut batch = self.check_valid(subject, limits, &[request], Now::from_clock(clock, now)).await?;
        let verdict = batch.verdicts.pop().ok_or(NO_VERDICT)?;
        if let (Some(refusals), Some(Recall::Ask(ticket))) = (&self.refusals, &recall) {
            refusals.remember(ticket, subject, request.cost, &verdict, now);
        }
        Ok(Decided { verdict, at: batch.at, remembered: false })
    }

    /// Returns a refusal of the request that still holds at `now`. [`Limiter::decide`] asks Redis in spite of it if the
    /// refusal ends soon, so call this if that has failed.
    #[must_use]
    pub fn remembered(&self, subject: &Subject, limits: &[Limit], cost: u64, now: Millis) -> Option<Verdict> {
        self.refusals.as_ref()?.remembered(subject, limits, cost, now)
    }

    /// Forgets the remembered refusals of a subject, because its limits or its quota have changed.
    pub fn forget_refusals(&self, subject: &Subject) {
        if let Some(refusals) = &self.refusals {
            refusals.forget(subject);
        }
    }

    /// Checks one request against all `limits` of `subject`, and charges it to all of them or to none.
    ///
    /// A number of units is a valid request unless a limit counts requests in flight, which needs a lease.
    ///
    /// # Errors
    /// Returns a [`CheckError`] if there is no verdict.
    pub async fn check<'a>(
        &self,
        subject: &Subject,
        limits: &[Limit],
        request: impl Into<CheckRequest<'a>>,
        now: Now,
    ) -> Result<Verdict, CheckError> {
        let mut verdicts = self.check_batch(subject, limits, [request.into()], now).await?;
        verdicts.pop().ok_or(NO_VERDICT)
    }

    /// Checks requests in order, as if they came one by one, in one round trip.
    ///
    /// # Errors
    /// Same as [`Limiter::check`].
    pub async fn check_batch<'a, R: Into<CheckRequest<'a>>>(
        &self,
        subject: &Subject,
        limits: &[Limit],
        requests: impl IntoIterator<Item = R>,
        now: Now,
    ) -> Result<Vec<Verdict>, CheckError> {
        Ok(self.check_batch_timed(subject, limits, requests, now).await?.verdicts)
    }

    /// Same as [`Limiter::check_batch`], and also returns the time of the check, unknown to the caller with
    /// [`Now::Redis`].
    ///
    /// # Errors
    /// Same as [`Limiter::check`].
    pub async fn check_batch_timed<'a, R: Into<CheckRequest<'a>>>(
        &self,
        subject: &Subject,
        limits: &[Limit],
        requests: impl IntoIterator<Item = R>,
        now: Now,
    ) -> Result<BatchVerdict, CheckError> {
        let requests: Vec<CheckRequest<'_>> = requests.into_iter().map(Into::into).collect();
        validate_check(limits, &requests)?;
        Ok(self.check_valid(subject, limits, &requests, now).await?)
    }

    /// Checks requests that `validate_check` has accepted.
    async fn check_valid(
        &self,
        subject: &Subject,
        limits: &[Limit],
        requests: &[CheckRequest<'_>],
        now: Now,
    ) -> Result<BatchVerdict, RedisError> {
        let script = script::CHECK.in_dialect(self.dialect);
        let costs: Vec<Option<String>> = requests.iter().map(|request| costs_per_limit(limits, request.cost)).collect();
        let (keys, arguments) = check_arguments(subject, limits, requests, &costs, now);
        let numbers: Vec<i64> = redis::eval(&self.transport, script, &keys, &arguments).await?;
        decode_batch(limits, requests.len(), &numbers)
    }

    /// Returns the budgets of `subject` without charging anything. A limit denies even this while more than its
    /// quota is used, for example after the quota was lowered.
    ///
    /// # Errors
    /// Same as [`Limiter::check`].
    pub async fn peek(&self, subject: &Subject, limits: &[Limit], now: Now) -> Result<Verdict, CheckError> {
        self.check(subject, limits, 0, now).await
    }

    /// Corrects what `limits` were charged for a request, once. Safe to repeat if no reply came.
    ///
    /// # Errors
    /// Returns a [`CheckError`] if there is no outcome. If the [outcome is
    /// unknown](RedisError::outcome_is_unknown), the request may or may not be settled.
    pub async fn settle(
        &self,
        subject: &Subject,
        limits: &[Limit],
        settlement: &Settlement<'_>,
        now: Now,
    ) -> Result<SettleOutcome, CheckError> {
        validate_check(limits, &[CheckRequest::from(0)])?;
        let (keys, arguments) = settle_arguments(subject, limits, settlement, now);
        let script = script::SETTLE.in_dialect(self.dialect());
        let gives_back = matches!(settlement.correction, Correction::GiveBack(_));
        if gives_back {
            // Now too, because the caller may be gone before the reply.
            self.forget_refusals(subject);
        }
        let numbers = redis::eval::<Vec<u64>>(self.transport(), script, &keys, &arguments).await;
        if gives_back {
            // Also after a failure: the correction may have been made.
            self.forget_refusals(subject);
        }
        Ok(decode_outcome(limits, &numbers?)?)
    }

    /// Ends a lease at all concurrency limits among `limits`, and returns how many of them had it, alive or
    /// expired.
    ///
    /// Safe to repeat. Without a concurrency limit, Redis is not called.
    ///
    /// # Errors
    /// Returns a [`RedisError`] if Redis fails; the lease then expires by itself.
    pub async fn release(&self, subject: &Subject, limits: &[Limit], lease: &LeaseId) -> Result<u64, RedisError> {
        let inflight = limits.iter().filter(|limit| limit.needs_lease());
        let keys: Vec<String> = inflight.map(|limit| subject.inflight_key(limit.name())).collect();
        if keys.is_empty() {
            return Ok(0);
        }
        let script = script::RELEASE.in_dialect(self.dialect());
        redis::eval(self.transport(), script, &keys, &[Argument::Text(lease.as_str())]).await
    }

    /// Deletes the state of a subject, and returns how many keys it had.
    ///
    /// All packed limits are reset, in `limits` or not. A sliding log or a concurrency limit has a key of its
    /// own and is reset only if it is in `limits`.
    ///
    /// # Errors
    /// Returns a [`RedisError`] if Redis fails. If the [outcome is unknown](RedisError::outcome_is_unknown),
    /// the subject may or may not be reset.
    pub async fn reset(&self, subject: &Subject, limits: &[Limit]) -> Result<u64, RedisError> {
        self.reset_with(subject, limits, &[]).await
    }

    /// Same as [`Limiter::reset`], and also deletes the keys `more` of the subject.
    pub(crate) async fn reset_with(
        &self,
        subject: &Subject,
        limits: &[Limit],
        more: &[String],
    ) -> Result<u64, RedisError> {
        let (sets, _) = limit_arguments(subject, limits);
        let keys = [&[subject.state_key(), subject.settled_key()], more, &sets].concat();
        self.forget_refusals(subject);
        let deleted = redis::eval(self.transport(), script::RESET.in_dialect(self.dialect()), &keys, &[]).await;
        self.forget_refusals(subject);
        deleted
    }
}

/// Not possible: `decode_batch` returns one verdict per request.
const NO_VERDICT: CheckError = CheckError::Redis(RedisError::Length { expected: 1, found: 0 });

#[cfg(test)]
mod tests;
