//! What a limiter is asked: requests with a cost and, where a limit counts requests in flight, a lease.

use std::fmt;

use super::invalid::MAX_INTEGER;
use super::limit::Limit;
use super::name::LimitName;

/// A request as a limiter sees it. A number of units alone is one: `5.into()`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckRequest<'a> {
    /// What it costs, in units; 0 looks without taking.
    pub cost: u64,
    /// The lease that it holds while it is in flight. Limits of concurrency need it, others do not look at it.
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

/// The id of a lease, chosen by the caller: 1 to 200 visible ASCII characters, unlike that of any other request in
/// flight of its subject. A request that comes with an id that is alive renews that lease instead of taking one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LeaseId(String);

impl LeaseId {
    /// Takes an id.
    ///
    /// # Errors
    /// When it is empty, too long, has a space or another invisible character, or is `?`, which stands for a lease
    /// not yet taken.
    pub fn new(id: &str) -> Result<Self, InvalidLease> {
        if (1..=MAX_LENGTH).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) && id != NO_LEASE {
            Ok(LeaseId(id.to_owned()))
        } else {
            Err(InvalidLease { found: id.chars().take(MAX_LENGTH + 1).collect() })
        }
    }

    /// The id's text.
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

/// A text that cannot be the id of a lease.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a lease id of 1 to {MAX_LENGTH} visible ASCII characters that is not \"{NO_LEASE}\", found {found:?}"
)]
pub struct InvalidLease {
    found: String,
}

/// A question that has no answer: the caller's mistake, found before anything is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCheck {
    /// There is no limit to judge by.
    #[error("no limits (a request that nothing limits needs no verdict)")]
    NoLimits,
    /// Two of the limits have the same name, and would share their state.
    #[error("two limits are named {name}")]
    SameName {
        /// The name.
        name: LimitName,
    },
    /// There is no request to judge.
    #[error("no requests")]
    NoRequests,
    /// A cost that no limit can be configured to hold.
    #[error("request {request}: expected a cost of 0 to {MAX_INTEGER}, found {found}")]
    Cost {
        /// The place of the request in the batch, from 0.
        request: usize,
        /// The cost.
        found: u64,
    },
    /// A request that takes something has no lease, and this limit counts requests in flight.
    #[error("request {request}: no lease id, which the limit {limit} needs")]
    NoLease {
        /// The place of the request in the batch, from 0.
        request: usize,
        /// The first limit of concurrency.
        limit: LimitName,
    },
}

/// Makes sure that these requests can be judged by these limits.
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

/// The lease of a request that only looks and has none: never taken, so never alive.
pub(crate) const NO_LEASE: &str = "?";

const MAX_LENGTH: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Millis;

    fn name(text: &str) -> LimitName {
        LimitName::new(text).unwrap()
    }

    #[test]
    fn lease_ids_are_visible() {
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
    fn a_question_without_an_answer_says_why() {
        let log = Limit::sliding_log(name("day"), 1, Millis::new(1)).unwrap();
        let inflight = Limit::concurrency(name("inflight"), 1, Millis::new(1)).unwrap();
        let (one, lease) = (CheckRequest::from(1), LeaseId::new("a").unwrap());
        let leased = CheckRequest { cost: 1, lease: Some(&lease) };
        let check = |limits: &[&Limit], requests: &[CheckRequest<'_>]| {
            let limits: Vec<Limit> = limits.iter().map(|limit| (*limit).clone()).collect();
            validate_check(&limits, requests).map_err(|error| error.to_string())
        };
        assert_eq!(check(&[&log], &[one, leased]), Ok(()));
        assert_eq!(check(&[&log, &inflight], &[leased, CheckRequest::from(0)]), Ok(()), "a look needs no lease");
        for (limits, requests, message) in [
            (vec![], vec![one], "no limits (a request that nothing limits needs no verdict)"),
            (vec![&log], vec![], "no requests"),
            (vec![&log, &inflight, &log], vec![leased], "two limits are named day"),
            (vec![&log, &inflight], vec![leased, one], "request 1: no lease id, which the limit inflight needs"),
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
