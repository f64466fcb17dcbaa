//! Bodies sent one piece at a time.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Query, State as Shared},
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
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
}

/// `n` lines of text: `piece 1` and so on.
pub(super) async fn stream(Shared(state): Shared<Arc<State>>, Query(pieces): Query<Pieces>) -> Response {
    let body = body(state, pieces, |number| format!("piece {number}\n"));
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}

/// `n` server-sent events whose ids count from 1.
pub(super) async fn events(Shared(state): Shared<Arc<State>>, Query(pieces): Query<Pieces>) -> Response {
    let body = body(state, pieces, |number| format!("id: {number}\ndata: event {number}\n\n"));
    ([(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")], body).into_response()
}

fn body(state: Arc<State>, Pieces { n, every, gate }: Pieces, spell: fn(u64) -> String) -> Body {
    let pace = match gate {
        Some(name) => Pace::Gate(state.gate(&name)),
        None => Pace::Every(Duration::from_millis(every)),
    };
    let open = OpenStream::new(state);
    Body::from_stream(stream::unfold((1, pace, open), move |(number, pace, open)| async move {
        if number > n {
            return None;
        }
        pace.wait(number).await;
        let piece = Bytes::from(spell(number));
        open.sent(piece.len());
        Some((Ok::<_, Infallible>(piece), (number + 1, pace, open)))
    }))
}

/// What the next piece waits for.
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
                // One release is one piece; gates are never closed, so this does not fail.
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

/// Milliseconds between two pieces.
const fn default_every() -> u64 {
    100
}
