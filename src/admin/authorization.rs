//! Who may use the API: whoever knows the admin token.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::redis::Token;

/// Whether an `Authorization` header carries the token. Neither what it carries nor how long it is shows in the time
/// that this takes: digests are compared, and those in constant time.
pub(super) fn is_authorized(authorization: Option<&str>, token: &Token) -> bool {
    let Some((scheme, credentials)) = authorization.and_then(|value| value.split_once(' ')) else { return false };
    let (shown, wanted) = (Sha256::digest(credentials.trim()), Sha256::digest(token.reveal()));
    scheme.eq_ignore_ascii_case("bearer") && bool::from(shown.as_slice().ct_eq(wanted.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_itself_opens() {
        let token = Token::new("s3cret").unwrap();
        for good in ["Bearer s3cret", "bearer s3cret", "BEARER  s3cret "] {
            assert!(is_authorized(Some(good), &token), "{good}");
        }
        for bad in
            ["", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret1", "Basic s3cret", "s3cret", "Bearer S3CRET"]
        {
            assert!(!is_authorized(Some(bad), &token), "{bad}");
        }
        assert!(!is_authorized(None, &token));
    }
}
