//! The reply of `check.lua`, decoded.

use super::settlement::SettleOutcome;
use crate::limit::{Budget, Limit, Retry, Verdict};
use crate::redis::RedisError;
use crate::time::Millis;

/// The answer to a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchVerdict {
    /// The instant of the clock that judged, the caller's or Redis's: what a settlement asks for as the time of the
    /// charge. A limit may have been judged and charged at a later one, where a clock that is ahead came before.
    pub at: Millis,
    /// A verdict for each request, in their order.
    pub verdicts: Vec<Verdict>,
}

/// The answer of `check.lua`: for each request whether it passes, and three numbers for each limit; then the time.
pub(super) fn decode_batch(limits: &[Limit], requests: usize, numbers: &[i64]) -> Result<BatchVerdict, RedisError> {
    let each = 1 + limits.len() * NUMBERS_PER_LIMIT;
    let expected = requests * each + 1;
    match numbers {
        [runs @ .., at] if numbers.len() == expected => {
            let at = u64::try_from(*at).map_err(|_| RedisError::Shape { reason: format!("no time: {at}") })?;
            let verdicts =
                runs.chunks_exact(each).map(|numbers| decode_verdict(limits, numbers)).collect::<Result<_, _>>()?;
            Ok(BatchVerdict { at: Millis::new(at), verdicts })
        }
        _ => Err(RedisError::Length { expected, found: numbers.len() }),
    }
}

fn decode_verdict(limits: &[Limit], numbers: &[i64]) -> Result<Verdict, RedisError> {
    let shape = || RedisError::Shape { reason: format!("no verdict: {numbers:?}") };
    let whole = |number: i64| u64::try_from(number).map_err(|_| shape());
    let (allowed, triples) = numbers.split_first().ok_or_else(shape)?;
    let budgets = limits
        .iter()
        .zip(triples.chunks_exact(NUMBERS_PER_LIMIT))
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

/// The answer of `settle.lua`: whether it did anything, and a number for each limit.
pub(super) fn decode_outcome(limits: &[Limit], numbers: &[u64]) -> Result<SettleOutcome, RedisError> {
    match numbers {
        [_, units @ ..] if units.len() != limits.len() => {
            Err(RedisError::Length { expected: 1 + limits.len(), found: numbers.len() })
        }
        [0, ..] => Ok(SettleOutcome::Repeat),
        [1, units @ ..] => Ok(SettleOutcome::Settle { units: units.to_vec() }),
        _ => Err(RedisError::Shape { reason: format!("no outcome: {numbers:?}") }),
    }
}

/// remaining, `retry_ms`, `reset_ms`.
const NUMBERS_PER_LIMIT: usize = 3;

#[cfg(test)]
mod tests;
