//! Arithmetic shared by the algorithms.

use crate::limit::verdict::Retry;
use crate::time::Millis;

/// Returns the retry of a request that must wait `ms` milliseconds.
pub(super) fn wait_of(ms: u128) -> Retry {
    match narrow(ms) {
        0 => Retry::Now,
        ms => Retry::After(Millis::new(ms)),
    }
}

/// Converts to `u64`, saturating.
///
/// The bounds of [`Limit`](crate::limit::Limit) keep every number below 2^55 while `now` is below 2^53, so only
/// absurd instants saturate.
pub(super) fn narrow(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
