//! Responses that do not depend on the request body and are sent whole.

use std::{
    io::{self, Write},
    sync::Arc,
};

use axum::{
    extract::{Path, Query, State as Shared},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION, SET_COOKIE},
    },
    response::{AppendHeaders, IntoResponse, Response},
};
use flate2::{Compression, write::GzEncoder};
use serde::Deserialize;

use super::state::State;

/// Responds with any final status; the body, if the status allows one, is the status.
pub(super) async fn status(Path(code): Path<u16>) -> Response {
    match final_status(code) {
        Some(status) => (status, format!("{code}\n")).into_response(),
        None => refuse_status(code),
    }
}

#[derive(Deserialize)]
pub(super) struct Redirect {
    to: String,
}

/// Redirects to exactly `to`.
pub(super) async fn redirect(Path(code): Path<u16>, Query(Redirect { to }): Query<Redirect>) -> Response {
    match (final_status(code), HeaderValue::try_from(to)) {
        (Some(status), Ok(to)) => (status, [(LOCATION, to)]).into_response(),
        (None, _) => refuse_status(code),
        (_, Err(error)) => (StatusCode::BAD_REQUEST, format!("to: {error}\n")).into_response(),
    }
}

/// Sets three cookies; the date in the last one has a comma, which breaks a proxy that joins headers.
pub(super) async fn cookies() -> impl IntoResponse {
    let cookies = [
        (SET_COOKIE, "first=1; Path=/"),
        (SET_COOKIE, "second=2; Path=/; HttpOnly; SameSite=Lax"),
        (SET_COOKIE, "third=3; Expires=Wed, 21 Oct 2065 07:28:00 GMT"),
    ];
    (AppendHeaders(cookies), "three cookies\n")
}

/// Responds with the headers of the query, in its order and with repetitions.
pub(super) async fn headers(Query(pairs): Query<Vec<(String, String)>>) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        match (HeaderName::try_from(&name), HeaderValue::try_from(&value)) {
            (Ok(name), Ok(value)) => {
                headers.append(name, value);
            }
            _ => return (StatusCode::BAD_REQUEST, format!("not a header: {name}: {value}\n")).into_response(),
        }
    }
    (headers, "headers as asked\n").into_response()
}

/// Responds as [`headers`] does, after a release of the gate.
pub(super) async fn late(
    Shared(state): Shared<Arc<State>>,
    Path(gate): Path<String>,
    pairs: Query<Vec<(String, String)>>,
) -> Response {
    state.pass(&gate).await;
    headers(pairs).await
}

/// Responds with a compressed body.
pub(super) async fn gzip() -> Response {
    let headers = [(CONTENT_ENCODING, "gzip"), (CONTENT_TYPE, "text/plain; charset=utf-8")];
    match compressed(GZIP_LINE.repeat(GZIP_LINES).as_bytes()) {
        Ok(body) => (headers, body).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Returns the bytes as `gzip` has them.
pub(super) fn compressed(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// Returns `None` for 1xx statuses, which cannot end an exchange.
fn final_status(code: u16) -> Option<StatusCode> {
    StatusCode::from_u16(code).ok().filter(|status| !status.is_informational())
}

fn refuse_status(code: u16) -> Response {
    (StatusCode::BAD_REQUEST, format!("not a final status: {code} (200 to 999)\n")).into_response()
}

const GZIP_LINE: &str = "the same line again and again\n";
const GZIP_LINES: usize = 100;
