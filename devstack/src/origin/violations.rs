//! Responses that break the rules of HTTP.

use std::{io, sync::Arc};

use axum::{
    body::Body,
    extract::{ConnectInfo, Query, State as Shared},
    http::{HeaderValue, header::CONTENT_LENGTH},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use tokio::task::yield_now;

use super::{
    pieces::X_TOKENS_USED,
    state::{OpenStream, State},
    wire::Wire,
};

#[derive(Deserialize)]
pub(super) struct Reset {
    after: usize,
    tokens: Option<u64>,
}

/// Sends the head and `after` bytes of the body, then resets the connection; with 0, sends nothing.
pub(super) async fn reset(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    Query(Reset { after, tokens }): Query<Reset>,
) -> Response {
    wire.reset_at_end();
    body(state, (after > 0).then_some(after), End::Failure, tokens)
}

#[derive(Deserialize)]
pub(super) struct Length {
    declared: usize,
    sent: usize,
    tokens: Option<u64>,
}

/// Declares one length and sends another.
pub(super) async fn length(
    Shared(state): Shared<Arc<State>>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    Query(Length { declared, sent, tokens }): Query<Length>,
) -> Response {
    let surplus = sent.saturating_sub(declared);
    let mut response = body(state, Some(sent - surplus), End::Surplus(wire, surplus), tokens);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(declared));
    response
}

/// What follows the last byte.
enum End {
    Failure,
    Surplus(Wire, usize),
}

/// Sends so many bytes in one piece, and then the end. With `None` the end comes before the head is sent.
fn body(state: Arc<State>, bytes: Option<usize>, end: End, tokens: Option<u64>) -> Response {
    let mut left = bytes;
    let open = OpenStream::new(state);
    let body = Body::from_stream(stream::try_unfold(end, move |end| {
        let piece = left.take();
        piece.inspect(|piece| open.sent(*piece));
        async move {
            let Some(piece) = piece else {
                // Lets the server send what it has, if there is something.
                if bytes.is_some() {
                    yield_now().await;
                }
                return if matches!(end, End::Failure) {
                    Err(io::Error::other("reset as requested"))
                } else {
                    Ok(None)
                };
            };
            if let End::Surplus(wire, surplus) = &end {
                wire.add_surplus(*surplus);
            }
            Ok(Some((Bytes::from(vec![b'.'; piece]), end)))
        }
    }));
    let mut response = body.into_response();
    response.headers_mut().extend(tokens.map(|tokens| (X_TOKENS_USED, HeaderValue::from(tokens))));
    response
}
