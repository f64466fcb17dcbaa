//! The echo: the received request as JSON.

use std::time::Duration;

use axum::{
    extract::{Path, Request},
    http::{StatusCode, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

/// Responds with the request.
pub(super) async fn echo(request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut summary = Summary::default();
    let read = body.into_data_stream().try_for_each(|piece| {
        summary.add(&piece);
        std::future::ready(Ok(()))
    });
    if let Err(error) = read.await {
        return (StatusCode::BAD_REQUEST, format!("request body ended early: {error}")).into_response();
    }
    let echo = describe(&parts, summary);
    ([(CONTENT_TYPE, "application/json")], echo.to_string()).into_response()
}

/// Responds with the request after `ms` milliseconds.
pub(super) async fn slow(Path(ms): Path<u64>, request: Request) -> Response {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    echo(request).await
}

fn describe(parts: &Parts, body: Summary) -> Value {
    let headers: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| [name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()])
        .collect();
    json!({
        "method": parts.method.as_str(),
        "target": parts.uri.to_string(),
        "version": format!("{:?}", parts.version),
        "headers": headers,
        "body": {
            "length": body.length,
            "sha1": body.sha1.digest().to_string(),
            "text": body.text.and_then(|bytes| String::from_utf8(bytes).ok()),
        },
    })
}

/// A summary of a body, computed in bounded memory.
struct Summary {
    length: u64,
    sha1: sha1_smol::Sha1,
    /// `None` once the body has grown above [`TEXT_MAX`].
    text: Option<Vec<u8>>,
}

impl Default for Summary {
    fn default() -> Self {
        Self { length: 0, sha1: sha1_smol::Sha1::new(), text: Some(Vec::new()) }
    }
}

impl Summary {
    fn add(&mut self, piece: &[u8]) {
        self.length += piece.len() as u64;
        self.sha1.update(piece);
        if let Some(text) = &mut self.text {
            text.extend_from_slice(piece);
            if text.len() > TEXT_MAX {
                self.text = None;
            }
        }
    }
}

/// A body up to this many bytes is shown as text.
const TEXT_MAX: usize = 64 * 1024;
