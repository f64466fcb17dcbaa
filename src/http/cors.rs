//! The CORS protocol for responses of our own (Fetch standard, "CORS protocol"), so that pages of other origins can read
//! them. The origin's responses keep its own CORS headers.

use super::fields::Fields;
use super::rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY, RETRY_AFTER, RETRY_AFTER_MS};
use crate::config::{Cors, CorsOrigins, is_header_name};

/// Returns the method of the request that a CORS preflight announces. `None` if the request is no preflight, or might be
/// another request to the origin: no browser sends a header that overrides the method with one.
#[must_use]
pub fn announced_method<'a>(method: &str, request: Fields<'a>) -> Option<&'a str> {
    if method != "OPTIONS" || METHOD_OVERRIDES.iter().any(|name| request.get(name).is_some()) {
        return None;
    }
    request.get(ORIGIN).and(request.get(REQUEST_METHOD))
}

/// Returns the header fields of a response of our own to a request with these fields. `Vary` is always there: the other
/// fields depend on the request's origin.
#[must_use]
pub fn response_fields(cors: &Cors, request: Fields<'_>) -> Vec<(&'static str, String)> {
    let mut fields = vec![("Vary", "Origin".to_owned())];
    if allow_origin(cors, request, &mut fields) {
        fields.push((EXPOSE_HEADERS, OWN.join(", ")));
    }
    fields
}

/// Returns the header fields of the answer to a preflight with these fields. A page that may read responses may send every
/// method and header.
#[must_use]
pub fn preflight_fields(cors: &Cors, request: Fields<'_>) -> Vec<(&'static str, String)> {
    let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
    let mut fields = vec![("Vary", vary.to_owned())];
    if allow_origin(cors, request, &mut fields) {
        let asked = |name, is_valid: fn(&str) -> bool| request.get(name).filter(|value| is_valid(value));
        let method = asked(REQUEST_METHOD, |value| value.len() <= MAX_METHOD && is_header_name(value));
        fields.extend(method.map(|value| ("Access-Control-Allow-Methods", value.to_owned())));
        let headers =
            asked("access-control-request-headers", |value| value.len() <= MAX_HEADERS && is_name_list(value));
        fields.extend(headers.map(|value| ("Access-Control-Allow-Headers", value.to_owned())));
        fields.push(("Access-Control-Max-Age", MAX_AGE_SECS.to_string()));
    }
    fields
}

/// Returns whether responses of the origin to this request may be made readable in more of their headers.
#[must_use]
pub fn may_expose(cors: &Cors, method: &str, request: Fields<'_>) -> bool {
    request.get(ORIGIN).is_some_and(|origin| cors.allows(origin)) && announced_method(method, request).is_none()
}

/// Returns the field that exposes our headers on a response of the origin with these fields, if the origin lets the page read
/// the response and does not expose them already.
#[must_use]
pub fn exposed_field(response: Fields<'_>) -> Option<(&'static str, String)> {
    response.get("access-control-allow-origin")?;
    let exposed = response.get("access-control-expose-headers").unwrap_or_default();
    let has = |name: &str| exposed.split(',').any(|exposed| exposed.trim().eq_ignore_ascii_case(name));
    // To a request with credentials, `*` is a header of this name.
    let exposes_all = has("*") && response.get("access-control-allow-credentials") != Some("true");
    let missing: Vec<&str> = ON_ORIGIN.into_iter().filter(|name| !exposes_all && !has(name)).collect();
    (!missing.is_empty()).then(|| (EXPOSE_HEADERS, missing.join(", ")))
}

/// Adds the fields that let the request's origin read the response; returns whether it may.
fn allow_origin(cors: &Cors, request: Fields<'_>, fields: &mut Vec<(&'static str, String)>) -> bool {
    let origin = match &cors.origins {
        CorsOrigins::Any => "*",
        CorsOrigins::Listed(_) => match request.get(ORIGIN).filter(|origin| cors.allows(origin)) {
            Some(origin) => origin,
            None => return false,
        },
    };
    fields.push(("Access-Control-Allow-Origin", origin.to_owned()));
    if cors.credentials {
        fields.push(("Access-Control-Allow-Credentials", "true".to_owned()));
    }
    true
}

fn is_name_list(value: &str) -> bool {
    value.split(',').all(|name| is_header_name(name.trim()))
}

const ORIGIN: &str = "origin";
const REQUEST_METHOD: &str = "access-control-request-method";
const EXPOSE_HEADERS: &str = "Access-Control-Expose-Headers";

/// The headers by which some frameworks let a client choose another method.
const METHOD_OVERRIDES: [&str; 3] = ["x-http-method", "x-http-method-override", "x-method-override"];

/// The headers of our own responses that pages may read.
const OWN: [&str; 5] = [RATE_LIMIT, RATE_LIMIT_POLICY, RETRY_AFTER, RETRY_AFTER_MS, "Server-Timing"];

/// The headers that we add to the origin's responses and nobody else: what the origin says in `Server-Timing` or
/// `Retry-After` is its own to expose.
const ON_ORIGIN: [&str; 2] = [RATE_LIMIT, RATE_LIMIT_POLICY];

/// The longest time that Chromium caches a preflight; others cache it longer.
const MAX_AGE_SECS: u32 = 7200;

/// In bytes, far above any method.
const MAX_METHOD: usize = 32;

/// In bytes: the names that a page asks for are sent back.
const MAX_HEADERS: usize = 4096;

#[cfg(test)]
mod tests;
