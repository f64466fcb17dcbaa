//! Arithmetic that the algorithms share.

use crate::limit::verdict::Retry;
use crate::time::Millis;

/// The wait of `ms` milliseconds.
pub(super) fn wait_of(ms: u128) -> Retry {
    match narrow(ms) {
        0 => Retry::Now,
        ms => Retry::After(Millis::new(ms)),
    }
}

/// The number, or the largest there is. The bounds of [`Limit`] keep every number of a machine that is fed with a
/// `now` below 2^53 under 2^55; only absurd instants reach the largest.
pub(super) fn narrow(number: u128) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
