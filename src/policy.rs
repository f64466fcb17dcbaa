//! What may be configured: limits, plans and what an outage means. A value that exists is valid.

mod limit;

use std::fmt;

pub use limit::{Algorithm, Limit, Rate, Window};

/// The name of a limit, as it appears in headers and keys: 1 to 64 of `A-Z a-z 0-9 _ - .`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LimitName(String);

impl LimitName {
    /// Takes a name.
    ///
    /// # Errors
    /// When it is empty, too long, or has another character.
    pub fn new(name: &str) -> Result<Self, PolicyError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if (1..=64).contains(&name.len()) && name.bytes().all(allowed) {
            Ok(LimitName(name.to_owned()))
        } else {
            Err(PolicyError::new("name", format!("expected 1 to 64 of A-Z a-z 0-9 _ - . , found {name:?}")))
        }
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

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
    pub fn new(limits: Vec<Limit>) -> Result<Self, PolicyError> {
        if !(1..=MAX_LIMITS).contains(&limits.len()) {
            let problem = format!("expected 1 to {MAX_LIMITS} limits, found {}", limits.len());
            return Err(PolicyError::new("limits", problem));
        }
        for (i, limit) in limits.iter().enumerate() {
            if limits.iter().take(i).any(|other| other.name() == limit.name()) {
                let problem = format!("two limits are named {:?}", limit.name().as_str());
                return Err(PolicyError::new("limits", problem));
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

/// What a failure of Redis means for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnOutage {
    /// Forward it unjudged, and say so in the log and in `Server-Timing`.
    Open,
    /// Refuse it with 503.
    Closed,
    /// Judge it by what this isolate alone has seen.
    Local,
}

impl OnOutage {
    /// The policy as the configuration spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            OnOutage::Open => "open",
            OnOutage::Closed => "closed",
            OnOutage::Local => "local",
        }
    }
}

/// Whose clock judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The edge's: no further command, off by the skew between edges.
    Edge,
    /// Redis's: one more billed command a request, immune to skew.
    Redis,
}

/// A number or a name that a policy cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct PolicyError {
    /// The field of the configuration that is wrong.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

impl PolicyError {
    fn new(field: &'static str, problem: String) -> Self {
        PolicyError { field, problem }
    }
}

/// 2^53 - 1: up to here a double, which is all that a Lua script has, holds every integer and its successor.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Enough for every plan seen, and a bound on what one script call does.
pub const MAX_LIMITS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
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
