//! The name of a limit.

use std::fmt;

use super::invalid::InvalidLimit;

/// The name of a limit in headers and keys: 1 to 64 of `A-Z a-z 0-9 _ - .`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LimitName(pub(super) String);

impl LimitName {
    /// Creates a name.
    ///
    /// # Errors
    /// Fails if the name is empty, too long, or contains another character.
    pub fn new(name: &str) -> Result<Self, InvalidLimit> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if (1..=64).contains(&name.len()) && name.bytes().all(allowed) {
            Ok(LimitName(name.to_owned()))
        } else {
            Err(InvalidLimit::new("name", format!("expected 1 to 64 of A-Z a-z 0-9 _ - . , found {name:?}")))
        }
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_separators() {
        let long = "x".repeat(65);
        for bad in ["", "a b", "a/b", "a;b", "a=b", "a,b", "é", "a{b}", long.as_str()] {
            assert!(LimitName::new(bad).is_err(), "{bad}");
        }
        assert_eq!(LimitName::new("per-minute_1.5").unwrap().to_string(), "per-minute_1.5");
    }
}
