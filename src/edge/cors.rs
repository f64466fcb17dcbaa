//! Serves browsers with pages of other origins: handles preflights, and lets the pages read our responses and headers. It
//! does nothing unless the configuration has `cors`.

use std::borrow::Cow;
use std::sync::Arc;

use wasm_bindgen::JsValue;
use web_sys::Response;

use super::decision::Decision;
use super::facts::ClientRequest;
use super::isolate::Isolate;
use super::{glue, response};
use crate::config::routes::Route;
use crate::config::{Cors, Preflight};
use crate::gateway::{check_base_path, find_route};
use crate::http::cors::{announced_method, exposed_field, may_expose, preflight_fields, response_fields};
use crate::http::problem::Problem;
use crate::http::{Fields, RequestFacts, push_field};

/// The request that a preflight announces, with the rules for the preflight.
pub(super) struct AnnouncedRequest<'a> {
    cors: &'a Cors,
    route: Option<&'a Arc<Route>>,
    /// Whether its path and address let it reach the origin.
    reaches_origin: bool,
}

/// Returns what a preflight announces; `None` if the request is none. Preflights have no key and are not limited: a browser
/// sends them by itself, and if one is refused, the page sees a network error instead of the refusal.
pub(super) fn announced<'a>(isolate: &'a Isolate, client: &ClientRequest<'_>) -> Option<AnnouncedRequest<'a>> {
    let cors = isolate.config.cors.as_ref()?;
    let method = announced_method(&client.facts.method, client.fields)?;
    let facts = RequestFacts { method: method.to_owned(), ..client.facts.clone() };
    let route = find_route(&facts, &isolate.config);
    let reaches_origin = match &route {
        Ok(route) => {
            !route.is_some_and(|route| route.denies(facts.address))
                && check_base_path(&facts, isolate.origin_of(*route), *route).is_ok()
        }
        Err(_) => false,
    };
    Some(AnnouncedRequest { cors, route: route.ok().flatten(), reaches_origin })
}

impl AnnouncedRequest<'_> {
    /// Returns the decision about the preflight, with the route of the announced request.
    pub(super) fn decide(&self) -> Decision {
        Decision { route: self.route.cloned(), ..Decision::new() }
    }

    /// Returns whether the preflight is answered here: as configured, or because the announced request could not reach the
    /// origin.
    pub(super) fn is_answered(&self) -> bool {
        self.cors.preflight == Preflight::Answer || !self.reaches_origin
    }

    /// Answers the preflight, with the headers `added`, in lines.
    pub(super) fn answer(&self, client: &ClientRequest<'_>, added: &str) -> Result<Response, JsValue> {
        glue::make_response(204, None, &with(added, preflight_fields(self.cors, client.fields)))
    }
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

/// Returns the headers `added`, in lines, and the one that exposes them on a response of the origin with the headers `fields`,
/// if the request's page can read the response. The origin's own headers stay.
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
