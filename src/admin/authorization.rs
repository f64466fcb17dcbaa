//! Checks the admin token.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::redis::Token;

/// Returns whether an `Authorization` header carries the token. Compares digests in constant time, so that the duration
/// reveals neither the token nor its length.
pub(super) fn is_authorized(authorization: Option<&str>, token: &Token) -> bool {
    let Some((scheme, credentials)) = authorization.and_then(|value| value.split_once(' ')) else { return false };
    let (found, expected) = (Sha256::digest(credentials.trim()), Sha256::digest(token.reveal()));
    scheme.eq_ignore_ascii_case("bearer") && bool::from(found.as_slice().ct_eq(expected.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_token_is_authorized() {
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
