//! Bodies sent in pieces.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Query, State as Shared},
    http::{
        HeaderName, HeaderValue,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::state::{OpenStream, State};

#[derive(Deserialize)]
pub(super) struct Pieces {
    #[serde(default = "default_count")]
    n: u64,
    #[serde(default = "default_every")]
    every: u64,
    gate: Option<String>,
    tokens: Option<u64>,
}

/// Sends `n` lines of text: `piece 1` and so on.
pub(super) async fn stream(Shared(state): Shared<Arc<State>>, Query(pieces): Query<Pieces>) -> Response {
    text(state, pieces, End::Whole)
}

/// Sends the same, but breaks the connection when one more piece would be due.
pub(super) async fn broken(Shared(state): Shared<Arc<State>>, Query(pieces): Query<Pieces>) -> Response {
    text(state, pieces, End::Broken)
}

fn text(state: Arc<State>, pieces: Pieces, end: End) -> Response {
    let tokens = pieces.tokens.map(|tokens| (X_TOKENS_USED, HeaderValue::from(tokens)));
    let body = body(state, pieces, end, |number| format!("piece {number}\n"));
    let mut response = ([(CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response();
    response.headers_mut().extend(tokens);
    response
}

/// Sends `n` server-sent events with ids from 1.
pub(super) async fn events(Shared(state): Shared<Arc<State>>, Query(pieces): Query<Pieces>) -> Response {
    let body = body(state, pieces, End::Whole, |number| format!("id: {number}\ndata: event {number}\n\n"));
    ([(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")], body).into_response()
}

fn body(state: Arc<State>, Pieces { n, every, gate, .. }: Pieces, end: End, format: fn(u64) -> String) -> Body {
    let pace = match gate {
        Some(name) => Pace::Gate(state.gate(&name)),
        None => Pace::Every(Duration::from_millis(every)),
    };
    let open = OpenStream::new(state);
    Body::from_stream(stream::unfold((1, pace, open), move |(number, pace, open)| async move {
        if number > n && (end == End::Whole || number > n + 1) {
            return None;
        }
        pace.wait(number).await;
        if number > n {
            return Some((Err(io::Error::other("broken as requested")), (number + 1, pace, open)));
        }
        let piece = Bytes::from(format(number));
        open.sent(piece.len());
        Some((Ok(piece), (number + 1, pace, open)))
    }))
}

/// How a body ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    Broken,
}

/// When the next piece is sent.
enum Pace {
    Every(Duration),
    Gate(Arc<Semaphore>),
}

impl Pace {
    async fn wait(&self, number: u64) {
        match self {
            Self::Every(interval) if number > 1 => tokio::time::sleep(*interval).await,
            Self::Every(_) => {}
            Self::Gate(gate) => {
                // One release lets one piece through. Gates are never closed, so this does not fail.
                if let Ok(permit) = gate.acquire().await {
                    permit.forget();
                }
            }
        }
    }
}

const fn default_count() -> u64 {
    10
}

/// The default interval, in milliseconds.
const fn default_every() -> u64 {
    100
}

pub(super) const X_TOKENS_USED: HeaderName = HeaderName::from_static("x-tokens-used");
