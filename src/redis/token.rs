//! The bearer token of the REST server.

use std::fmt;

/// A bearer token: visible ASCII, hidden from `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Creates a token; `None` if the text is empty or has a character other than visible ASCII.
    #[must_use]
    pub fn new(token: &str) -> Option<Self> {
        let valid = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        valid.then(|| Token(token.to_owned()))
    }

    /// Returns the token's text, which is secret.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}
