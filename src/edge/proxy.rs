//! Forwards a request to the origin, streaming both ways: no body passes through wasm.

use std::fmt;

use js_sys::futures::JsFuture;
use js_sys::{Array, Promise};
use url::Url;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Headers, ReadableStream, Request, RequestInit, Response, WorkerGlobalScope};

use super::completion::OriginResponse;
use super::js::{FixedLengthStream, IdentityTransformStream, error_message, object};
use crate::config::environment::Origin;
use crate::http::RequestFacts;
use crate::http::forwarding::{forwarded, hop_by_hop, is_forwarding_header};
use crate::http::problem::Problem;
use crate::tenant::TenantId;

/// The response to a forwarded request.
pub(super) struct Forwarded {
    /// The response for the client. Its headers can be changed.
    pub(super) response: Response,
    /// Resolves or rejects when the body ends or the client disconnects; `None` if it is not watched or has no body.
    ended: Option<Promise>,
}

/// Why the origin's response cannot be passed on.
pub(super) enum OriginError {
    /// There is none.
    NoResponse(JsValue),
    /// No response of the Workers runtime can have this status.
    Status(u16),
}

/// Forwards a request and returns the origin's response as soon as its headers arrive.
///
/// Redirects are not followed: a request of a fetch handler has the redirect mode `manual`, and so has its copy.
///
/// The request stays alive if its client disconnects, so this then ends the request to the origin and the body of its
/// response. With `watch`, the end of the body can be awaited.
///
/// # Errors
/// Fails if the origin does not answer, or if its response cannot be passed on.
pub(super) async fn forward(
    origin: &Origin,
    request: &Request,
    url: &Url,
    facts: &RequestFacts,
    tenant: Option<&TenantId>,
    watch: bool,
) -> Result<Forwarded, OriginError> {
    // With a request as the initializer, the copy has its method, headers, body stream and signal.
    let init: &RequestInit = request.unchecked_ref();
    let onward = Request::new_with_str_and_init(&origin.url_for(url), init)?;
    let headers = onward.headers();
    let upgrade = headers.get("upgrade")?;
    drop_hop_by_hop(&headers)?;
    if let Some(protocol) = upgrade.filter(|protocol| protocol.eq_ignore_ascii_case("websocket")) {
        headers.set("upgrade", &protocol)?;
    }
    drop_forwarding_headers(&headers)?;
    for (name, value) in forwarded(facts, url, tenant) {
        match value {
            Some(value) => headers.set(name, &value)?,
            None => headers.delete(name)?,
        }
    }

    let runtime: WorkerGlobalScope = js_sys::global().unchecked_into();
    let init: RequestInit = if watch {
        // Without this, a compressed body would be decoded for the stream, encoded again, and lose its length.
        object([("encodeResponseBody", "manual".into())]).unchecked_into()
    } else {
        RequestInit::new()
    };
    init.set_signal(Some(&disconnected(request)));
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
        Some(body) if watch => {
            let (body, ended) = watch_body(&response, &body)?;
            (Some(body), Some(ended))
        }
        body => (body, None),
    };
    // With a response as the initializer, the copy has its status, headers, body encoding and WebSocket.
    let response = Response::new_with_opt_readable_stream_and_init(body.as_ref(), response.unchecked_ref())?;
    drop_hop_by_hop(&response.headers())?;
    Ok(Forwarded { response, ended })
}

impl Forwarded {
    /// Returns what completion needs. The header `settled_by` has the real cost.
    pub(super) fn summary(&self, settled_by: Option<&str>) -> Result<OriginResponse, JsValue> {
        let cost = settled_by.map(|name| self.response.headers().get(name)).transpose()?.flatten();
        let cost = cost.and_then(|cost| cost.trim().parse().ok());
        Ok(OriginResponse { status: self.response.status(), cost, ended: self.ended.clone() })
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

/// Returns a signal that the client has disconnected.
///
/// A fetch ignores the request's own signal unless the compatibility flag `request_signal_passthrough` is set, and that
/// flag would lead every response through one more stream.
fn disconnected(request: &Request) -> AbortSignal {
    AbortSignal::any(&Array::of1(&request.signal()))
}

/// Leads a body through a stream inside the runtime, and returns a promise that resolves or rejects at its end.
fn watch_body(response: &Response, body: &ReadableStream) -> Result<(ReadableStream, Promise), JsValue> {
    let headers = response.headers();
    let length = headers.get("content-length")?.and_then(|length| length.parse::<u32>().ok());
    let stream: IdentityTransformStream = match length {
        Some(length) => FixedLengthStream::new(length.into()).unchecked_into(),
        None => IdentityTransformStream::new(),
    };
    let ended = body.pipe_to(&stream.writable());
    Ok((stream.readable(), ended))
}

fn drop_forwarding_headers(headers: &Headers) -> Result<(), JsValue> {
    let names = headers.keys().into_iter().filter_map(|name| name.ok()?.as_string());
    let forwarding: Vec<String> = names.filter(|name| is_forwarding_header(name)).collect();
    forwarding.iter().try_for_each(|name| headers.delete(name))
}

fn drop_hop_by_hop(headers: &Headers) -> Result<(), JsValue> {
    let connection = headers.get("connection")?;
    hop_by_hop(connection.as_deref()).try_for_each(|name| headers.delete(name))
}

/// The highest status that the constructor of `Response` accepts (Fetch standard, "initialize a response").
const MAX_STATUS: u16 = 599;
