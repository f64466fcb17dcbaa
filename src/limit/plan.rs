//! A plan: the limits that apply together to one subject.

use super::invalid::InvalidLimit;
use super::limit::Limit;
use super::prefetch_rule::PrefetchRule;

/// The limits of one subject: 1 to 16, with different names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    limits: Vec<Limit>,
    prefetch: Option<PrefetchRule>,
}

impl Plan {
    /// Creates a plan of these limits, in the order of verdicts and headers.
    ///
    /// # Errors
    /// Fails if there are none, too many, or two with the same name.
    pub fn new(limits: Vec<Limit>) -> Result<Self, InvalidLimit> {
        if !(1..=MAX_LIMITS).contains(&limits.len()) {
            let problem = format!("expected 1 to {MAX_LIMITS} limits, found {}", limits.len());
            return Err(InvalidLimit::new("limits", problem));
        }
        for (i, limit) in limits.iter().enumerate() {
            if limits.iter().take(i).any(|other| other.name() == limit.name()) {
                let problem = format!("two limits are named {:?}", limit.name().as_str());
                return Err(InvalidLimit::new("limits", problem));
            }
        }
        Ok(Plan { limits, prefetch: None })
    }

    /// Returns the plan with units taken in advance by `rule`.
    ///
    /// # Errors
    /// Fails if the rule does not [fit](PrefetchRule::check_fit) the limits.
    pub fn with_prefetch(self, rule: PrefetchRule) -> Result<Self, InvalidLimit> {
        rule.check_fit(&self.limits)?;
        Ok(Plan { prefetch: Some(rule), ..self })
    }

    /// Returns the limits, in order.
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }

    /// Returns the rule by which units are taken in advance, if they are.
    #[must_use]
    pub fn prefetch(&self) -> Option<PrefetchRule> {
        self.prefetch
    }
}

/// The most limits of a plan: enough for every plan seen, and a bound on the work of one script call.
pub const MAX_LIMITS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::name::LimitName;
    use crate::time::Millis;

    fn name(text: &str) -> LimitName {
        LimitName::new(text).unwrap()
    }

    #[test]
    fn a_plan_needs_distinct_limit_names() {
        let limit = |text: &str| Limit::sliding_log(name(text), 1, Millis::new(1)).unwrap();
        assert!(Plan::new(vec![]).is_err());
        assert!(Plan::new(vec![limit("a"), limit("b"), limit("a")]).is_err());
        assert!(Plan::new((0..17).map(|i| limit(&i.to_string())).collect()).is_err());
        assert_eq!(Plan::new(vec![limit("a"), limit("b")]).unwrap().limits().len(), 2);
    }
}
