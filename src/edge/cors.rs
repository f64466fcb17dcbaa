//! Serves browsers with pages of other origins: handles preflights, and lets the pages read our responses and headers. It
//! does nothing unless the configuration has `cors`.

use std::borrow::Cow;

use wasm_bindgen::JsValue;
use web_sys::Response;

use super::facts::ClientRequest;
use super::isolate::Isolate;
use super::{glue, response};
use crate::gateway::AnnouncedRequest;
use crate::http::cors::{exposed_field, may_expose, response_fields};
use crate::http::problem::Problem;
use crate::http::{Fields, push_field};

/// Returns what a preflight announces; `None` if the request is none.
pub(super) fn announced<'a>(isolate: &'a Isolate, client: &ClientRequest<'_>) -> Option<AnnouncedRequest<'a>> {
    AnnouncedRequest::of(&client.facts, client.fields, &isolate.config, &isolate.origin)
}

/// Answers the preflight of a request, with the headers `added`, in lines.
pub(super) fn answer(
    announced: &AnnouncedRequest<'_>,
    client: &ClientRequest<'_>,
    added: &str,
) -> Result<Response, JsValue> {
    glue::make_response(204, None, &with(added, announced.answer(client.fields)))
}

/// Returns a problem as a response with the headers `added`, in lines. The request's page can read it, if it may.
pub(super) fn problem(
    isolate: &Isolate,
    client: &ClientRequest<'_>,
    problem: &Problem,
    added: &str,
) -> Result<Response, JsValue> {
    match &isolate.config.cors {
        None => response::problem_with(problem, added),
        Some(cors) => response::problem_with(problem, &with(added, response_fields(cors, client.fields))),
    }
}

/// Returns the headers `added`, in lines, and the one that exposes them on a response of the origin with the headers
/// `fields`, if the request's page can read the response. The origin's own headers stay.
pub(super) fn with_exposed<'a>(
    isolate: &Isolate,
    client: &ClientRequest<'_>,
    fields: Fields<'_>,
    added: &'a str,
) -> Cow<'a, str> {
    let cors = isolate.config.cors.as_ref();
    let cors = cors.filter(|cors| may_expose(cors, &client.facts.method, client.fields));
    match cors.and_then(|_| exposed_field(fields)) {
        Some(field) => Cow::Owned(with(added, vec![field])),
        None => Cow::Borrowed(added),
    }
}

/// Returns lines of headers with more fields.
fn with(lines: &str, fields: Vec<(&'static str, String)>) -> String {
    let mut lines = lines.to_owned();
    for (name, value) in fields {
        push_field(&mut lines, name, &value);
    }
    lines
}
