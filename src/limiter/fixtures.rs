//! Limits for the tests of this room.

use crate::limit::{Limit, LimitName};
use crate::time::Millis;

pub(super) fn name(text: &str) -> LimitName {
    LimitName::new(text).unwrap()
}

/// 20 units per 10 s, bursts of 30.
pub(super) fn burst() -> Limit {
    Limit::token_bucket(name("burst"), 20, Millis::from_secs(10), Some(30)).unwrap()
}

/// 4 requests in flight, 30 s each.
pub(super) fn inflight() -> Limit {
    Limit::concurrency(name("inflight"), 4, Millis::from_secs(30)).unwrap()
}

/// 100 units in any 24 hours.
pub(super) fn day() -> Limit {
    Limit::sliding_log(name("day"), 100, Millis::from_secs(86_400)).unwrap()
}
