//! Usage meters: two limits that never deny and count what a tenant uses.
//!
//! A usage meter is a fixed window with a quota that nobody reaches. It is checked together with the limits of
//! a request, so it counts exactly the units that they admit, minus those given back later. It costs no further
//! command, because all packed limits of a subject are one value.
//!
//! [`DAY`] counts the units of the current day (UTC), [`TOTAL`] those of about a century. The difference is the
//! usage up to the end of yesterday, exact at any time.

use super::limit::Limit;
use super::verdict::{Budget, Verdict};
use crate::time::Millis;

/// The name of the meter of the current day. The configuration refuses limit names that begin with `_`.
pub const DAY: &str = "_day";
/// The name of the meter of all days.
pub const TOTAL: &str = "_total";

/// The usage of a subject, in units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// The units used since the current day began (UTC).
    pub day: u64,
    /// The units used since the subject was first seen or reset.
    pub total: u64,
}

impl Usage {
    /// Returns the units used before the current day.
    #[must_use]
    pub fn before_today(self) -> u64 {
        self.total.saturating_sub(self.day)
    }
}

/// Returns the two usage meters.
#[must_use]
pub fn meters() -> [Limit; 2] {
    [Limit::meter(DAY, Millis::new(DAY_MS)), Limit::meter(TOTAL, Millis::new(CENTURY_MS))]
}

/// Returns these limits followed by the usage meters.
#[must_use]
pub fn with_meters(limits: &[Limit]) -> Vec<Limit> {
    [limits, &meters()].concat()
}

/// Returns whether a limit is a usage meter.
#[must_use]
pub fn is_meter(limit: &Limit) -> bool {
    [DAY, TOTAL].contains(&limit.name().as_str())
}

/// Removes the usage meters from a verdict and returns the usage, or `None` if the verdict has no meters.
#[must_use]
pub fn split(verdict: Verdict) -> (Verdict, Option<Usage>) {
    let is_meter = |budget: &Budget| is_meter(&budget.limit);
    let used = |budgets: &[Budget], name| {
        let meter = budgets.iter().find(|budget| budget.limit.name().as_str() == name)?;
        Some(meter.limit.quota() - meter.remaining.min(meter.limit.quota()))
    };
    let budgets = verdict.budgets();
    let usage = used(budgets, DAY).zip(used(budgets, TOTAL)).map(|(day, total)| Usage { day, total });
    let limits = |mut budgets: Vec<Budget>| {
        budgets.retain(|budget| !is_meter(budget));
        budgets
    };
    let verdict = match verdict {
        Verdict::Allow(budgets) => Verdict::Allow(limits(budgets)),
        Verdict::Deny(budgets) => Verdict::Deny(limits(budgets)),
    };
    (verdict, usage)
}

const DAY_MS: u64 = Millis::DAY.get();
const CENTURY_MS: u64 = 36_500 * DAY_MS;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::memory::{Capacity, MemoryLimiter};
    use crate::limit::name::LimitName;
    use crate::limit::subject::Subject;

    const NOON: Millis = Millis::new(20_000 * DAY_MS + DAY_MS / 2);

    #[test]
    fn meters_count_what_the_limits_admit() {
        let limits =
            with_meters(&[Limit::sliding_log(LimitName::new("l").unwrap(), 5, Millis::from_secs(60)).unwrap()]);
        assert_eq!(limits.len(), 3);
        let mut limiter = MemoryLimiter::new(Capacity { subjects: 10, entries: 1000 });
        let subject = Subject::named("acme");
        let mut check = |cost, now| split(limiter.check(&subject, &limits, cost, now).unwrap());

        let (verdict, usage) = check(3, NOON);
        assert_eq!(verdict.budgets().len(), 1, "the meters are removed");
        assert_eq!(usage, Some(Usage { day: 3, total: 3 }));
        let (verdict, usage) = check(3, NOON);
        assert!(!verdict.is_allow());
        assert_eq!(usage, Some(Usage { day: 3, total: 3 }), "a denied request is not counted");

        let (_, usage) = check(4, Millis::new(NOON.get() + DAY_MS));
        assert_eq!(usage, Some(Usage { day: 4, total: 7 }));
        assert_eq!(usage.unwrap().before_today(), 3);
    }

    #[test]
    fn a_verdict_without_meters_is_unchanged() {
        let (verdict, usage) = split(Verdict::Allow(Vec::new()));
        assert_eq!((verdict, usage), (Verdict::Allow(Vec::new()), None));
    }
}
