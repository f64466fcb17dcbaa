//! The secret that opens the REST server.

use std::fmt;

/// A bearer token: visible ASCII, never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Takes a token; `None` if it is empty or has a character that no token has.
    #[must_use]
    pub fn new(token: &str) -> Option<Self> {
        let valid = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        valid.then(|| Token(token.to_owned()))
    }

    /// The token itself.
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
