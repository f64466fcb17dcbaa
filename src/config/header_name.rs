//! The syntax of HTTP header names.

/// Returns whether a text is a valid header name (RFC 9110, section 5.6.2).
#[must_use]
pub fn is_header_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Returns the name in lower case.
///
/// # Errors
/// Returns the problem.
pub(super) fn header_name(name: &str) -> Result<String, String> {
    if !is_header_name(name) {
        return Err(format!("expected the name of a header, found {name:?}"));
    }
    Ok(name.to_ascii_lowercase())
}
