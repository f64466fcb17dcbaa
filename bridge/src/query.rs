//! The query of a URI.

use std::borrow::Cow;

use axum::http::Uri;
use percent_encoding::percent_decode;

/// Returns the decoded parameters in order; a parameter without `=` has an empty value.
pub(crate) fn parameters(uri: &Uri) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
    let parameters = uri.query().unwrap_or_default().split('&').filter(|parameter| !parameter.is_empty());
    parameters.map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        (form_decode(name), form_decode(value))
    })
}

fn form_decode(text: &str) -> Cow<'_, [u8]> {
    if text.contains('+') {
        Cow::Owned(percent_decode(text.replace('+', " ").as_bytes()).collect())
    } else {
        percent_decode(text.as_bytes()).into()
    }
}

/// The parameter that may carry the bearer token.
pub(crate) const TOKEN: &[u8] = b"_token";
