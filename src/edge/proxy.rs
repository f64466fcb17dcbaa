//! Forwards a request to the origin, streaming both ways: no body passes through wasm.

use js_sys::futures::JsFuture;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, Request, RequestInit, Response, WorkerGlobalScope};

use crate::deployment::Origin;
use crate::facts::Facts;

/// Sends the request on and returns the origin's answer as it comes, headers changeable; or why there is none.
///
/// Redirects are not followed: a request of a fetch handler has the redirect mode `manual`, and its copy too.
pub(super) async fn forward(origin: &Origin, request: &Request, url: &str, facts: &Facts) -> Result<Response, JsValue> {
    // A request as the initializer keeps the method, the headers, the body as a stream, and the signal.
    let init: &RequestInit = request.unchecked_ref();
    let forwarded = Request::new_with_str_and_init(&origin.url_for(url), init)?;
    let headers = forwarded.headers();
    let upgrade = drop_hop_by_hop(&headers)?;
    if let Some(protocol) = upgrade.filter(|protocol| protocol.eq_ignore_ascii_case("websocket")) {
        headers.set("upgrade", &protocol)?;
    }
    headers.delete("sluicegate-tenant")?;
    identify_client(&headers, url, facts)?;

    let runtime: WorkerGlobalScope = js_sys::global().unchecked_into();
    let response: Response = JsFuture::from(runtime.fetch_with_request(&forwarded)).await?.unchecked_into();
    // A response as the initializer keeps the status, the headers, an encoded body as it is, and a WebSocket.
    let response = Response::new_with_opt_readable_stream_and_init(response.body().as_ref(), response.unchecked_ref())?;
    drop_hop_by_hop(&response.headers())?;
    Ok(response)
}

/// Says for whom the request is forwarded. What the client said of this itself is not believed.
fn identify_client(headers: &Headers, url: &str, facts: &Facts) -> Result<(), JsValue> {
    match facts.address {
        Some(address) => headers.set("x-forwarded-for", &address.to_string())?,
        None => headers.delete("x-forwarded-for")?,
    }
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    headers.set("x-forwarded-proto", scheme)?;
    headers.set("x-forwarded-host", host)
}

/// Drops the headers that hold for one connection only (RFC 9110, section 7.6.1) and returns `Upgrade`, if any.
fn drop_hop_by_hop(headers: &Headers) -> Result<Option<String>, JsValue> {
    if let Some(named) = headers.get("connection")? {
        for name in
            named.split(',').map(str::trim).filter(|name| is_token(name) && !name.eq_ignore_ascii_case("upgrade"))
        {
            headers.delete(name)?;
        }
    }
    let upgrade = headers.get("upgrade")?;
    for name in HOP_BY_HOP {
        headers.delete(name)?;
    }
    Ok(upgrade)
}

/// Whether a text can be a header's name (RFC 9110, section 5.6.2). Asking for another one throws.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// `trailer` is among them because the runtime passes no trailers on.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
