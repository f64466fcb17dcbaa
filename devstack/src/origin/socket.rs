//! The WebSocket that echoes messages.

use axum::{
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    http::{HeaderMap, HeaderValue, header::SEC_WEBSOCKET_PROTOCOL},
    response::Response,
};

/// Accepts a WebSocket with the first subprotocol the client offers, if any.
pub(super) async fn echo(headers: HeaderMap, mut upgrade: WebSocketUpgrade) -> Response {
    if let Some(protocol) = first_offered(&headers) {
        upgrade.set_selected_protocol(protocol);
    }
    upgrade.on_upgrade(echo_messages)
}

/// Returns the client's first choice; `requested_protocols` of the upgrade does not keep the order.
fn first_offered(headers: &HeaderMap) -> Option<HeaderValue> {
    let offered = headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    offered.split(',').next()?.trim().parse().ok()
}

async fn echo_messages(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let reply = match message {
            Message::Text(text) => match close_frame(&text) {
                Some(frame) => Message::Close(Some(frame)),
                None => Message::Text(text),
            },
            Message::Binary(_) => message,
            // The library replies to these itself.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => continue,
        };
        if socket.send(reply).await.is_err() {
            return;
        }
    }
}

/// Parses `close CODE REASON`, which makes the origin close the socket.
fn close_frame(text: &str) -> Option<CloseFrame> {
    let (code, reason) = text.strip_prefix("close ")?.split_once(' ')?;
    Some(CloseFrame { code: code.parse().ok()?, reason: reason.into() })
}
