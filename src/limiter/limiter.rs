//! Asks Redis: all limits of a subject, for one request or a batch, in one call of `check.lua`.

use super::arguments::{check_arguments, costs_per_limit, limit_arguments, settle_arguments};
use super::clock::Now;
use super::error::CheckError;
use super::reply::{BatchVerdict, decode_batch, decode_outcome};
use super::settlement::{SettleOutcome, Settlement};
use crate::limit::{CheckRequest, LeaseId, Limit, Subject, Verdict, validate_check};
use crate::redis::script::{self, Dialect};
use crate::redis::{self, Argument, RedisError, Transport};

/// A limiter over one Redis.
#[derive(Debug, Clone)]
pub struct Limiter<T> {
    transport: T,
    dialect: Dialect,
}

impl<T: Transport> Limiter<T> {
    /// A limiter that reaches Redis by `transport`.
    pub fn new(transport: T, dialect: Dialect) -> Self {
        Limiter { transport, dialect }
    }

    /// The way to Redis.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// How scripts are written for this Redis.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Judges one request against all `limits` of `subject`, and charges it if all admit it. A cost alone is a
    /// request where no limit counts requests in flight.
    ///
    /// # Errors
    /// A [`CheckError`].
    pub async fn check<'a>(
        &self,
        subject: &Subject,
        limits: &[Limit],
        request: impl Into<CheckRequest<'a>>,
        now: Now,
    ) -> Result<Verdict, CheckError> {
        let mut verdicts = self.check_batch(subject, limits, [request.into()], now).await?;
        // One request, one verdict: `verdicts` was held to it.
        verdicts.pop().ok_or(CheckError::Redis(RedisError::Length { expected: 1, found: 0 }))
    }

    /// Judges requests in order, as if they came one by one, in one round trip.
    ///
    /// # Errors
    /// As [`Limiter::check`].
    pub async fn check_batch<'a, R: Into<CheckRequest<'a>>>(
        &self,
        subject: &Subject,
        limits: &[Limit],
        requests: impl IntoIterator<Item = R>,
        now: Now,
    ) -> Result<Vec<Verdict>, CheckError> {
        Ok(self.check_batch_timed(subject, limits, requests, now).await?.verdicts)
    }

    /// As [`Limiter::check_batch`], and also tells when: with [`Now::Redis`] nobody else knows.
    ///
    /// # Errors
    /// As [`Limiter::check`].
    pub async fn check_batch_timed<'a, R: Into<CheckRequest<'a>>>(
        &self,
        subject: &Subject,
        limits: &[Limit],
        requests: impl IntoIterator<Item = R>,
        now: Now,
    ) -> Result<BatchVerdict, CheckError> {
        let requests: Vec<CheckRequest<'_>> = requests.into_iter().map(Into::into).collect();
        validate_check(limits, &requests)?;
        let script = script::CHECK.in_dialect(self.dialect);
        let prices: Vec<Option<String>> =
            requests.iter().map(|request| costs_per_limit(limits, request.cost)).collect();
        let (keys, arguments) = check_arguments(subject, limits, &requests, &prices, now);
        let numbers: Vec<i64> = redis::eval(&self.transport, script, &keys, &arguments).await?;
        Ok(decode_batch(limits, requests.len(), &numbers)?)
    }

    /// Looks at the budgets of `subject` without taking anything. A limit refuses even this where it holds more
    /// than it may, as it can after it was lowered.
    ///
    /// # Errors
    /// As [`Limiter::check`].
    pub async fn peek(&self, subject: &Subject, limits: &[Limit], now: Now) -> Result<Verdict, CheckError> {
        self.check(subject, limits, 0, now).await
    }

    /// Corrects what `limits` were charged for a request, once. Safe to repeat when no answer came.
    ///
    /// # Errors
    /// A [`CheckError`]. After one that [leaves the outcome unknown](RedisError::outcome_is_unknown) it is unknown whether the
    /// request is settled.
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
        let numbers: Vec<u64> = redis::eval(self.transport(), script, &keys, &arguments).await?;
        Ok(decode_outcome(limits, &numbers)?)
    }

    /// Ends a lease, at all limits of concurrency among `limits`, and returns at how many it was alive or had not
    /// been cleared away yet. Safe to repeat, and without effect where the lease has ended. Without such a limit
    /// Redis is not asked.
    ///
    /// # Errors
    /// A [`RedisError`]. The lease ends by itself then.
    pub async fn release(&self, subject: &Subject, limits: &[Limit], lease: &LeaseId) -> Result<u64, RedisError> {
        let inflight = limits.iter().filter(|limit| limit.needs_lease());
        let keys: Vec<String> = inflight.map(|limit| subject.inflight_key(limit.name())).collect();
        if keys.is_empty() {
            return Ok(0);
        }
        let script = script::RELEASE.in_dialect(self.dialect());
        redis::eval(self.transport(), script, &keys, &[Argument::Text(lease.as_str())]).await
    }

    /// Forgets everything of a subject, and returns how many keys it had. Of limits with a set of their own,
    /// those among `limits` are forgotten; all others are, whether named or not.
    ///
    /// # Errors
    /// A [`RedisError`]. After one that [leaves the outcome unknown](RedisError::outcome_is_unknown) it is unknown whether the
    /// subject is forgotten.
    pub async fn reset(&self, subject: &Subject, limits: &[Limit]) -> Result<u64, RedisError> {
        self.reset_with(subject, limits, &[]).await
    }

    /// As [`Limiter::reset`], with `more` keys of the subject.
    pub(crate) async fn reset_with(
        &self,
        subject: &Subject,
        limits: &[Limit],
        more: &[String],
    ) -> Result<u64, RedisError> {
        let (sets, _) = limit_arguments(subject, limits);
        let keys = [&[subject.state_key(), subject.settled_key()], more, &sets].concat();
        redis::eval(self.transport(), script::RESET.in_dialect(self.dialect()), &keys, &[]).await
    }
}
