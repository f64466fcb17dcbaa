//! Forwards a request to the origin, streaming both ways. No body passes through wasm, except on a route whose cost stands in
//! one.

use std::fmt;
use std::sync::Arc;

use js_sys::Object;
use js_sys::futures::JsFuture;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Response;

use super::bodies::MeteredBody;
use super::completion::{End, OriginResponse};
use super::decision::Decision;
use super::facts::ClientRequest;
use super::isolate::Isolate;
use super::js::{FixedLengthStream, IdentityTransformStream, discard_body, error_message, object};
use super::{cors, glue};
use crate::config::costs::Settle;
use crate::gateway::AllowedRequest;
use crate::http::Fields;
use crate::http::forwarding::dropped_from_response;
use crate::http::problem::Problem;
use crate::http::usage::UsageMeter;

/// What to do beside forwarding.
pub(super) struct Beside<'a> {
    /// Whether the end of the response's body must be known.
    pub(super) watch: bool,
    /// Where the response tells its cost.
    pub(super) settle: Option<&'a Arc<Settle>>,
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

/// Forwards a request and returns the response for the client, with the headers `added`, and what completion needs of it, as
/// soon as the origin's headers arrive.
///
/// Redirects are not followed: a request of a fetch handler has the redirect mode `manual`, and so has its copy.
///
/// The request stays alive if its client disconnects, so this then ends the request to the origin and the body of its
/// response.
///
/// # Errors
/// Fails if the origin does not answer, or if its response cannot be passed on.
pub(super) async fn forward(
    isolate: &Isolate,
    client: &ClientRequest<'_>,
    decision: &Decision,
    Beside { watch, settle }: Beside<'_>,
    added: &str,
) -> Result<(Response, OriginResponse), OriginError> {
    let reads = settle.is_some_and(|settle| settle.reads_bodies());
    let allowed = AllowedRequest {
        config: &isolate.config,
        origin: &isolate.origin,
        secrets: &isolate.origin_secrets,
        facts: &client.facts,
        url: &client.url,
        fields: client.fields,
        route: decision.route.as_ref(),
        tenant: decision.tenant(),
        token_subject: decision.token_subject(),
        body_was_read: decision.request.is_some(),
        reads_response: reads,
    };
    let onward = allowed.onward().ok_or(OriginError::Configuration)?;
    let service = match onward.origin.service() {
        Some(name) => Some(isolate.service(name).ok_or(OriginError::Configuration)?),
        None => None,
    };
    let options: Object = if watch || reads {
        // Without this, a compressed body would be decoded for the stream, encoded again, and lose its length.
        object([("encodeResponseBody", "manual".into())]).unchecked_into()
    } else {
        Object::new()
    };
    let request = decision.request.as_ref().unwrap_or(client.request);
    let fetch = glue::fetch_onward(&onward.url, request, &onward.dropped.join("\n"), &onward.set, &options, service)?;
    let response: Response = JsFuture::from(fetch).await?.unchecked_into();
    let head = glue::read_response(&response);
    let (status, fields) = head.split_once('\n').unwrap_or_default();
    let (status, fields) = (status.parse().unwrap_or_default(), Fields::new(fields));
    if status > MAX_STATUS {
        discard_body(&response);
        return Err(OriginError::Status(status));
    }
    let mut meter = settle.map(|settle| UsageMeter::new(settle, fields));
    let reads = meter.as_ref().is_some_and(UsageMeter::reads_body);
    let (mut end, mut passed_on) = (End::Unknown, None);
    if (watch || reads)
        && let Some(body) = response.body()
    {
        let stream = stream_for(fields);
        end = match meter.take_if(|_| reads) {
            Some(meter) => End::Metered(MeteredBody::pass(&body, &stream.writable(), meter)),
            None => End::Watched(body.pipe_to(&stream.writable())),
        };
        passed_on = Some(stream.readable());
    }
    let usage = meter.map(|meter| meter.finish(true)).unwrap_or_default();
    let dropped = dropped_from_response(fields).join("\n");
    let added = cors::with_exposed(isolate, client, fields, added);
    let response = glue::copy_response(&response, passed_on.as_ref(), &dropped, &added)?;
    Ok((response, OriginResponse { status, usage, end }))
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

/// Creates a stream inside the runtime for a body, so that its end can be known.
fn stream_for(fields: Fields<'_>) -> IdentityTransformStream {
    let length = fields.get("content-length").and_then(|length| length.parse::<u32>().ok());
    match length {
        Some(length) => FixedLengthStream::new(length.into()).unchecked_into(),
        None => IdentityTransformStream::new(),
    }
}

/// The highest status that the constructor of `Response` accepts (Fetch standard, "initialize a response").
const MAX_STATUS: u16 = 599;
