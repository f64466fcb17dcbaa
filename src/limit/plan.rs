//! What may be configured: limits, plans and what an outage means. A value that exists is valid.

use super::invalid::InvalidLimit;
use super::limit::Limit;

/// The limits that hold together for one subject: 1 to 16, each name once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    limits: Vec<Limit>,
}

impl Plan {
    /// A plan of these limits, judged in this order.
    ///
    /// # Errors
    /// When there are none, too many, or two of the same name.
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
        Ok(Plan { limits })
    }

    /// The limits, in order.
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        &self.limits
    }
}

/// Enough for every plan seen, and a bound on what one script call does.
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
    fn names_are_plain() {
        let long = "x".repeat(65);
        for bad in ["", "a b", "a/b", "a;b", "a=b", "a,b", "é", "a{b}", long.as_str()] {
            assert!(LimitName::new(bad).is_err(), "{bad}");
        }
        assert_eq!(name("per-minute_1.5").to_string(), "per-minute_1.5");
    }

    #[test]
    fn a_plan_has_limits_with_different_names() {
        let limit = |text: &str| Limit::sliding_log(name(text), 1, Millis::new(1)).unwrap();
        assert!(Plan::new(vec![]).is_err());
        assert!(Plan::new(vec![limit("a"), limit("b"), limit("a")]).is_err());
        assert!(Plan::new((0..17).map(|i| limit(&i.to_string())).collect()).is_err());
        assert_eq!(Plan::new(vec![limit("a"), limit("b")]).unwrap().limits().len(), 2);
    }
}
