//! The id under which a request is settled once.

use std::fmt;

/// The id of a request: 1 to 200 visible ASCII characters, chosen by the caller and unique within the subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(String);

/// The error of a text that is not a valid request id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a request id of 1 to {MAX_LENGTH} visible ASCII characters, found {found:?}")]
pub struct InvalidRequestId {
    found: String,
}

impl RequestId {
    /// Creates a request id.
    ///
    /// # Errors
    /// Fails if the id is empty, too long, or contains a space or another invisible character.
    pub fn new(id: &str) -> Result<Self, InvalidRequestId> {
        if (1..=MAX_LENGTH).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(RequestId(id.to_owned()))
        } else {
            Err(InvalidRequestId { found: id.chars().take(MAX_LENGTH + 1).collect() })
        }
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// In bytes. The scripts have the same bound.
const MAX_LENGTH: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_are_visible_ascii() {
        let long = "x".repeat(201);
        for bad in ["", " ", "a b", "a\n", "é", long.as_str()] {
            assert!(RequestId::new(bad).is_err(), "{bad}");
        }
        assert_eq!(RequestId::new("0f8fad5b-d9cb").unwrap().to_string(), "0f8fad5b-d9cb");
    }
}
