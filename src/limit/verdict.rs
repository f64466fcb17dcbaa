//! The verdict of a check, with the budget of each limit.

use super::limit::Limit;
use crate::time::Millis;

/// The verdict on a request, with the budget of each limit in the order of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every limit admitted the request and was charged.
    Allow(Vec<Budget>),
    /// At least one limit denied the request. None was charged.
    Deny(Vec<Budget>),
}

/// The budget of a subject at one limit, after the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The limit.
    pub limit: Limit,
    /// The largest cost that a further request can have now, in units; for concurrency, the number of free
    /// leases.
    pub remaining: u64,
    /// When this limit admits the request.
    pub retry: Retry,
    /// The time until the full quota is available again if no other request comes.
    pub reset: Millis,
}

/// When a limit admits a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Now: the limit admitted it.
    Now,
    /// After this time, and not a millisecond earlier, if no other request comes.
    ///
    /// A concurrency limit also denies renewing a lease if the other limits delay the request until the lease
    /// has expired and no slot is free.
    After(Millis),
    /// Never: the cost exceeds what the limit can hold.
    Never,
}

impl Retry {
    /// Returns the time in milliseconds; `None` if it never comes.
    #[must_use]
    pub fn millis(self) -> Option<u64> {
        match self {
            Retry::Now => Some(0),
            Retry::After(wait) => Some(wait.get()),
            Retry::Never => None,
        }
    }
}

impl Verdict {
    /// Returns the budget of each limit, in the order of the plan.
    #[must_use]
    pub fn budgets(&self) -> &[Budget] {
        match self {
            Verdict::Allow(budgets) | Verdict::Deny(budgets) => budgets,
        }
    }

    /// Returns whether the request is allowed.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        matches!(self, Verdict::Allow(_))
    }

    /// Returns when all limits admit the same request: the latest retry of any limit.
    #[must_use]
    pub fn retry(&self) -> Retry {
        let mut latest = Retry::Now;
        for budget in self.budgets() {
            latest = match (latest, budget.retry) {
                (Retry::Never, _) | (_, Retry::Never) => Retry::Never,
                (Retry::After(a), Retry::After(b)) => Retry::After(a.max(b)),
                (Retry::After(a), Retry::Now) | (Retry::Now, Retry::After(a)) => Retry::After(a),
                (Retry::Now, Retry::Now) => Retry::Now,
            };
        }
        latest
    }

    /// Returns the budgets of the limits that denied the request.
    pub fn refusing(&self) -> impl Iterator<Item = &Budget> {
        self.budgets().iter().filter(|budget| budget.retry != Retry::Now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::name::LimitName;

    fn deny(retries: &[Retry]) -> Verdict {
        let limit = Limit::sliding_log(LimitName::new("l").unwrap(), 1, Millis::new(1)).unwrap();
        let budget = |retry| Budget { limit: limit.clone(), remaining: 0, retry, reset: Millis::ZERO };
        Verdict::Deny(retries.iter().copied().map(budget).collect())
    }

    #[test]
    fn the_latest_retry_applies_to_the_request() {
        let after = |ms| Retry::After(Millis::new(ms));
        assert_eq!(deny(&[Retry::Now, after(5), after(9), after(7)]).retry(), after(9));
        assert_eq!(deny(&[after(5), Retry::Never, Retry::Now]).retry(), Retry::Never);
        assert_eq!(deny(&[Retry::Now, after(5)]).refusing().count(), 1);
    }
}
