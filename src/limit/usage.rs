//! What tenants use, counted by two limits that never refuse.
//!
//! A meter is a fixed window with a quota that nobody reaches. It is judged together with the limits of a
//! request, so it counts exactly what they admit, and what is given back later; and as all packed limits of a
//! subject are one value, it costs no further command.
//!
//! [`DAY`] counts the units of this day (UTC), [`TOTAL`] those of about a century. What was used up to the end of
//! yesterday is the difference, exact whenever one looks.

use super::limit::Limit;
use super::verdict::{Budget, Verdict};
use crate::time::Millis;

/// The name of the meter of this day. No configured limit's name begins with `_`.
pub const DAY: &str = "_day";
/// The name of the meter of all days.
pub const TOTAL: &str = "_total";

/// What a subject has used, in units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Since this day began (UTC).
    pub day: u64,
    /// Since the subject was first seen, or reset.
    pub total: u64,
}

impl Usage {
    /// What was used until this day began.
    #[must_use]
    pub fn before_today(self) -> u64 {
        self.total.saturating_sub(self.day)
    }
}

/// The meters alone, to look at them.
#[must_use]
pub fn meters() -> [Limit; 2] {
    [Limit::meter(DAY, Millis::new(DAY_MS)), Limit::meter(TOTAL, Millis::new(CENTURY_MS))]
}

/// These limits, with the meters behind them.
#[must_use]
pub fn with_meters(limits: &[Limit]) -> Vec<Limit> {
    [limits, &meters()].concat()
}

/// Takes the meters out of a verdict, and reads them. `None`: the verdict has none.
#[must_use]
pub fn split(verdict: Verdict) -> (Verdict, Option<Usage>) {
    let is_meter = |budget: &Budget| [DAY, TOTAL].contains(&budget.limit.name().as_str());
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
        let mut local = MemoryLimiter::new(Capacity { subjects: 10, entries: 1000 });
        let subject = Subject::named("acme");
        let mut ask = |cost, now| split(local.check(&subject, &limits, cost, now).unwrap());

        let (verdict, usage) = ask(3, NOON);
        assert_eq!(verdict.budgets().len(), 1, "the meters are nobody's business");
        assert_eq!(usage, Some(Usage { day: 3, total: 3 }));
        let (verdict, usage) = ask(3, NOON);
        assert!(!verdict.is_allow());
        assert_eq!(usage, Some(Usage { day: 3, total: 3 }), "a refusal is not used");

        let (_, usage) = ask(4, Millis::new(NOON.get() + DAY_MS));
        assert_eq!(usage, Some(Usage { day: 4, total: 7 }));
        assert_eq!(usage.unwrap().before_today(), 3);
    }

    #[test]
    fn a_verdict_without_meters_stays_as_it_is() {
        let (verdict, usage) = split(Verdict::Allow(Vec::new()));
        assert_eq!((verdict, usage), (Verdict::Allow(Vec::new()), None));
    }
}
