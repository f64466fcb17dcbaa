//! Refusals of tokens (RFC 6750, section 3.1).

use super::problem::{Problem, REDUCED_CAPACITY, WWW_AUTHENTICATE};
use crate::jwt::InvalidToken;
use crate::time::Millis;

impl Problem {
    /// 401: the token is not valid, for this reason.
    #[must_use]
    pub fn invalid_token(reason: InvalidToken) -> Self {
        let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{reason}\"");
        Problem::new(401, INVALID_TOKEN, "Invalid token", reason.to_string()).header(WWW_AUTHENTICATE, challenge)
    }

    /// 401: this route needs a token and the request has none.
    #[must_use]
    pub fn token_required() -> Self {
        let detail =
            "this path needs a JSON Web Token (as Authorization: Bearer, unless the API says otherwise)".to_owned();
        Problem::new(401, TOKEN_REQUIRED, "Token required", detail).header(WWW_AUTHENTICATE, "Bearer")
    }

    /// 503: the keys that verify tokens cannot be fetched. They are not fetched again within `retry`.
    #[must_use]
    pub fn token_keys_unavailable(retry: Millis) -> Self {
        let detail = "the keys that verify tokens are not available at the moment".to_owned();
        let title = "Request cannot be satisfied due to temporary server capacity constraints";
        Problem::new(503, REDUCED_CAPACITY, title, detail).after(retry.max(Millis::from_secs(1)))
    }
}

const INVALID_TOKEN: &str = "urn:sluicegate:problem:invalid-token";
const TOKEN_REQUIRED: &str = "urn:sluicegate:problem:token-required";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_401_says_why_in_the_challenge() {
        let problem = Problem::invalid_token(InvalidToken::Expired);
        let challenge = "Bearer error=\"invalid_token\", error_description=\"the token has expired (exp)\"";
        assert_eq!((problem.status, problem.name()), (401, "invalid-token"));
        assert_eq!(problem.headers(), [("WWW-Authenticate", challenge.to_owned())]);
        assert_eq!(Problem::token_required().headers(), [("WWW-Authenticate", "Bearer".to_owned())]);
    }

    #[test]
    fn unavailable_keys_are_no_fault_of_the_client() {
        let problem = Problem::token_keys_unavailable(Millis::new(3100));
        assert_eq!(
            (problem.status, problem.headers()),
            (503, &[("Retry-After", "4".to_owned()), ("Retry-After-Ms", "3100".to_owned())][..])
        );
        let problem = Problem::token_keys_unavailable(Millis::ZERO);
        assert_eq!(problem.headers(), [("Retry-After", "1".to_owned()), ("Retry-After-Ms", "1000".to_owned())]);
    }
}
