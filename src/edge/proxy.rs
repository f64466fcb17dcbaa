//! Forwards a request to the origin, streaming both ways: no body passes through wasm.

use std::fmt;

use js_sys::futures::JsFuture;
use js_sys::{Object, Promise};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ReadableStream, Response};

use super::completion::OriginResponse;
use super::decision::Decision;
use super::facts::ClientRequest;
use super::glue;
use super::isolate::Isolate;
use super::js::{FixedLengthStream, IdentityTransformStream, error_message, object};
use crate::http::forwarding::{dropped_from_request, dropped_from_response, forwarded, headers_with_key};
use crate::http::problem::Problem;
use crate::http::{Fields, push_field};

/// The response to a forwarded request.
pub(super) struct Forwarded {
    /// The response for the client. Its headers can be changed.
    pub(super) response: Response,
    status: u16,
    /// Resolves or rejects when the body ends or the client disconnects; `None` if it is not watched or has no body.
    ended: Option<Promise>,
}

/// Why the origin's response cannot be passed on.
pub(super) enum OriginError {
    /// There is none.
    NoResponse(JsValue),
    /// No response of the Workers runtime can have this status.
    Status(u16),
    /// The isolate lacks a binding or a secret that the route names: it has them of another configuration.
    Configuration,
}

/// Forwards a request and returns the origin's response, with the headers `added`, as soon as its headers arrive.
///
/// Redirects are not followed: a request of a fetch handler has the redirect mode `manual`, and so has its copy.
///
/// The request stays alive if its client disconnects, so this then ends the request to the origin and the body of its
/// response. With `watch`, the end of the body can be awaited.
///
/// # Errors
/// Fails if the origin does not answer, or if its response cannot be passed on.
pub(super) async fn forward(
    isolate: &Isolate,
    client: &ClientRequest<'_>,
    decision: &Decision,
    watch: bool,
    added: &str,
) -> Result<Forwarded, OriginError> {
    let onward = decision.route.as_ref().map(|route| &route.onward);
    let origin = onward.and_then(|onward| onward.origin.as_ref()).unwrap_or(&isolate.origin);
    let service = match origin.service() {
        Some(name) => Some(isolate.service(name).ok_or(OriginError::Configuration)?),
        None => None,
    };
    let mut dropped = dropped_from_request(client.fields);
    let forwards_key = onward.and_then(|onward| onward.forward_key).unwrap_or(isolate.config.forward_key);
    if client.facts.api_key.is_some() && !forwards_key {
        dropped.extend(headers_with_key(client.fields, isolate.config.key_sources()));
    }
    let mut set = String::new();
    for (name, value) in forwarded(&client.facts, &client.url, decision.tenant(), decision.token_subject()) {
        // A header without a value is among those that are dropped.
        if let Some(value) = value {
            push_field(&mut set, name, &value);
        }
    }
    if let Some(onward) = onward.filter(|onward| onward.changes_headers()) {
        dropped.extend(client.fields.iter().map(|(name, _)| name).filter(|name| onward.drops(name)));
        onward.push_headers(&mut set, &isolate.origin_secrets).ok_or(OriginError::Configuration)?;
    }
    let options: Object = if watch {
        // Without this, a compressed body would be decoded for the stream, encoded again, and lose its length.
        object([("encodeResponseBody", "manual".into())]).unchecked_into()
    } else {
        Object::new()
    };
    let url = origin.url_for(&client.url, onward.map_or(0, |onward| onward.strip));
    let fetch = glue::fetch_onward(&url, client.request, &dropped.join("\n"), &set, &options, service)?;
    let response: Response = JsFuture::from(fetch).await?.unchecked_into();
    let head = glue::read_response(&response);
    let (status, fields) = head.split_once('\n').unwrap_or_default();
    let (status, fields) = (status.parse().unwrap_or_default(), Fields::new(fields));
    if status > MAX_STATUS {
        if let Some(body) = response.body() {
            // Frees the connection. The result does not matter.
            let _ = body.cancel();
        }
        return Err(OriginError::Status(status));
    }
    let (body, ended) = match if watch { response.body() } else { None } {
        Some(body) => {
            let (body, ended) = watch_body(fields, &body);
            (Some(body), Some(ended))
        }
        None => (None, None),
    };
    let dropped = dropped_from_response(fields).join("\n");
    let response = glue::copy_response(&response, body.as_ref(), &dropped, added)?;
    Ok(Forwarded { response, status, ended })
}

impl Forwarded {
    /// Returns what completion needs. The header `settled_by` has the real cost.
    pub(super) fn summary(&self, settled_by: Option<&str>) -> Result<OriginResponse, JsValue> {
        let cost = settled_by.map(|name| self.response.headers().get(name)).transpose()?.flatten();
        let cost = cost.and_then(|cost| cost.trim().parse().ok());
        Ok(OriginResponse { status: self.status, cost, ended: self.ended.clone() })
    }
}

impl OriginError {
    /// Returns the problem for the client, which does not name the cause.
    pub(super) fn problem(&self) -> Problem {
        match self {
            OriginError::NoResponse(_) => Problem::origin_unreachable(),
            OriginError::Status(status) => Problem::invalid_origin_status(*status),
            OriginError::Configuration => Problem::misconfigured(),
        }
    }
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OriginError::NoResponse(error) => write!(f, "the origin does not answer: {}", error_message(error)),
            OriginError::Status(status) => {
                write!(f, "the origin answered with status {status}, which cannot be passed on")
            }
            OriginError::Configuration => f.write_str("a binding or a secret of the route is not read"),
        }
    }
}

impl From<JsValue> for OriginError {
    fn from(error: JsValue) -> Self {
        OriginError::NoResponse(error)
    }
}

/// Leads a body through a stream inside the runtime, and returns a promise that resolves or rejects at its end.
fn watch_body(fields: Fields<'_>, body: &ReadableStream) -> (ReadableStream, Promise) {
    let length = fields.get("content-length").and_then(|length| length.parse::<u32>().ok());
    let stream: IdentityTransformStream = match length {
        Some(length) => FixedLengthStream::new(length.into()).unchecked_into(),
        None => IdentityTransformStream::new(),
    };
    let ended = body.pipe_to(&stream.writable());
    (stream.readable(), ended)
}

/// The highest status that the constructor of `Response` accepts (Fetch standard, "initialize a response").
const MAX_STATUS: u16 = 599;
