//! Handles HTTP requests.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use tokio::time::Instant;

use crate::{
    batch,
    command::Command,
    metrics::{self, Route},
    operation::Operation,
    prepared_command::PreparedCommand,
    reply::{Encoding, Reply},
    request_error::RequestError,
    request_span::RequestSpan,
    service::Service,
    unfinished::Unfinished,
};

/// Returns the router of all paths. Any path without a handler of its own is a path-style command.
pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new().route("/health", get(health)).route("/metrics", get(metrics)).fallback(handle).with_state(service)
}

async fn handle(State(service): State<Arc<Service>>, request: Request) -> Response {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let route = Route::of(parts.uri.path());
    let span = RequestSpan::start(service.traces.as_ref(), &service.token, route, &parts);
    let unfinished = Unfinished::new(|| service.metrics.abandoned_request(route, started.elapsed()));
    let mut response = match run(&service, &span, route, &parts, body).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    };
    if let Some(token) = parts.headers.get(SYNC_TOKEN) {
        response.headers_mut().insert(SYNC_TOKEN, token.clone());
    }
    unfinished.finish();
    service.metrics.request(route, response.status(), started.elapsed());
    span.end(response.status());
    response
}

async fn run(
    service: &Service,
    span: &RequestSpan,
    route: Route,
    parts: &Parts,
    body: Body,
) -> Result<Response, RequestError> {
    if !METHODS.contains(&parts.method) {
        return Err(RequestError::MethodNotAllowed);
    }
    if !service.token.authorizes(&parts.headers, &parts.uri) {
        return Err(RequestError::Unauthorized);
    }
    refuse_resp2(&parts.headers)?;
    let encoding = Encoding::of(&parts.headers);
    let body = read_body(&parts.headers, body).await?;
    match route {
        Route::Command => {
            let command = Command::from_json(&body);
            let command =
                command.map_err(|error| RequestError::Refused(format!("ERR failed to parse command: {error}")));
            run_command(service, span, command?, encoding).await
        }
        Route::Path => run_command(service, span, Command::from_path(&parts.uri, &body), encoding).await,
        Route::Pipeline => batch::pipeline(service, span, &body, encoding).await,
        Route::MultiExec => batch::transaction(service, span, &body, encoding).await,
    }
}

async fn run_command(
    service: &Service,
    span: &RequestSpan,
    command: Command<'_>,
    encoding: Encoding,
) -> Result<Response, RequestError> {
    let prepared = PreparedCommand::new(command, &service.scripts)?;
    service.metrics.command(prepared.name);
    let reply = service.store.command(&prepared.cmd);
    let value = service.observe(span, Operation::Command(prepared.name), reply).await?;
    let value = prepared.reply(value);
    Ok(Json(Reply { value, encoding }).into_response())
}

fn refuse_resp2(headers: &HeaderMap) -> Result<(), RequestError> {
    match headers.get("upstash-response-format") {
        Some(format) if !format.as_bytes().eq_ignore_ascii_case(b"json") => {
            Err(RequestError::refused("ERR Upstash-Response-Format is not supported (leave the header out for JSON)"))
        }
        _ => Ok(()),
    }
}

/// Reads the whole body. A body with a `Content-Length` above the maximum is refused unread.
async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, RequestError> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > MAX_BODY_BYTES) {
        return Err(RequestError::BodyTooLarge(MAX_BODY_BYTES));
    }
    to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| RequestError::BodyTooLarge(MAX_BODY_BYTES))
}

async fn health(State(service): State<Arc<Service>>) -> Response {
    match service.store.ping().await {
        Ok(()) => Json(json!({ "status": "ok" })).into_response(),
        Err(error) => {
            let body = json!({ "status": "unavailable", "error": error.text() });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

async fn metrics(State(service): State<Arc<Service>>) -> Response {
    match service.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The maximum length of a request body in bytes: 10 MB, as on Upstash's pay-as-you-go plan.
pub const MAX_BODY_BYTES: usize = 10_000_000;

const METHODS: [Method; 4] = [Method::HEAD, Method::GET, Method::POST, Method::PUT];
const SYNC_TOKEN: HeaderName = HeaderName::from_static("upstash-sync-token");
