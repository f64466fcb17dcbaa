//! Asks Redis: all limits of a subject, for one request or a batch, in one call of `check.lua`.

use super::arguments::{check_arguments, costs_per_limit};
use super::clock::Now;
use super::error::CheckError;
use super::reply::{BatchVerdict, decode_batch};
use crate::limit::{CheckRequest, Limit, Subject, Verdict, validate_check};
use crate::redis::script::{self, Dialect};
use crate::redis::{self, RedisError, Transport};

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
}
