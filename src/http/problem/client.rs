//! Refusals of requests before their limits are checked.

use super::problem::{Problem, WWW_AUTHENTICATE};
use crate::time::Millis;

impl Problem {
    /// 401: the API key is unknown, revoked or expired.
    #[must_use]
    pub fn unknown_key() -> Self {
        Problem::new(401, UNKNOWN_KEY, "Unknown API key", "the API key is not valid, or not any more".to_owned())
            .header(WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")
    }

    /// 401: this route needs an API key and the request has none.
    #[must_use]
    pub fn key_required() -> Self {
        let detail = "this path needs an API key (as Authorization: Bearer)".to_owned();
        Problem::new(401, KEY_REQUIRED, "API key required", detail).header(WWW_AUTHENTICATE, "Bearer")
    }

    /// 403: the tenant is suspended.
    #[must_use]
    pub fn suspended() -> Self {
        let detail = "the tenant is suspended (contact the operator of this API)".to_owned();
        Problem::new(403, SUSPENDED, "Tenant suspended", detail)
    }

    /// 403: the route's `deny` list has the client's address.
    #[must_use]
    pub fn address_denied() -> Self {
        let detail = "requests from this address are not accepted on this path".to_owned();
        Problem::new(403, ADDRESS_DENIED, "Address denied", detail)
    }

    /// 429: Redis is unavailable, and the rate limiting binding that replaces it denied the request. It counts in windows
    /// of ten seconds or more, and does not report when to retry.
    #[must_use]
    pub fn over_last_resort() -> Self {
        let detail = "too many requests while the rate limiter cannot determine the exact quota".to_owned();
        Problem::new(429, LAST_RESORT, "Too many requests", detail).after(Millis::from_secs(10))
    }

    /// 400: the path may have one route here and another at the origin.
    #[must_use]
    pub fn ambiguous_path() -> Self {
        let detail = "the path can be read in more than one way \
                      (send it without encoded slashes, \";\", \"?\", \"#\" or control characters, and without dots or blanks \
                      at the end of a segment)";
        Problem::new(400, AMBIGUOUS_PATH, "Ambiguous path", detail.to_owned())
    }

    /// 400: an object of the JSON body has a key twice, and the cost depends on that body.
    #[must_use]
    pub fn duplicate_key() -> Self {
        let detail = "an object of the body has the same key twice (send each key once)".to_owned();
        Problem::new(400, DUPLICATE_KEY, "Duplicate key", detail)
    }

    /// 400: the body cannot be read to its end, and the cost depends on it.
    #[must_use]
    pub fn truncated_body() -> Self {
        Problem::new(400, TRUNCATED_BODY, "Truncated body", "the body cannot be read to its end".to_owned())
    }

    /// 408: the body did not arrive within `longest`, and the cost depends on it.
    #[must_use]
    pub fn slow_body(longest: Millis) -> Self {
        Problem::new(408, SLOW_BODY, "Slow body", format!("the body did not arrive within {longest}"))
    }

    /// 503: the isolate is reading as many bodies as it can hold, and the cost depends on this one.
    #[must_use]
    pub fn too_many_bodies() -> Self {
        let detail = "too many bodies are on their way (retry after 1s)".to_owned();
        Problem::new(503, TOO_MANY_BODIES, "Too many bodies", detail).after(Millis::from_secs(1))
    }

    /// 429: the client's address has sent too many unknown API keys. It may retry after `wait`.
    #[must_use]
    pub fn too_many_unknown_keys(wait: Millis) -> Self {
        let detail = format!("too many unknown API keys came from this address (retry after {wait})");
        Problem::new(429, TOO_MANY_UNKNOWN_KEYS, "Too many unknown API keys", detail)
            .with("retry-after-ms", wait.get().into())
            .after(wait)
    }
}

const UNKNOWN_KEY: &str = "urn:sluicegate:problem:unknown-key";
const KEY_REQUIRED: &str = "urn:sluicegate:problem:key-required";
const SUSPENDED: &str = "urn:sluicegate:problem:tenant-suspended";
const ADDRESS_DENIED: &str = "urn:sluicegate:problem:address-denied";
const AMBIGUOUS_PATH: &str = "urn:sluicegate:problem:ambiguous-path";
const DUPLICATE_KEY: &str = "urn:sluicegate:problem:duplicate-key";
const TRUNCATED_BODY: &str = "urn:sluicegate:problem:truncated-body";
const SLOW_BODY: &str = "urn:sluicegate:problem:slow-body";
const TOO_MANY_BODIES: &str = "urn:sluicegate:problem:too-many-bodies";
const LAST_RESORT: &str = "urn:sluicegate:problem:too-many-requests";
const TOO_MANY_UNKNOWN_KEYS: &str = "urn:sluicegate:problem:too-many-unknown-keys";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_401_says_how_to_authenticate() {
        for problem in [Problem::unknown_key(), Problem::key_required()] {
            assert_eq!(problem.status, 401);
            let headers = problem.headers();
            assert!(headers.iter().any(|(name, value)| *name == "WWW-Authenticate" && value.starts_with("Bearer")));
        }
    }

    #[test]
    fn guessing_keys_is_refused_with_a_retry_time() {
        let problem = Problem::too_many_unknown_keys(Millis::new(1500));
        assert_eq!(problem.headers(), [("Retry-After", "2".to_owned()), ("Retry-After-Ms", "1500".to_owned())]);
        let body: serde_json::Value = serde_json::from_str(&problem.body()).unwrap();
        assert_eq!((&body["status"], &body["retry-after-ms"]), (&429.into(), &1500.into()));
        assert_eq!(body["type"], TOO_MANY_UNKNOWN_KEYS);
    }
}
