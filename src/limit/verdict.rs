//! The answer of the limiter.

use super::limit::Limit;
use crate::time::Millis;

/// Whether a request passes. Either way each limit's budget is known, in the order of the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every limit admitted the request and was charged its cost.
    Allow(Vec<Budget>),
    /// At least one limit refused. None was charged.
    Deny(Vec<Budget>),
}

/// Where a subject stands with one limit, after the verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The limit.
    pub limit: Limit,
    /// The largest cost that a further request could have now, in units.
    pub remaining: u64,
    /// Whether this limit admitted the request, and if not, when it will.
    pub retry: Retry,
    /// Until this limit is back at its full quota if nothing more comes.
    pub reset: Millis,
}

/// When a limit admits the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It did now.
    Now,
    /// It refused; the same request is admitted after this time and not a millisecond earlier, if nothing else comes.
    /// Concurrency also refuses to renew a lease that ends before the others admit the request, where no place is free
    /// then.
    After(Millis),
    /// It never will: the cost is above what the limit can hold.
    Never,
}

impl Verdict {
    /// The budget of each limit, in the order of the plan.
    #[must_use]
    pub fn budgets(&self) -> &[Budget] {
        match self {
            Verdict::Allow(budgets) | Verdict::Deny(budgets) => budgets,
        }
    }

    /// Whether the request passes.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        matches!(self, Verdict::Allow(_))
    }

    /// When the same request passes all limits: the latest of theirs.
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

    /// The limits that refused.
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
    fn the_latest_retry_counts() {
        let after = |ms| Retry::After(Millis::new(ms));
        assert_eq!(deny(&[Retry::Now, after(5), after(9), after(7)]).retry(), after(9));
        assert_eq!(deny(&[after(5), Retry::Never, Retry::Now]).retry(), Retry::Never);
        assert_eq!(deny(&[Retry::Now, after(5)]).refusing().count(), 1);
    }
}
