//! The limiter over Redis. An operation is one script call for all limits of a subject; giving units back takes two if some
//! limits count requests.

use std::sync::Arc;

use super::arguments::{CallLimits, set_key};
use super::clock::{Clock, Now};
use super::error::CheckError;
use super::prefetch::{LotId, Prefetch, Take};
use super::refusals::{Recall, Refusals};
use super::reply::{BatchVerdict, decode_batch, decode_outcome};
use super::request_id::RequestId;
use super::settlement::{Correction, SettleOutcome, Settlement};
use crate::limit::{By, CheckRequest, InvalidCheck, LeaseId, Limit, PrefetchRule, Subject, Verdict, validate_check};
use crate::redis::script::{self, Dialect};
use crate::redis::{self, Argument, RedisError, Transport};
use crate::time::Millis;

/// A limiter whose state is in Redis.
#[derive(Debug, Clone)]
pub struct Limiter<T> {
    transport: T,
    dialect: Dialect,
    refusals: Option<Arc<Refusals>>,
    prefetch: Option<Arc<Prefetch>>,
}

/// A decision about one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The verdict.
    pub verdict: Verdict,
    /// The time by the clock that decided: [`Settlement::charged_at`] of the request.
    pub at: Millis,
    /// Who decided.
    pub decider: Decider,
    /// The units that the call has taken in advance. The caller must give back what is left of them at the end of the
    /// rule's hold: [`Limiter::give_back`].
    pub lot: Option<LotId>,
}

/// Who decided about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decider {
    /// Redis was called.
    Redis,
    /// A remembered refusal. Redis was not called.
    Refusal,
    /// Units that were taken in advance. Redis was not called.
    HeldUnits,
}

impl<T: Transport> Limiter<T> {
    /// Creates a limiter that reaches Redis through `transport`.
    pub fn new(transport: T, dialect: Dialect) -> Self {
        Limiter { transport, dialect, refusals: None, prefetch: None }
    }

    /// Lets [`Limiter::decide`] remember refusals. Limiters of one isolate share them.
    #[must_use]
    pub fn with_refusals(self, refusals: Arc<Refusals>) -> Self {
        Limiter { refusals: Some(refusals), ..self }
    }

    /// Lets [`Limiter::decide_with_prefetch`] take units in advance. Limiters of one isolate share what is held.
    #[must_use]
    pub fn with_prefetch(self, prefetch: Arc<Prefetch>) -> Self {
        Limiter { prefetch: Some(prefetch), ..self }
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
        self.decide_with_prefetch(subject, limits, request, None, clock, now).await
    }

    /// Same as [`Limiter::decide`], but a request may take units for further ones by `rule`, if the limiter [takes units in
    /// advance](Limiter::with_prefetch), and a request whose units are held is allowed without calling Redis. The rule must
    /// [fit](PrefetchRule::check_fit) the limits.
    ///
    /// # Errors
    /// Same as [`Limiter::check`].
    pub async fn decide_with_prefetch(
        &self,
        subject: &Subject,
        limits: &[Limit],
        request: CheckRequest<'_>,
        rule: Option<PrefetchRule>,
        clock: Clock,
        now: Millis,
    ) -> Result<Decided, CheckError> {
        validate_check(limits, &[request])?;
        let cost = request.cost;
        let rule = rule.filter(|_| cost > 0);
        let take =
            self.prefetch.as_ref().zip(rule).map(|(prefetch, rule)| prefetch.take(rule, subject, limits, cost, now));
        let pending = match take {
            Some(Take::Spent(verdict, at)) => return Ok(Decided::by(Decider::HeldUnits, verdict, at)),
            Some(Take::Ask(pending)) => Some(pending),
            None => None,
        };
        let recall = self.refusals.as_ref().map(|refusals| refusals.recall(subject, limits, cost, now));
        if let Some(Recall::Refuse(verdict)) = recall {
            return Ok(Decided::by(Decider::Refusal, verdict, now));
        }
        let ahead = pending.as_ref().map_or(0, |pending| pending.requests);
        let batch = match self.check_with_lot(subject, limits, request, ahead, Now::from_clock(clock, now)).await {
            Ok(batch) => batch,
            Err(error) => {
                let spent = pending.as_ref().and_then(|pending| pending.spend_held(limits, cost));
                let (verdict, at) = spent.ok_or(error)?;
                return Ok(Decided::by(Decider::HeldUnits, verdict, at));
            }
        };
        let (at, verdict) = (batch.at, batch.verdicts.first().ok_or(NO_VERDICT)?);
        if let (Some(refusals), Some(Recall::Ask(ticket))) = (&self.refusals, &recall) {
            refusals.remember(ticket, subject, cost, verdict, now);
        }
        let Some(pending) = pending else {
            let verdict = batch.verdicts.into_iter().next().ok_or(NO_VERDICT)?;
            return Ok(Decided::by(Decider::Redis, verdict, at));
        };
        let recorded = pending.record(batch, cost).ok_or(NO_VERDICT)?;
        Ok(match recorded.paid_at {
            Some(paid_at) => Decided::by(Decider::HeldUnits, recorded.verdict, paid_at),
            None => Decided { lot: recorded.lot, ..Decided::by(Decider::Redis, recorded.verdict, at) },
        })
    }

    /// Gives back what is left of units that were taken in advance, once: of the second call for a lot, nothing is
    /// left. `id` is unique to this call, and short enough for a [`RequestId`] with two more characters. Returns
    /// whether Redis was called.
    ///
    /// # Errors
    /// Returns a [`CheckError`] if Redis fails. What is not given back counts as used.
    pub async fn give_back(&self, lot: &LotId, id: &str, clock: Clock, now: Millis) -> Result<bool, CheckError> {
        let Some(prefetch) = &self.prefetch else { return Ok(false) };
        let Some(leftover) = prefetch.leftover(lot) else { return Ok(false) };
        for (i, (limits, correction)) in leftover.corrections(now).into_iter().enumerate() {
            let Ok(request) = &RequestId::new(&format!("{id}:{i}")) else { continue };
            let settlement =
                Settlement { request, charged_at: leftover.charged_at(), correction, memory: SETTLED_ONCE_WITHIN };
            let clock = Now::from_clock(clock, now);
            if let SettleOutcome::Settle { units } = self.settle(&leftover.subject, &limits, &settlement, clock).await?
            {
                prefetch.note_given_back(&leftover, &limits, &units, now);
            }
        }
        Ok(true)
    }

    /// Returns a refusal of the request that still holds at `now`. [`Limiter::decide`] asks Redis in spite of it if the
    /// refusal ends soon, so call this if that has failed.
    #[must_use]
    pub fn remembered(&self, subject: &Subject, limits: &[Limit], cost: u64, now: Millis) -> Option<Verdict> {
        self.refusals.as_ref()?.remembered(subject, limits, cost, now)
    }

    /// Notes that the limits or the quota of a subject have changed: forgets its remembered refusals, and spends no more
    /// units that were taken in advance. Returns these, for [`Limiter::give_back`].
    pub fn subject_changed(&self, subject: &Subject, now: Millis) -> Vec<LotId> {
        self.forget_refusals(subject);
        self.prefetch.as_ref().map_or_else(Vec::new, |prefetch| prefetch.withdraw(subject, now))
    }

    fn forget_refusals(&self, subject: &Subject) {
        if let Some(refusals) = &self.refusals {
            refusals.forget(subject);
        }
    }

    fn forget(&self, subject: &Subject) {
        self.forget_refusals(subject);
        if let Some(prefetch) = &self.prefetch {
            // Units are taken in advance for the caller only.
            prefetch.forget(&subject.alone());
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
        self.check_valid(subject, limits, &requests, now).await
    }

    /// Checks requests that `validate_check` has accepted.
    async fn check_valid(
        &self,
        subject: &Subject,
        limits: &[Limit],
        requests: &[CheckRequest<'_>],
        now: Now,
    ) -> Result<BatchVerdict, CheckError> {
        let call = CallLimits::of(subject, limits)?;
        let costs: Vec<_> = requests.iter().map(|request| call.costs(request.cost, 1)).collect();
        self.check_costs(limits, &call, requests, &costs, now).await
    }

    /// Checks one request, and in the same call as many further ones of its cost: all of these or none.
    async fn check_with_lot(
        &self,
        subject: &Subject,
        limits: &[Limit],
        request: CheckRequest<'_>,
        ahead: u64,
        now: Now,
    ) -> Result<BatchVerdict, CheckError> {
        if ahead == 0 {
            return self.check_valid(subject, limits, &[request], now).await;
        }
        let requests = [request, CheckRequest { cost: request.cost.saturating_mul(ahead), lease: None }];
        let call = CallLimits::of(subject, limits)?;
        let costs = [1, ahead].map(|times| call.costs(request.cost, times));
        self.check_costs(limits, &call, &requests, &costs, now).await
    }

    /// Checks requests with these charges at each limit.
    async fn check_costs(
        &self,
        limits: &[Limit],
        call: &CallLimits<'_>,
        requests: &[CheckRequest<'_>],
        costs: &[Option<String>],
        now: Now,
    ) -> Result<BatchVerdict, CheckError> {
        let script = script::CHECK.in_dialect(self.dialect);
        let (keys, arguments) = call.check(requests, costs, now);
        let numbers = redis::eval::<Vec<i64>>(&self.transport, script, &keys, &arguments).await;
        let numbers = numbers.map_err(|error| not_of_one_slot(error, limits))?;
        Ok(decode_batch(limits, call.places(), requests.len(), &numbers)?)
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
        let call = CallLimits::of(subject, limits)?;
        let (keys, arguments) = call.settle(subject, settlement, now);
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
        let numbers = numbers.map_err(|error| not_of_one_slot(error, limits))?;
        Ok(decode_outcome(limits, call.places(), &numbers)?)
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
        let key = |limit: &Limit| Some(subject.owner(limit)?.inflight_key(limit.name()));
        let keys: Vec<String> = inflight.filter_map(key).collect();
        if keys.is_empty() {
            return Ok(0);
        }
        let script = script::RELEASE.in_dialect(self.dialect());
        redis::eval(self.transport(), script, &keys, &[Argument::Text(lease.as_str())]).await
    }

    /// Deletes the state of a subject and those of its further subjects, and returns how many keys they had.
    ///
    /// A limit that counts by something of which the subject has no value is not reset.
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
        let mut keys = [&[subject.state_key(), subject.settled_key()], more].concat();
        keys.extend(subject.further().map(Subject::state_key));
        keys.extend(limits.iter().filter_map(|limit| set_key(subject.owner(limit)?, limit)));
        self.forget(subject);
        let deleted = redis::eval(self.transport(), script::RESET.in_dialect(self.dialect()), &keys, &[]).await;
        self.forget(subject);
        deleted
    }
}

impl Decided {
    fn by(decider: Decider, verdict: Verdict, at: Millis) -> Self {
        Decided { verdict, at, decider, lot: None }
    }
}

/// Returns the mistake behind an error: a limit of everyone on a Redis Cluster.
fn not_of_one_slot(error: RedisError, limits: &[Limit]) -> CheckError {
    let everyone = limits.iter().find(|limit| limit.by() == Some(&By::Everyone));
    match (&error, everyone) {
        (RedisError::Command { reason }, Some(limit)) if reason.contains("CROSSSLOT") => {
            InvalidCheck::Slots { limit: limit.name().clone() }.into()
        }
        _ => error.into(),
    }
}

/// How long Redis remembers that units were given back: longer than a call can be under way. No call is sent twice.
const SETTLED_ONCE_WITHIN: Millis = Millis::from_secs(60);

/// Not possible: `decode_batch` returns one verdict per request.
const NO_VERDICT: CheckError = CheckError::Redis(RedisError::Length { expected: 1, found: 0 });

#[cfg(test)]
mod tests;
