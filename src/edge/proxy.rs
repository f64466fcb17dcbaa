//! Forwards a request to the origin, streaming both ways: no body passes through wasm.

use js_sys::futures::JsFuture;
use url::Url;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, Request, RequestInit, Response, WorkerGlobalScope};

use crate::deployment::Origin;
use crate::facts::Facts;
use crate::forwarding::{forwarded, hop_by_hop};

/// Sends the request on and returns the origin's answer as it comes, headers changeable; or why there is none.
///
/// Redirects are not followed: a request of a fetch handler has the redirect mode `manual`, and its copy too.
pub(super) async fn forward(origin: &Origin, request: &Request, url: &Url, facts: &Facts) -> Result<Response, JsValue> {
    // A request as the initializer keeps the method, the headers, the body as a stream, and the signal.
    let init: &RequestInit = request.unchecked_ref();
    let onward = Request::new_with_str_and_init(&origin.url_for(url), init)?;
    let headers = onward.headers();
    let upgrade = headers.get("upgrade")?;
    drop_hop_by_hop(&headers)?;
    if let Some(protocol) = upgrade.filter(|protocol| protocol.eq_ignore_ascii_case("websocket")) {
        headers.set("upgrade", &protocol)?;
    }
    for (name, value) in forwarded(facts, url) {
        match value {
            Some(value) => headers.set(name, &value)?,
            None => headers.delete(name)?,
        }
    }

    let runtime: WorkerGlobalScope = js_sys::global().unchecked_into();
    let response: Response = JsFuture::from(runtime.fetch_with_request(&onward)).await?.unchecked_into();
    // A response as the initializer keeps the status, the headers, an encoded body as it is, and a WebSocket.
    let response = Response::new_with_opt_readable_stream_and_init(response.body().as_ref(), response.unchecked_ref())?;
    drop_hop_by_hop(&response.headers())?;
    Ok(response)
}

fn drop_hop_by_hop(headers: &Headers) -> Result<(), JsValue> {
    let connection = headers.get("connection")?;
    hop_by_hop(connection.as_deref()).try_for_each(|name| headers.delete(name))
}
