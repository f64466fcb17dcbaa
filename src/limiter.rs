//! Asks Redis: all limits of a subject, for one request or a batch, in one call of `check.lua`.

use crate::policy::{Algorithm, Limit};
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

impl<T: Transport> Limiter<T> {
    /// A limiter that reaches Redis by `transport`.
    pub fn new(transport: T, spelling: Spelling) -> Self {
        Limiter { transport, spelling }
    }

    /// The way to Redis.
    pub fn transport(&self) -> &T {
        &self.transport
    }

    /// Judges one request of `cost` units against all `limits` of `subject`, and charges it if all admit it.
    /// A cost of 0 looks without taking.
    ///
    /// # Errors
    /// A [`RedisError`]: no verdict. After [`RedisError::Unreachable`] and [`RedisError::Timeout`] it is
    /// unknown whether the request was charged.
    pub async fn check(&self, subject: &Subject, limits: &[Limit], cost: u64, now: Now) -> Result<Verdict, RedisError> {
        let mut verdicts = self.check_batch(subject, limits, &[cost], now).await?;
        // One cost, one verdict: `verdicts` was held to it.
        verdicts.pop().ok_or(RedisError::Length { expected: 1, found: 0 })
    }

    /// Judges requests of these `costs` in order, as if they came one by one, in one round trip.
    ///
    /// # Errors
    /// As [`Limiter::check`].
    pub async fn check_batch(
        &self,
        subject: &Subject,
        limits: &[Limit],
        costs: &[u64],
        now: Now,
    ) -> Result<Vec<Verdict>, RedisError> {
        let script = script::CHECK.spelled(self.spelling);
        let (keys, arguments) = question(subject, limits, costs, now);
        let numbers: Vec<i64> = redis::eval(&self.transport, script, &keys, &arguments).await?;
        verdicts(limits, costs.len(), &numbers)
    }
}

/// KEYS and ARGV of `check.lua`.
fn question<'a>(subject: &Subject, limits: &'a [Limit], costs: &[u64], now: Now) -> (Vec<String>, Vec<Argument<'a>>) {
    let mut keys = vec![subject.state_key()];
    let now = match now {
        Now::At(now) => now.get().max(1),
        Now::Redis => 0,
    };
    let mut arguments = vec![Argument::Number(now), Argument::Number(limits.len() as u64)];
    for limit in limits {
        let (algorithm, burst) = match limit.algorithm() {
            Algorithm::SlidingLog => {
                keys.push(subject.log_key(limit.name()));
                ("sliding_log", None)
            }
            Algorithm::TokenBucket { burst } => ("token_bucket", Some(burst)),
        };
        arguments.extend([
            Argument::Text(limit.name().as_str()),
            Argument::Text(algorithm),
            Argument::Number(limit.quota()),
            Argument::Number(limit.window().get()),
        ]);
        arguments.extend(burst.map(Argument::Number));
    }
    arguments.push(Argument::Number(costs.len() as u64));
    arguments.extend(costs.iter().copied().map(Argument::Number));
    (keys, arguments)
}

/// The answer of `check.lua`: for each request whether it passes, and three numbers for each limit.
fn verdicts(limits: &[Limit], requests: usize, numbers: &[i64]) -> Result<Vec<Verdict>, RedisError> {
    let each = 1 + limits.len() * NUMBERS_A_LIMIT;
    if numbers.len() != requests * each {
        return Err(RedisError::Length { expected: requests * each, found: numbers.len() });
    }
    numbers.chunks_exact(each).map(|numbers| verdict(limits, numbers)).collect()
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
mod tests {
    use super::*;
    use crate::policy::LimitName;

    fn limits() -> [Limit; 2] {
        let name = |text| LimitName::new(text).unwrap();
        [
            Limit::token_bucket(name("burst"), 20, Millis::from_secs(10), Some(30)).unwrap(),
            Limit::sliding_log(name("day"), 100, Millis::from_secs(86_400)).unwrap(),
        ]
    }

    #[test]
    fn the_question_is_spelled_as_the_script_reads_it() {
        let limits = limits();
        let subject = Subject::named("ip:203.0.113.7");
        let (keys, arguments) = question(&subject, &limits, &[1, 5], Now::At(Millis::new(77)));
        assert_eq!(keys, ["sg:1:{ip:203.0.113.7}", "sg:1:{ip:203.0.113.7}:log:day"]);
        let words: Vec<String> = arguments
            .iter()
            .map(|argument| match argument {
                Argument::Number(number) => number.to_string(),
                Argument::Text(text) => (*text).to_owned(),
            })
            .collect();
        assert_eq!(words.join(" "), "77 2 burst token_bucket 20 10000 30 day sliding_log 100 86400000 2 1 5");
    }

    #[test]
    fn the_epoch_itself_is_not_mistaken_for_the_clock_of_redis() {
        let limits = limits();
        let (_, arguments) = question(&Subject::named("x"), &limits, &[1], Now::At(Millis::ZERO));
        assert_eq!(arguments[0], Argument::Number(1));
    }

    #[test]
    fn a_verdict_is_read() {
        let verdicts =
            verdicts(&limits(), 2, &[1, 29, 0, 500, 99, 0, 86_400_000, 0, 0, 1500, 15_000, 7, 0, 5]).unwrap();
        assert!(verdicts[0].is_allow());
        assert_eq!(verdicts[0].budgets()[1].remaining, 99);
        assert_eq!(verdicts[1].retry(), Retry::After(Millis::new(1500)));
        assert_eq!(verdicts[1].budgets()[0].reset, Millis::new(15_000));
    }

    #[test]
    fn an_answer_of_the_wrong_length_is_refused() {
        let error = verdicts(&limits(), 2, &[1, 0, 0, 0]).unwrap_err();
        assert_eq!(error, RedisError::Length { expected: 14, found: 4 });
    }

    #[test]
    fn numbers_that_contradict_each_other_are_refused() {
        for numbers in [
            [2, 0, 0, 0, 0, 0, 0],
            [1, 0, 5, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0, 0],
            [1, -1, 0, 0, 0, 0, 0],
            [0, 0, -2, 0, 0, 0, 0],
            [1, 0, 0, -1, 0, 0, 0],
        ] {
            let error = verdicts(&limits(), 1, &numbers).unwrap_err();
            assert!(matches!(error, RedisError::Shape { .. }), "{numbers:?}: {error}");
        }
    }
}
