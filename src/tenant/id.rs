//! The id of a tenant.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::limit::Subject;

/// A tenant id: 1 to 64 of `a-z 0-9 - .`, the first and the last a letter or a digit.
///
/// It contains no `:`, so it never equals the subject of an address; no `_`, which separates the parts of an API
/// key; and nothing that needs encoding in a Redis key or in a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(String);

impl TenantId {
    /// Parses an id.
    ///
    /// # Errors
    /// Fails if it is empty, too long, or contains another character.
    pub fn new(id: &str) -> Result<Self, InvalidTenantId> {
        let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let ends = [id.bytes().next(), id.bytes().next_back()];
        let valid = id.len() <= TenantId::LONGEST
            && ends.into_iter().all(|end| end.is_some_and(alphanumeric))
            && id.bytes().all(|byte| alphanumeric(byte) || matches!(byte, b'-' | b'.'));
        if valid { Ok(TenantId(id.to_owned())) } else { Err(InvalidTenantId(id.chars().take(80).collect())) }
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the tenant's subject. No address has a subject of this form.
    #[must_use]
    pub fn subject(&self) -> Subject {
        Subject::named(&self.0)
    }

    /// The length of the longest id, in bytes.
    pub const LONGEST: usize = 64;
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for TenantId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A text that is not a tenant id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to 64 of a-z 0-9 - . , the first and the last a letter or a digit, found {0:?}")]
pub struct InvalidTenantId(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_only_safe_characters() {
        let long = "x".repeat(64);
        for good in ["a", "7", "acme", "acme-2.eu", "a--b", "a..b", long.as_str()] {
            assert_eq!(TenantId::new(good).unwrap().to_string(), good);
        }
        let long = "x".repeat(65);
        for bad in ["", "-", "a-", ".a", "Acme", "a_b", "ip:1", "a/b", "a b", "a\n", "é", "{a}", "a%20", long.as_str()]
        {
            let error = TenantId::new(bad).unwrap_err();
            assert!(error.to_string().ends_with(&format!("found {bad:?}")), "{error}");
        }
    }

    #[test]
    fn subject_is_the_id() {
        let subject = TenantId::new("acme-2.eu").unwrap().subject();
        assert_eq!(subject.state_key(), "sg:1:{acme-2.eu}");
    }

    #[test]
    fn json_form_is_a_string() {
        assert_eq!(serde_json::to_string(&TenantId::new("acme").unwrap()).unwrap(), "\"acme\"");
    }
}
