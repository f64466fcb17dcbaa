//! JSON Web Tokens as an identity: what a token must claim, and the public keys that verify it.
//!
//! - `rules`: [`JwtRules`], the table `jwt` of the configuration
//! - `key`: [`VerificationKey`], one public key, and its [`SignatureAlgorithm`]
//! - `key_set`: [`KeySet`], the usable keys of a JSON Web Key Set

mod key;
mod key_set;
mod rules;

pub use key::{KeyMaterial, SignatureAlgorithm, VerificationKey};
pub use key_set::KeySet;
pub(in crate::config) use rules::AUTHORIZATION;
pub use rules::{JwtRules, KeysFrom};
