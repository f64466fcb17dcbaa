//! Decodes the replies of `check.lua` and `settle.lua`.

use super::settlement::SettleOutcome;
use crate::limit::{Budget, Limit, Retry, Verdict};
use crate::redis::RedisError;
use crate::time::Millis;

/// The verdicts on a batch, and the time of the check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchVerdict {
    /// The time by the clock that decided, the caller's or Redis's: [`Settlement::charged_at`] of these
    /// requests. If an earlier caller's clock was ahead, a limit may have decided and charged at a later time.
    ///
    /// [`Settlement::charged_at`]: super::settlement::Settlement::charged_at
    pub at: Millis,
    /// One verdict per request, in order.
    pub verdicts: Vec<Verdict>,
}

/// Decodes the reply of `check.lua`: for each request whether it is allowed, then three numbers for each limit;
/// at the end the time. `places` are those of the limits among the numbers, unless they have the same order.
pub(super) fn decode_batch(
    limits: &[Limit],
    places: Option<&[usize]>,
    requests: usize,
    numbers: &[i64],
) -> Result<BatchVerdict, RedisError> {
    let per_request = 1 + limits.len() * NUMBERS_PER_LIMIT;
    let expected = requests * per_request + 1;
    match numbers {
        [numbers_of_requests @ .., at] if numbers.len() == expected => {
            let at =
                u64::try_from(*at).map_err(|_| RedisError::Shape { reason: format!("expected a time, found {at}") })?;
            let verdicts = numbers_of_requests
                .chunks_exact(per_request)
                .map(|numbers| decode_verdict(limits, places, numbers))
                .collect::<Result<_, _>>()?;
            Ok(BatchVerdict { at: Millis::new(at), verdicts })
        }
        _ => Err(RedisError::Length { expected, found: numbers.len() }),
    }
}

fn decode_verdict(limits: &[Limit], places: Option<&[usize]>, numbers: &[i64]) -> Result<Verdict, RedisError> {
    let shape = || RedisError::Shape { reason: format!("expected a verdict, found {numbers:?}") };
    let non_negative = |number: i64| u64::try_from(number).map_err(|_| shape());
    let (allowed, triples) = numbers.split_first().ok_or_else(shape)?;
    let budgets = limits
        .iter()
        .enumerate()
        .map(|(i, limit)| {
            let place = places.map_or(Some(i), |places| places.get(i).copied());
            let numbers = place.and_then(|place| triples.chunks_exact(NUMBERS_PER_LIMIT).nth(place));
            let Some(&[remaining, retry, reset]) = numbers else { return Err(shape()) };
            let retry = match retry {
                -1 => Retry::Never,
                0 => Retry::Now,
                ms => Retry::After(Millis::new(non_negative(ms)?)),
            };
            let (remaining, reset) = (non_negative(remaining)?, Millis::new(non_negative(reset)?));
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

/// Decodes the reply of `settle.lua`: whether it settled the request, then the units of each limit. `places` as for
/// [`decode_batch`].
pub(super) fn decode_outcome(
    limits: &[Limit],
    places: Option<&[usize]>,
    numbers: &[u64],
) -> Result<SettleOutcome, RedisError> {
    match numbers {
        [_, units @ ..] if units.len() != limits.len() => {
            Err(RedisError::Length { expected: 1 + limits.len(), found: numbers.len() })
        }
        [0, ..] => Ok(SettleOutcome::Repeat),
        [1, units @ ..] => {
            let unit = |place: &usize| units.get(*place).copied().unwrap_or_default();
            let units = places.map_or_else(|| units.to_vec(), |places| places.iter().map(unit).collect());
            Ok(SettleOutcome::Settle { units })
        }
        _ => Err(RedisError::Shape { reason: format!("expected an outcome, found {numbers:?}") }),
    }
}

/// `remaining`, `retry_ms`, `reset_ms`.
const NUMBERS_PER_LIMIT: usize = 3;

#[cfg(test)]
mod tests;
