//! The bearer token that every command needs.

use std::io;

use axum::http::{HeaderMap, Uri, header};
use subtle::ConstantTimeEq;

use crate::query;

/// The bridge's token. It is never printed.
pub(crate) struct Token(String);

impl Token {
    /// Returns `None` if `text` is empty.
    pub(crate) fn new(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }

    /// Returns whether the request carries the token in `Authorization: Bearer`, or in `?_token=` if it has
    /// no such header.
    pub(crate) fn authorizes(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        match headers.get(header::AUTHORIZATION) {
            Some(value) => bearer(value.as_bytes()).is_some_and(|given| self.equals(given)),
            None => query::parameters(uri).any(|(name, value)| *name == *query::TOKEN && self.equals(&value)),
        }
    }

    /// Compares in constant time, except for the length.
    fn equals(&self, given: &[u8]) -> bool {
        self.0.as_bytes().ct_eq(given).into()
    }
}

/// Returns a new token: 160 random bits as 40 lower-case hexadecimal digits.
///
/// # Errors
///
/// Fails if the operating system provides no random numbers.
pub fn random_token() -> io::Result<String> {
    let mut bytes = [0_u8; 20];
    getrandom::fill(&mut bytes)?;
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Ok(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect())
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| token.trim_ascii())
}

const SCHEME: &[u8] = b"bearer ";

#[cfg(test)]
mod tests {
    use super::*;

    fn authorizes(authorization: Option<&str>, uri: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        Token::new("s3cret+x".to_owned()).unwrap().authorizes(&headers, &Uri::from_static(uri))
    }

    #[test]
    fn authorizes_the_token_and_nothing_else() {
        assert!(authorizes(Some("Bearer s3cret+x"), "/"));
        assert!(authorizes(Some("bearer  s3cret+x"), "/"));
        assert!(authorizes(None, "/get/a?EX=1&_token=s3cret%2Bx"));
        for wrong in ["", "Bearer", "Bearer ", "Bearer s3cret", "Bearer s3cret+xx", "Basic s3cret+x", "s3cret+x"] {
            assert!(!authorizes(Some(wrong), "/"), "{wrong}");
        }
        assert!(!authorizes(None, "/"));
        assert!(!authorizes(None, "/?_token="));
        assert!(!authorizes(None, "/?token=s3cret%2Bx"));
    }

    #[test]
    fn a_wrong_header_is_refused_whatever_the_query() {
        assert!(!authorizes(Some("Bearer wrong"), "/?_token=s3cret%2Bx"));
    }

    #[test]
    fn random_tokens_have_160_bits_and_differ() {
        let token = random_token().unwrap();
        assert_eq!(token.len(), 40);
        assert!(token.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')), "{token}");
        assert_ne!(token, random_token().unwrap());
    }

    #[test]
    fn an_empty_token_is_invalid() {
        assert!(Token::new(String::new()).is_none());
    }
}
