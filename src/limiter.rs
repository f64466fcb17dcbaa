//! Asks Redis: all limits of a subject, for one request or a batch, in one call of `check.lua`.

use crate::policy::{Algorithm, Clock, Limit, Window};
use crate::question::{self, LeaseId, NOBODYS, QuestionError, Request};
use crate::redis::{self, Argument, RedisError, Transport};
use crate::script::{self, Spelling};
use crate::subject::Subject;
use crate::time::Millis;
use crate::verdict::{Budget, Retry, Verdict};

/// A limiter over one Redis.
#[derive(Debug, Clone)]
pub struct Limiter<T> {
    transport: T,
    spelling: Spelling,
}

/// When a check happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Now {
    /// At this instant of the caller's clock, since the Unix epoch. From 1 ms on.
    At(Millis),
    /// At the time of Redis's own clock: one more command.
    Redis,
}

impl Now {
    /// The time by which `clock` judges, for a caller whose own clock says `now`.
    #[must_use]
    pub fn by(clock: Clock, now: Millis) -> Self {
        match clock {
            Clock::Edge => Now::At(now),
            Clock::Redis => Now::Redis,
        }
    }

    /// As the scripts read it.
    pub(crate) fn argument(self) -> Argument<'static> {
        Argument::Number(match self {
            Now::At(now) => now.get().max(1),
            Now::Redis => 0,
        })
    }
}

/// The answer to a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The instant of the clock that judged, the caller's or Redis's: what a settlement asks for as the time of the
    /// charge. A limit may have been judged and charged at a later one, where a clock that is ahead came before.
    pub at: Millis,
    /// A verdict for each request, in their order.
    pub verdicts: Vec<Verdict>,
}

/// No verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// The question has no answer; Redis was not asked.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// Redis could not be asked, or its answer is none. After an error that
    /// [leaves it open](RedisError::leaves_it_open) it is unknown whether the requests were charged.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

impl<T: Transport> Limiter<T> {
    /// A limiter that reaches Redis by `transport`.
    pub fn new(transport: T, spelling: Spelling) -> Self {
        Limiter { transport, spelling }
    }

    /// The way to Redis.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// How scripts are written for this Redis.
    #[must_use]
    pub fn spelling(&self) -> Spelling {
        self.spelling
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
        request: impl Into<Request<'a>>,
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
    pub async fn check_batch<'a, R: Into<Request<'a>>>(
        &self,
        subject: &Subject,
        limits: &[Limit],
        requests: impl IntoIterator<Item = R>,
        now: Now,
    ) -> Result<Vec<Verdict>, CheckError> {
        Ok(self.judge(subject, limits, requests, now).await?.verdicts)
    }

    /// As [`Limiter::check_batch`], and also tells when: with [`Now::Redis`] nobody else knows.
    ///
    /// # Errors
    /// As [`Limiter::check`].
    pub async fn judge<'a, R: Into<Request<'a>>>(
        &self,
        subject: &Subject,
        limits: &[Limit],
        requests: impl IntoIterator<Item = R>,
        now: Now,
    ) -> Result<Judged, CheckError> {
        let requests: Vec<Request<'_>> = requests.into_iter().map(Into::into).collect();
        question::validate(limits, &requests)?;
        let script = script::CHECK.spelled(self.spelling);
        let prices: Vec<Option<String>> = requests.iter().map(|request| prices(limits, request.cost)).collect();
        let (keys, arguments) = question(subject, limits, &requests, &prices, now);
        let numbers: Vec<i64> = redis::eval(&self.transport, script, &keys, &arguments).await?;
        Ok(judged(limits, requests.len(), &numbers)?)
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

/// KEYS and ARGV of `check.lua`.
fn question<'a>(
    subject: &Subject,
    limits: &'a [Limit],
    requests: &[Request<'a>],
    prices: &'a [Option<String>],
    now: Now,
) -> (Vec<String>, Vec<Argument<'a>>) {
    let (sets, limit_words) = spell(subject, limits);
    let keys = [vec![subject.state_key()], sets].concat();
    let mut arguments = vec![now.argument()];
    arguments.extend(limit_words);
    let leases = limits.iter().any(Limit::needs_lease);
    arguments.push(Argument::Number(requests.len() as u64));
    for (request, prices) in requests.iter().zip(prices) {
        arguments.push(prices.as_deref().map_or(Argument::Number(request.cost), Argument::Text));
        if leases {
            arguments.push(Argument::Text(request.lease.map_or(NOBODYS, LeaseId::as_str)));
        }
    }
    (keys, arguments)
}

/// What a request is charged at each limit, where that is not the same at all.
fn prices(limits: &[Limit], cost: u64) -> Option<String> {
    if limits.iter().all(|limit| limit.price(cost) == cost) {
        return None;
    }
    let prices: Vec<String> = limits.iter().map(|limit| limit.price(cost).to_string()).collect();
    Some(prices.join(","))
}

/// Limits as every script that takes some reads them: the keys of their sets, and in ARGV how many they are and
/// the words of each.
pub(crate) fn spell<'a>(subject: &Subject, limits: &'a [Limit]) -> (Vec<String>, Vec<Argument<'a>>) {
    let mut keys = Vec::new();
    let mut arguments = vec![Argument::Number(limits.len() as u64)];
    for limit in limits {
        let name = limit.name();
        let (algorithm, window) = match limit.algorithm() {
            Algorithm::SlidingLog { window } => {
                keys.push(subject.log_key(name));
                ("sliding_log", Argument::Number(window.get()))
            }
            Algorithm::SlidingWindow { window } => ("sliding_window", Argument::Number(window.get())),
            Algorithm::FixedWindow { window: Window::Span(span) } => ("fixed_window", Argument::Number(span.get())),
            Algorithm::FixedWindow { window: Window::Month } => ("fixed_window", Argument::Text("month")),
            Algorithm::TokenBucket { window, .. } => ("token_bucket", Argument::Number(window.get())),
            Algorithm::Concurrency { lease } => {
                keys.push(subject.inflight_key(name));
                ("concurrency", Argument::Number(lease.get()))
            }
        };
        arguments.extend([Argument::Text(name.as_str()), Argument::Text(algorithm), window]);
        match limit.algorithm() {
            Algorithm::TokenBucket { burst, rate, .. } => {
                arguments.extend([burst, rate.refill, rate.fractions].map(Argument::Number));
            }
            _ => arguments.push(Argument::Number(limit.quota())),
        }
    }
    (keys, arguments)
}

/// The answer of `check.lua`: for each request whether it passes, and three numbers for each limit; then the time.
fn judged(limits: &[Limit], requests: usize, numbers: &[i64]) -> Result<Judged, RedisError> {
    let each = 1 + limits.len() * NUMBERS_A_LIMIT;
    let expected = requests * each + 1;
    match numbers {
        [runs @ .., at] if numbers.len() == expected => {
            let at = u64::try_from(*at).map_err(|_| RedisError::Shape { reason: format!("no time: {at}") })?;
            let verdicts = runs.chunks_exact(each).map(|numbers| verdict(limits, numbers)).collect::<Result<_, _>>()?;
            Ok(Judged { at: Millis::new(at), verdicts })
        }
        _ => Err(RedisError::Length { expected, found: numbers.len() }),
    }
}

fn verdict(limits: &[Limit], numbers: &[i64]) -> Result<Verdict, RedisError> {
    let shape = || RedisError::Shape { reason: format!("no verdict: {numbers:?}") };
    let whole = |number: i64| u64::try_from(number).map_err(|_| shape());
    let (allowed, triples) = numbers.split_first().ok_or_else(shape)?;
    let budgets = limits
        .iter()
        .zip(triples.chunks_exact(NUMBERS_A_LIMIT))
        .map(|(limit, numbers)| {
            let [remaining, retry, reset] = *numbers else { return Err(shape()) };
            let retry = match retry {
                -1 => Retry::Never,
                0 => Retry::Now,
                ms => Retry::After(Millis::new(whole(ms)?)),
            };
            let (remaining, reset) = (whole(remaining)?, Millis::new(whole(reset)?));
            Ok(Budget { limit: limit.clone(), remaining, retry, reset })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let admitted = budgets.iter().all(|budget| budget.retry == Retry::Now);
    match allowed {
        1 if admitted => Ok(Verdict::Allow(budgets)),
        0 if !admitted => Ok(Verdict::Deny(budgets)),
        _ => Err(shape()),
    }
}

/// remaining, `retry_ms`, `reset_ms`.
const NUMBERS_A_LIMIT: usize = 3;

#[cfg(test)]
mod tests;
