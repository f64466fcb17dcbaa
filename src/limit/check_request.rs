//! The input of a check: requests with a cost and, for concurrency limits, a lease.

use std::fmt;

use super::invalid::MAX_INTEGER;
use super::limit::Limit;
use super::name::LimitName;

/// A request to check. A number of units converts to one without a lease: `5.into()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckRequest<'a> {
    /// The cost in units; 0 reads the budgets without charging.
    pub cost: u64,
    /// The lease that the request holds while it is in flight. Needed by concurrency limits, ignored by others.
    pub lease: Option<&'a LeaseId>,
}

impl From<u64> for CheckRequest<'_> {
    fn from(cost: u64) -> Self {
        CheckRequest { cost, lease: None }
    }
}

impl<'a> From<&CheckRequest<'a>> for CheckRequest<'a> {
    fn from(request: &CheckRequest<'a>) -> Self {
        *request
    }
}

/// The id of a lease: 1 to 200 visible ASCII characters, chosen by the caller and unique among the requests in
/// flight of the subject. A request with a lease that is alive renews it instead of taking a new one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeaseId(String);

impl LeaseId {
    /// Creates a lease id.
    ///
    /// # Errors
    /// Fails if the id is empty, too long, contains a space or another invisible character, or is `?`, which
    /// stands for no lease.
    pub fn new(id: &str) -> Result<Self, InvalidLeaseId> {
        if (1..=MAX_LENGTH).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) && id != NO_LEASE {
            Ok(LeaseId(id.to_owned()))
        } else {
            Err(InvalidLeaseId { found: id.chars().take(MAX_LENGTH + 1).collect() })
        }
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The error of a text that is not a valid lease id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a lease id of 1 to {MAX_LENGTH} visible ASCII characters that is not \"{NO_LEASE}\", found {found:?}"
)]
pub struct InvalidLeaseId {
    found: String,
}

/// The error of an invalid check: a mistake of the caller, found before anything is checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCheck {
    /// There are no limits.
    #[error("no limits (a request without limits needs no check)")]
    NoLimits,
    /// Two limits have the same name and would share their state.
    #[error("two limits are named {name}")]
    SameName {
        /// The name.
        name: LimitName,
    },
    /// A limit counts by something of which the subject has no value.
    #[error("no value of {by} (the limit {limit} counts by it)")]
    NoValue {
        /// The limit.
        limit: LimitName,
        /// What it counts by.
        by: String,
    },
    /// A limit counts for all callers together, and Redis is a cluster.
    #[error(
        "the limit {limit} counts by everyone, and a Redis Cluster has its state and that of the caller in different \
         slots (use a Redis that is not a cluster, or remove the limit)"
    )]
    Slots {
        /// The first such limit.
        limit: LimitName,
    },
    /// There are no requests.
    #[error("no requests")]
    NoRequests,
    /// The cost exceeds the largest quota that a limit can have.
    #[error("request {request}: expected a cost of 0 to {MAX_INTEGER}, found {found}")]
    Cost {
        /// The index of the request in the batch, from 0.
        request: usize,
        /// The cost.
        found: u64,
    },
    /// A request with a cost has no lease, but a concurrency limit needs one.
    #[error("request {request}: no lease id (the limit {limit} counts requests in flight)")]
    NoLease {
        /// The index of the request in the batch, from 0.
        request: usize,
        /// The first concurrency limit.
        limit: LimitName,
    },
}

/// Returns an error unless these requests can be checked against these limits.
pub(crate) fn validate_check(limits: &[Limit], requests: &[CheckRequest<'_>]) -> Result<(), InvalidCheck> {
    if limits.is_empty() {
        return Err(InvalidCheck::NoLimits);
    }
    for (i, limit) in limits.iter().enumerate() {
        if limits.iter().take(i).any(|other| other.name() == limit.name()) {
            return Err(InvalidCheck::SameName { name: limit.name().clone() });
        }
    }
    if requests.is_empty() {
        return Err(InvalidCheck::NoRequests);
    }
    let concurrency = limits.iter().find(|limit| limit.needs_lease());
    for (i, request) in requests.iter().enumerate() {
        if request.cost > MAX_INTEGER {
            return Err(InvalidCheck::Cost { request: i, found: request.cost });
        }
        if let Some(limit) = concurrency
            && request.cost > 0
            && request.lease.is_none()
        {
            return Err(InvalidCheck::NoLease { request: i, limit: limit.name().clone() });
        }
    }
    Ok(())
}

/// The lease argument of a request without a lease. Never taken, so never alive.
pub(crate) const NO_LEASE: &str = "?";

/// In bytes. The scripts have the same bound.
const MAX_LENGTH: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Millis;

    fn name(text: &str) -> LimitName {
        LimitName::new(text).unwrap()
    }

    #[test]
    fn lease_ids_are_visible_ascii() {
        let long = "x".repeat(201);
        for bad in ["", " ", "a b", "a\n", "é", "\u{7f}", "?", long.as_str()] {
            assert!(LeaseId::new(bad).is_err(), "{bad}");
        }
        assert!(LeaseId::new(&long[1..]).is_ok());
        assert_eq!(LeaseId::new("0f8fad5b-d9cb!~").unwrap().to_string(), "0f8fad5b-d9cb!~");
        assert_eq!(
            LeaseId::new("a b").unwrap_err().to_string(),
            "expected a lease id of 1 to 200 visible ASCII characters that is not \"?\", found \"a b\""
        );
    }

    #[test]
    fn an_invalid_check_explains_itself() {
        let log = Limit::sliding_log(name("day"), 1, Millis::new(1)).unwrap();
        let inflight = Limit::concurrency(name("inflight"), 1, Millis::new(1)).unwrap();
        let (one, lease) = (CheckRequest::from(1), LeaseId::new("a").unwrap());
        let leased = CheckRequest { cost: 1, lease: Some(&lease) };
        let check = |limits: &[&Limit], requests: &[CheckRequest<'_>]| {
            let limits: Vec<Limit> = limits.iter().map(|limit| (*limit).clone()).collect();
            validate_check(&limits, requests).map_err(|error| error.to_string())
        };
        assert_eq!(check(&[&log], &[one, leased]), Ok(()));
        assert_eq!(
            check(&[&log, &inflight], &[leased, CheckRequest::from(0)]),
            Ok(()),
            "a request without a cost needs no lease"
        );
        for (limits, requests, message) in [
            (vec![], vec![one], "no limits (a request without limits needs no check)"),
            (vec![&log], vec![], "no requests"),
            (vec![&log, &inflight, &log], vec![leased], "two limits are named day"),
            (
                vec![&log, &inflight],
                vec![leased, one],
                "request 1: no lease id (the limit inflight counts requests in flight)",
            ),
            (
                vec![&log],
                vec![one, CheckRequest::from(1 << 53)],
                "request 1: expected a cost of 0 to 9007199254740991, found 9007199254740992",
            ),
        ] {
            assert_eq!(check(&limits, &requests), Err(message.to_owned()));
        }
    }
}
