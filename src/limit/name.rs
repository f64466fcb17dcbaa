//! The name of a limit.

use std::fmt;

use super::invalid::InvalidLimit;

/// The name of a limit, as it appears in headers and keys: 1 to 64 of `A-Z a-z 0-9 _ - .`
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LimitName(pub(super) String);

impl LimitName {
    /// Takes a name.
    ///
    /// # Errors
    /// When it is empty, too long, or has another character.
    pub fn new(name: &str) -> Result<Self, InvalidLimit> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if (1..=64).contains(&name.len()) && name.bytes().all(allowed) {
            Ok(LimitName(name.to_owned()))
        } else {
            Err(InvalidLimit::new("name", format!("expected 1 to 64 of A-Z a-z 0-9 _ - . , found {name:?}")))
        }
    }

    /// The name's text.
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
