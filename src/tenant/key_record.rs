//! The record of an API key in its tenant's document.

use std::fmt;

use serde::{Serialize, Serializer};

use super::api_key::ApiKey;
use super::key_digest::KeyDigest;
use crate::time::{Millis, Timestamp};

/// The record of an API key: its id, digest and lifetime, but not the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// The public name of the key.
    pub id: KeyId,
    /// The digest of the key.
    pub sha256: KeyDigest,
    /// When the key was created.
    pub created: Timestamp,
    /// The first instant at which the key is no longer valid; `None` if it does not expire.
    pub expires: Option<Timestamp>,
}

impl KeyRecord {
    /// Creates the record of a key. The id is a prefix of the digest, so it needs no further random bytes.
    #[must_use]
    pub fn new(key: &ApiKey, created: Timestamp, expires: Option<Timestamp>) -> Self {
        let sha256 = key.digest();
        let id = sha256.to_string().chars().take(ID_DIGITS).collect();
        KeyRecord { id: KeyId(id), sha256, created, expires }
    }

    /// Returns whether the key has expired at `now`.
    #[must_use]
    pub fn has_expired(&self, now: Millis) -> bool {
        self.expires.is_some_and(|expires| expires.millis() <= now)
    }
}

/// The id of a key within its tenant: 1 to 64 of `A-Z a-z 0-9 _ - .`
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(String);

impl KeyId {
    /// Parses an id.
    ///
    /// # Errors
    /// Fails if it is empty, too long, or contains another character.
    pub fn new(id: &str) -> Result<Self, InvalidKeyId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let valid = (1..=64).contains(&id.len()) && id.bytes().all(allowed);
        if valid { Ok(KeyId(id.to_owned())) } else { Err(InvalidKeyId(id.chars().take(80).collect())) }
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A text that is not a key id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to 64 of A-Z a-z 0-9 _ - . , found {0:?}")]
pub struct InvalidKeyId(String);

/// Digits of a new id: enough that a tenant's few keys never collide, and short enough to type.
const ID_DIGITS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tenant::id::TenantId;

    fn record(expires: Option<u64>) -> KeyRecord {
        let key = ApiKey::generate(&TenantId::new("acme").unwrap(), [7; 20]);
        let at = |ms| Timestamp::new(Millis::new(ms));
        KeyRecord::new(&key, at(1000), expires.map(at))
    }

    #[test]
    fn key_expires_exactly_at_its_end() {
        let record = record(Some(5000));
        assert!(!record.has_expired(Millis::new(4999)));
        assert!(record.has_expired(Millis::new(5000)));
        assert!(!self::record(None).has_expired(Millis::new(u64::MAX)));
    }

    #[test]
    fn id_is_a_prefix_of_the_digest() {
        let record = record(None);
        assert_eq!(record.id.as_str().len(), 12);
        assert!(record.sha256.to_string().starts_with(record.id.as_str()));
    }

    #[test]
    fn ids_have_only_safe_characters() {
        assert_eq!(KeyId::new("Ci_2.a-b").unwrap().to_string(), "Ci_2.a-b");
        for bad in ["", "a b", "a/b", "é", &"x".repeat(65)] {
            assert!(KeyId::new(bad).is_err(), "{bad}");
        }
    }
}
