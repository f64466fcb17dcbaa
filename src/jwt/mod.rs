//! JSON Web Tokens (RFC 7519): who sent a request, proved by a signature. No I/O and no cryptography: the caller fetches
//! keys, and verifies signatures through [`Verifier`].
//!
//! - `token`: [`Token`], parsed but not verified
//! - `claims`: the claims of a token, checked against the rules
//! - `invalid`: [`InvalidToken`], why a token is refused
//! - `key_cache`: [`KeyCache`], the keys of this isolate and when to fetch them again
//! - `verified_tokens`: the tokens whose signature was verified a moment ago
//! - `token_verifier`: [`TokenVerifier`], from a token to an [`Identity`]
//!
//! It uses `config` and `time`.

mod claims;
mod invalid;
mod key_cache;
mod token;
mod token_verifier;
mod verified_tokens;

pub use claims::Identity;
pub use invalid::InvalidToken;
pub use key_cache::{FETCH_TIMEOUT, KeyCache, KeyLookup, KeyStatus};
pub use token::Token;
pub use token_verifier::{TokenVerifier, Verification, Verifier};
