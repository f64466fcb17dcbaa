//! The syntax of HTTP header names.

/// Returns whether a text is a valid header name (RFC 9110, section 5.6.2).
#[must_use]
pub fn is_header_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
