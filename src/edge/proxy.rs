//! Forwards a request to the origin, streaming both ways: no body passes through wasm.

use std::fmt;

use js_sys::futures::JsFuture;
use js_sys::{Array, Promise};
use url::Url;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Headers, ReadableStream, Request, RequestInit, Response, WorkerGlobalScope};

use super::completion::Answered;
use super::js::{FixedLengthStream, IdentityTransformStream, error_message, object};
use crate::config::environment::Origin;
use crate::http::RequestFacts;
use crate::http::forwarding::{forwarded, hop_by_hop, is_forwarding_header};
use crate::http::problem::Problem;
use crate::tenant::TenantId;

/// The origin's answer.
pub(super) struct Forwarded {
    /// As it goes to the client; headers can be changed.
    pub(super) response: Response,
    /// Is kept when the body has ended or the client has gone; only of an answer that is watched and has a body.
    ended: Option<Promise>,
}

/// Why the origin's response cannot be passed on.
pub(super) enum OriginError {
    /// There is none.
    NoResponse(JsValue),
    /// No response of the Workers runtime can have this status.
    Status(u16),
}

/// Sends the request on and returns the origin's answer as it comes; or why there is none.
///
/// Redirects are not followed: a request of a fetch handler has the redirect mode `manual`, and its copy too.
///
/// When the client of a `watched` request goes away, the request to the origin ends, and so does its answer's body. No
/// other request needs that said: the runtime ends it with all that was done for it.
pub(super) async fn forward(
    origin: &Origin,
    request: &Request,
    url: &Url,
    facts: &RequestFacts,
    tenant: Option<&TenantId>,
    watched: bool,
) -> Result<Forwarded, OriginError> {
    // A request as the initializer keeps the method, the headers, the body as a stream, and the signal.
    let init: &RequestInit = request.unchecked_ref();
    let onward = Request::new_with_str_and_init(&origin.url_for(url), init)?;
    let headers = onward.headers();
    let upgrade = headers.get("upgrade")?;
    drop_hop_by_hop(&headers)?;
    if let Some(protocol) = upgrade.filter(|protocol| protocol.eq_ignore_ascii_case("websocket")) {
        headers.set("upgrade", &protocol)?;
    }
    strip_forwarding_headers(&headers)?;
    for (name, value) in forwarded(facts, url, tenant) {
        match value {
            Some(value) => headers.set(name, &value)?,
            None => headers.delete(name)?,
        }
    }

    let runtime: WorkerGlobalScope = js_sys::global().unchecked_into();
    let init: RequestInit = if watched {
        // A body that goes through a stream would else be decoded, encoded anew, and lose its length.
        let init: RequestInit = object([("encodeResponseBody", "manual".into())]).unchecked_into();
        init.set_signal(Some(&departure(request)));
        init
    } else {
        RequestInit::new()
    };
    let response = JsFuture::from(runtime.fetch_with_request_and_init(&onward, &init)).await?;
    let response: Response = response.unchecked_into();
    if response.status() > MAX_STATUS {
        if let Some(body) = response.body() {
            // Frees the connection. The result does not matter.
            let _ = body.cancel();
        }
        return Err(OriginError::Status(response.status()));
    }
    let (body, ended) = match response.body() {
        Some(body) if watched => {
            let (body, ended) = watch(&response, &body)?;
            (Some(body), Some(ended))
        }
        body => (body, None),
    };
    // A response as the initializer keeps the status, the headers, an encoded body as it is, and a WebSocket.
    let response = Response::new_with_opt_readable_stream_and_init(body.as_ref(), response.unchecked_ref())?;
    drop_hop_by_hop(&response.headers())?;
    Ok(Forwarded { response, ended })
}

impl Forwarded {
    /// What the answer says of the request's cost, in the header `settled_by`, and when it ends.
    pub(super) fn answered(&self, settled_by: Option<&str>) -> Result<Answered, JsValue> {
        let told = settled_by.map(|name| self.response.headers().get(name)).transpose()?.flatten();
        let cost = told.and_then(|told| told.trim().parse().ok());
        Ok(Answered { status: self.response.status(), cost, ended: self.ended.clone() })
    }
}

impl OriginError {
    /// Returns the problem for the client, which does not name the cause.
    pub(super) fn problem(&self) -> Problem {
        match self {
            OriginError::NoResponse(_) => Problem::origin_unreachable(),
            OriginError::Status(status) => Problem::invalid_origin_status(*status),
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
        }
    }
}

impl From<JsValue> for OriginError {
    fn from(error: JsValue) -> Self {
        OriginError::NoResponse(error)
    }
}

/// A signal that the client has gone. The request's own one is not heeded by a fetch, where the compatibility flag
/// `request_signal_passthrough` is not set; with it every answer would be led through one more stream.
fn departure(request: &Request) -> AbortSignal {
    AbortSignal::any(&Array::of1(&request.signal()))
}

/// Leads a body through a stream of the runtime's own, which tells when it has ended.
fn watch(response: &Response, body: &ReadableStream) -> Result<(ReadableStream, Promise), JsValue> {
    let headers = response.headers();
    let length = headers.get("content-length")?.and_then(|length| length.parse::<u32>().ok());
    let stream: IdentityTransformStream = match length {
        Some(length) => FixedLengthStream::new(length.into()).unchecked_into(),
        None => IdentityTransformStream::new(),
    };
    let ended = body.pipe_to(&stream.writable());
    Ok((stream.readable(), ended))
}

fn strip_forwarding_headers(headers: &Headers) -> Result<(), JsValue> {
    let names = headers.keys().into_iter().filter_map(|name| name.ok()?.as_string());
    let claims: Vec<String> = names.filter(|name| is_forwarding_header(name)).collect();
    claims.iter().try_for_each(|name| headers.delete(name))
}

fn drop_hop_by_hop(headers: &Headers) -> Result<(), JsValue> {
    let connection = headers.get("connection")?;
    hop_by_hop(connection.as_deref()).try_for_each(|name| headers.delete(name))
}

/// The highest status that the constructor of `Response` accepts (Fetch standard, "initialize a response").
const MAX_STATUS: u16 = 599;
