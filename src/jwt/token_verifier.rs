//! From a token to an identity: checks the claims, finds the key, and has the signature verified.

use std::cell::RefCell;

use super::claims::Identity;
use super::invalid::InvalidToken;
use super::key_cache::{KeyCache, KeyLookup, KeyStatus};
use super::token::Token;
use super::verified_tokens::VerifiedTokens;
use crate::config::jwt::{JwtRules, KeySet, VerificationKey};
use crate::time::Millis;

/// Verifies signatures: the cryptography of the platform.
#[expect(async_fn_in_trait, reason = "the Worker's futures are not Send, the callers name concrete verifiers")]
pub trait Verifier {
    /// Returns whether `signature` is the signature of `message` by the owner of `key`, with the algorithm that the key is
    /// for. A key that the platform does not accept verifies nothing.
    async fn verifies(&self, key: &VerificationKey, message: &[u8], signature: &[u8]) -> bool;
}

/// Verifies tokens. One per isolate.
#[derive(Debug)]
pub struct TokenVerifier {
    rules: JwtRules,
    keys: RefCell<KeyCache>,
    verified: RefCell<VerifiedTokens>,
}

/// The result of verifying a token that is not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// The token is valid.
    Valid {
        /// Who it names.
        identity: Identity,
        /// Whether the caller must fetch the keys again, after its request.
        refresh: bool,
    },
    /// The keys are not known yet: verify the token again when they were fetched.
    Wait {
        /// Whether the caller must begin to fetch them.
        begin: bool,
    },
    /// The keys cannot be fetched. They are not fetched again within this time.
    Unavailable(Millis),
}

impl TokenVerifier {
    /// Creates a verifier. Without `keys`, they must be fetched.
    #[must_use]
    pub fn new(rules: JwtRules, keys: Option<KeySet>) -> Self {
        let keys = keys.map_or_else(KeyCache::empty, KeyCache::fixed);
        TokenVerifier { rules, keys: RefCell::new(keys), verified: RefCell::default() }
    }

    /// Verifies a token. Its claims come first: they cost nothing, and a token of another issuer must not cause a fetch. What
    /// they say counts only if the signature is valid, too.
    ///
    /// # Errors
    /// Returns the reason if the token is not valid.
    pub async fn verify(
        &self,
        token: &Token,
        verifier: &impl Verifier,
        now: Millis,
    ) -> Result<Verification, InvalidToken> {
        let identity = Identity::claimed(token, &self.rules, now)?;
        let lookup = self.keys.borrow_mut().lookup(token.algorithm, token.kid.as_deref(), now);
        let (keys, refresh) = match lookup {
            KeyLookup::Found { keys, refresh } => (keys, refresh),
            KeyLookup::Wait { begin } => return Ok(Verification::Wait { begin }),
            KeyLookup::Unknown => return Err(InvalidToken::UnknownKey),
            KeyLookup::Unavailable(retry) => return Ok(Verification::Unavailable(retry)),
        };
        if !self.verified.borrow().contains(token.text(), now) {
            let generation = self.verified.borrow().generation();
            let mut is_valid = false;
            for key in &keys {
                is_valid = is_valid || verifier.verifies(key, token.signed(), &token.signature).await;
            }
            if !is_valid {
                return Err(InvalidToken::Signature);
            }
            self.verified.borrow_mut().insert(token.text(), generation, now);
        }
        Ok(Verification::Valid { identity, refresh })
    }

    /// Ends a fetch of the keys: with their text, or the reason why there is none.
    ///
    /// # Errors
    /// Returns the reason if there are no new keys. The old ones stay.
    pub fn fetched(&self, text: Result<Vec<u8>, String>, now: Millis) -> Result<(), String> {
        let set = text.and_then(|text| KeySet::parse(&text));
        let result = set.as_ref().map(|_| ()).map_err(Clone::clone);
        if result.is_ok() {
            self.verified.borrow_mut().clear();
        }
        self.keys.borrow_mut().fetched(set, now);
        result
    }

    /// Returns whether the keys are being fetched.
    #[must_use]
    pub fn is_fetching(&self, now: Millis) -> bool {
        self.keys.borrow().is_fetching(now)
    }

    /// Returns the rules.
    #[must_use]
    pub fn rules(&self) -> &JwtRules {
        &self.rules
    }

    /// Returns the state of the keys.
    #[must_use]
    pub fn status(&self, now: Millis) -> KeyStatus {
        self.keys.borrow().status(now)
    }
}
