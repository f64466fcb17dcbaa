//! The tokens whose signature was verified a moment ago. A client sends the same token with each of its requests, and
//! verifying a signature takes longer than everything else in a decision.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::time::Millis;

/// Digests of tokens with a valid signature. Claims are not remembered: they are checked for every request.
#[derive(Debug, Default)]
pub(super) struct VerifiedTokens {
    until: HashMap<[u8; 32], Millis>,
    /// How many times all tokens were forgotten.
    generation: u64,
}

impl VerifiedTokens {
    /// Returns whether the signature of this token is known to be valid.
    pub(super) fn contains(&self, token: &str, now: Millis) -> bool {
        self.until.get(&digest(token)).is_some_and(|until| now < *until)
    }

    /// Returns a number that changes when the keys may have.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Remembers a token for [`REMEMBERED_FOR`]. Its verification began in this generation: a key that was withdrawn
    /// meanwhile does not count.
    pub(super) fn insert(&mut self, token: &str, generation: u64, now: Millis) {
        if generation != self.generation {
            return;
        }
        if self.until.len() >= MAX_TOKENS {
            self.until.retain(|_, until| now < *until);
            if self.until.len() >= MAX_TOKENS {
                self.until.clear();
            }
        }
        self.until.insert(digest(token), now.saturating_add(REMEMBERED_FOR));
    }

    /// Forgets all tokens, because the keys may have changed.
    pub(super) fn clear(&mut self) {
        self.until.clear();
        self.generation += 1;
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// How long a token is remembered. The keys of an issuer are used for longer without asking for newer ones.
const REMEMBERED_FOR: Millis = Millis::from_secs(60);

/// The most tokens, at about 50 bytes each.
const MAX_TOKENS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_remembered_for_a_minute() {
        let (mut tokens, now) = (VerifiedTokens::default(), Millis::new(1_800_000_000_000));
        tokens.insert("a.b.c", 0, now);
        assert!(tokens.contains("a.b.c", now) && !tokens.contains("a.b.d", now));
        assert!(tokens.contains("a.b.c", Millis::new(now.get() + 59_999)));
        assert!(!tokens.contains("a.b.c", Millis::new(now.get() + 60_000)));
        tokens.clear();
        assert!(!tokens.contains("a.b.c", now));
        tokens.insert("a.b.c", 0, now);
        assert!(!tokens.contains("a.b.c", now), "the keys have changed since");
        tokens.insert("a.b.c", tokens.generation(), now);
        assert!(tokens.contains("a.b.c", now));
    }

    #[test]
    fn memory_is_bounded() {
        let mut tokens = VerifiedTokens::default();
        for i in 0..3 * MAX_TOKENS {
            tokens.insert(&i.to_string(), 0, Millis::new(i as u64));
        }
        assert!(tokens.until.len() <= MAX_TOKENS && tokens.contains(&(3 * MAX_TOKENS - 1).to_string(), Millis::ZERO));
    }
}
