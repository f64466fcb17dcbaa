//! Bodies that a test provides, sent whole or in pieces.

use std::{io, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, Query, State as Shared},
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;

use super::{
    responses::compressed,
    state::{OpenStream, Served, State},
};

#[derive(Deserialize)]
pub(super) struct How {
    #[serde(default = "default_piece")]
    piece: usize,
    gate: Option<String>,
    #[serde(default)]
    chunked: bool,
    #[serde(default)]
    broken: bool,
    #[serde(default)]
    gzip: bool,
    #[serde(default = "default_status")]
    status: u16,
}

/// Sends the body `name` in pieces of `piece` bytes. With `gate`, each piece waits for a release, and so does the end; with
/// `broken`, the connection breaks before the last byte that the length promises.
pub(super) async fn serve(
    Shared(state): Shared<Arc<State>>,
    Path(name): Path<String>,
    Query(how): Query<How>,
) -> Response {
    let Some(Served { content_type, body }) = state.served(&name) else {
        return (StatusCode::NOT_FOUND, format!("nothing is served as {name}\n")).into_response();
    };
    let body = if how.gzip { compressed(&body).map(Bytes::from) } else { Ok(body) };
    let (Ok(body), Ok(content_type), Ok(status)) =
        (body, HeaderValue::try_from(content_type), StatusCode::from_u16(how.status))
    else {
        return (StatusCode::BAD_REQUEST, "it cannot be served like this\n").into_response();
    };
    let length = HeaderValue::from(body.len() + usize::from(how.broken));
    let mut response = (status, stream_of(state, body, &how)).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    if how.gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if !how.chunked {
        headers.insert(CONTENT_LENGTH, length);
    }
    response
}

fn stream_of(state: Arc<State>, body: Bytes, how: &How) -> Body {
    let gate = how.gate.as_deref().map(|name| state.gate(name));
    let open = OpenStream::new(state);
    let (length, broken) = (how.piece.max(1), how.broken);
    Body::from_stream(stream::unfold(Some((body, gate, open)), move |rest| async move {
        let (mut body, gate, open) = rest?;
        if let Some(gate) = &gate
            && let Ok(permit) = gate.acquire().await
        {
            permit.forget();
        }
        if body.is_empty() {
            return broken.then(|| (Err(io::Error::other("broken as requested")), None));
        }
        let piece = body.split_to(length.min(body.len()));
        open.sent(piece.len());
        Some((Ok(piece), Some((body, gate, open))))
    }))
}

const fn default_piece() -> usize {
    65_536
}

const fn default_status() -> u16 {
    200
}
