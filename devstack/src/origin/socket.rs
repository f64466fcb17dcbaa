//! The WebSocket that sends back what it gets.

use axum::{
    extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    http::{HeaderMap, HeaderValue, header::SEC_WEBSOCKET_PROTOCOL},
    response::Response,
};

/// Accepts a WebSocket with the first subprotocol that was offered, if any.
pub(super) async fn echo(headers: HeaderMap, mut upgrade: WebSocketUpgrade) -> Response {
    if let Some(protocol) = first_offered(&headers) {
        upgrade.set_selected_protocol(protocol);
    }
    upgrade.on_upgrade(converse)
}

/// The client's favourite; `requested_protocols` of the upgrade has lost their order.
fn first_offered(headers: &HeaderMap) -> Option<HeaderValue> {
    let offered = headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?;
    offered.split(',').next()?.trim().parse().ok()
}

async fn converse(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let answer = match message {
            Message::Text(text) => match close_frame(&text) {
                Some(frame) => Message::Close(Some(frame)),
                None => Message::Text(text),
            },
            Message::Binary(_) => message,
            // The library answers these itself.
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => continue,
        };
        if socket.send(answer).await.is_err() {
            return;
        }
    }
}

/// `close CODE REASON` asks the origin to be the one that closes.
fn close_frame(text: &str) -> Option<CloseFrame> {
    let (code, reason) = text.strip_prefix("close ")?.split_once(' ')?;
    Some(CloseFrame { code: code.parse().ok()?, reason: reason.into() })
}
