//! What comes after a check: the real cost of a request, the end of its lease, or a fresh start for its subject.
//! Each is one call of a script, for all limits of the subject.

use super::arguments::limit_arguments;
use super::clock::Now;
use super::error::CheckError;
use super::limiter::Limiter;
use super::settlement::{SettleOutcome, Settlement};
use crate::limit::{CheckRequest, LeaseId, Limit, MAX_INTEGER, Subject, validate_check};
use crate::redis::{self, Argument, RedisError, Transport, script};

impl<T: Transport> Limiter<T> {
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

/// KEYS and ARGV of `settle.lua`.
fn settle_arguments<'a>(
    subject: &Subject,
    limits: &'a [Limit],
    settlement: &Settlement<'a>,
    now: Now,
) -> (Vec<String>, Vec<Argument<'a>>) {
    let (sets, words) = limit_arguments(subject, limits);
    let keys = [vec![subject.state_key(), subject.settled_key()], sets].concat();
    let mut arguments = vec![
        now.argument(),
        Argument::Number(settlement.charged_at.get().clamp(1, MAX_INTEGER)),
        Argument::Text(settlement.request.as_str()),
        Argument::Number(settlement.memory.get().clamp(1, MAX_INTEGER)),
    ];
    arguments.extend(settlement.correction.arguments());
    arguments.extend(words);
    (keys, arguments)
}

/// The answer of `settle.lua`: whether it did anything, and a number for each limit.
fn decode_outcome(limits: &[Limit], numbers: &[u64]) -> Result<SettleOutcome, RedisError> {
    match numbers {
        [_, units @ ..] if units.len() != limits.len() => {
            Err(RedisError::Length { expected: 1 + limits.len(), found: numbers.len() })
        }
        [0, ..] => Ok(SettleOutcome::Repeat),
        [1, units @ ..] => Ok(SettleOutcome::Settle { units: units.to_vec() }),
        _ => Err(RedisError::Shape { reason: format!("no outcome: {numbers:?}") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::LimitName;
    use crate::limiter::request_id::RequestId;
    use crate::limiter::settlement::Correction;
    use crate::time::Millis;

    fn limits() -> [Limit; 3] {
        let name = |text| LimitName::new(text).unwrap();
        [
            Limit::token_bucket(name("burst"), 20, Millis::from_secs(10), Some(30)).unwrap(),
            Limit::concurrency(name("inflight"), 4, Millis::from_secs(30)).unwrap(),
            Limit::sliding_log(name("day"), 100, Millis::from_secs(86_400)).unwrap(),
        ]
    }

    #[test]
    fn the_account_is_spelled_as_the_script_reads_it() {
        let (subject, limits, request) = (Subject::named("x"), limits(), RequestId::new("r1").unwrap());
        let correction = Correction::between(10, 7);
        let settlement =
            Settlement { request: &request, charged_at: Millis::new(55), correction, memory: Millis::from_secs(60) };
        let (keys, arguments) = settle_arguments(&subject, &limits, &settlement, Now::At(Millis::new(77)));
        assert_eq!(keys, ["sg:1:{x}", "sg:1:{x}:settled", "sg:1:{x}:inflight:inflight", "sg:1:{x}:log:day"]);
        let words: Vec<String> = arguments
            .iter()
            .map(|argument| match argument {
                Argument::Number(number) => number.to_string(),
                Argument::Text(text) => (*text).to_owned(),
            })
            .collect();
        let limits = "3 burst token_bucket 10000 30 1 500 inflight concurrency 30000 4 day sliding_log 86400000 100";
        assert_eq!(words.join(" "), format!("77 55 r1 60000 0 3 {limits}"));
    }

    #[test]
    fn a_correction_is_the_difference() {
        assert_eq!(Correction::between(5, 8), Correction::Charge(3));
        assert_eq!(Correction::between(8, 5), Correction::GiveBack(3));
        assert_eq!(Correction::between(0, u64::MAX).arguments()[0], Argument::Number(MAX_INTEGER));
    }

    #[test]
    fn request_ids_are_visible() {
        let long = "x".repeat(201);
        for bad in ["", " ", "a b", "a\n", "é", long.as_str()] {
            assert!(RequestId::new(bad).is_err(), "{bad}");
        }
        assert_eq!(RequestId::new("0f8fad5b-d9cb").unwrap().to_string(), "0f8fad5b-d9cb");
    }

    #[test]
    fn an_answer_is_read_or_refused() {
        assert_eq!(decode_outcome(&limits(), &[1, 3, 0, 2]), Ok(SettleOutcome::Settle { units: vec![3, 0, 2] }));
        assert_eq!(decode_outcome(&limits(), &[0, 0, 0, 0]), Ok(SettleOutcome::Repeat));
        assert_eq!(decode_outcome(&limits(), &[1, 3]), Err(RedisError::Length { expected: 4, found: 2 }));
        for numbers in [&[][..], &[2, 0, 0, 0]] {
            assert!(matches!(decode_outcome(&limits(), numbers), Err(RedisError::Shape { .. })), "{numbers:?}");
        }
    }
}
