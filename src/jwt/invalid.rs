//! Why a token is refused.

/// Why a token is refused. The message is for the client: it contains nothing of the token or of the configuration, and only
/// characters that may appear in `error_description` (RFC 6750, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// It is longer than [`Token::MAX_BYTES`](super::Token::MAX_BYTES).
    #[error("the token is too long")]
    TooLong,
    /// A part cannot be read.
    #[error("the token cannot be read: {0}")]
    Malformed(&'static str),
    /// Its algorithm is `none`, HMAC, or another one that is not accepted.
    #[error("the token is not signed with RS256, ES256 or EdDSA")]
    Algorithm,
    /// Its `typ` says that it is for something else.
    #[error("the token is of another type (typ)")]
    Type,
    /// It has a header parameter that must be understood.
    #[error("the token has critical header parameters (crit)")]
    Critical,
    /// Its `iss` is not the expected one.
    #[error("the token is from another issuer (iss)")]
    Issuer,
    /// Its `aud` is not an expected one.
    #[error("the token is for another audience (aud)")]
    Audience,
    /// It has no `exp`.
    #[error("the token has no expiry (exp)")]
    NoExpiry,
    /// Its `exp` has passed.
    #[error("the token has expired (exp)")]
    Expired,
    /// Its `nbf` is in the future.
    #[error("the token is not valid yet (nbf)")]
    NotYetValid,
    /// It does not name a subject, or one that is too long.
    #[error("the token does not name a subject of 1 to 1024 bytes")]
    Subject,
    /// No key has its `kid` and algorithm.
    #[error("the token is signed with an unknown key (kid)")]
    UnknownKey,
    /// No key verifies its signature.
    #[error("the signature of the token is not valid")]
    Signature,
}
