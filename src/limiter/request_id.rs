//! The id of a request.

use std::fmt;

/// The id of a request, chosen by the caller: 1 to 200 visible ASCII characters, unlike that of any other request
/// of its subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(String);

/// A text that cannot be the id of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a request id of 1 to {MAX_LENGTH} visible ASCII characters, found {found:?}")]
pub struct InvalidRequestId {
    found: String,
}

impl RequestId {
    /// Takes an id.
    ///
    /// # Errors
    /// When it is empty, too long, or has a space or another invisible character.
    pub fn new(id: &str) -> Result<Self, InvalidRequestId> {
        if (1..=MAX_LENGTH).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(RequestId(id.to_owned()))
        } else {
            Err(InvalidRequestId { found: id.chars().take(MAX_LENGTH + 1).collect() })
        }
    }

    /// The id's text.
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
