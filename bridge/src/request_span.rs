//! The spans of a request: one for the request, and one below it for its call to Redis.
//!
//! Their names and attributes follow the semantic conventions of OpenTelemetry for HTTP servers and for Redis. A span
//! has no key, no argument, no token and no text of an error: error texts of Redis quote arguments.

use axum::http::{HeaderMap, Method, StatusCode, request::Parts};
use opentelemetry::{
    Context, KeyValue,
    propagation::{Extractor, TextMapPropagator},
    trace::{Span as _, SpanKind, Status, TraceContextExt, Tracer},
};
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::Span};
use percent_encoding::percent_decode_str;

use crate::{
    auth::Token, command_name::command_name, metrics::Route, operation::Operation, request_error::RequestError,
    traces::Traces,
};

/// The span of a request, if requests are traced. It ends when it is dropped, at the latest.
pub(crate) struct RequestSpan(Option<Recording>);

/// The span of a call to Redis.
pub(crate) struct RedisSpan(Option<Span>);

struct Recording {
    traces: Traces,
    /// The context whose current span is that of the request.
    context: Context,
}

impl RequestSpan {
    /// Starts the span of a request. Its parent is that of the header `traceparent` if the request has the token: strangers
    /// neither decide what is sampled nor put ids into traces.
    pub(crate) fn start(traces: Option<&Traces>, token: &Token, route: Route, parts: &Parts) -> Self {
        let Some(traces) = traces else { return Self(None) };
        let parent = if token.authorizes(&parts.headers, &parts.uri) {
            TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(&parts.headers))
        } else {
            Context::new()
        };
        let method = method(&parts.method);
        let span = traces
            .tracer()
            .span_builder(format!("{method} {}", route.template()))
            .with_kind(SpanKind::Server)
            .with_attributes([
                KeyValue::new("http.request.method", method),
                KeyValue::new("http.route", route.template()),
                KeyValue::new("url.path", path(route, parts.uri.path())),
                KeyValue::new("url.scheme", "http"),
            ])
            .start_with_context(traces.tracer(), &parent);
        Self(Some(Recording { traces: traces.clone(), context: parent.with_span(span) }))
    }

    /// Ends the span with the status of the response.
    pub(crate) fn end(self, status: StatusCode) {
        let Some(Recording { context, .. }) = &self.0 else { return };
        let span = context.span();
        span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        if status.is_server_error() {
            span.set_attribute(KeyValue::new("error.type", status.as_str().to_owned()));
            span.set_status(Status::error(""));
        }
        span.end();
    }

    /// Starts the span of a call to Redis.
    pub(crate) fn redis(&self, operation: Operation) -> RedisSpan {
        let Some(Recording { traces, context }) = &self.0 else { return RedisSpan(None) };
        let name = operation.name();
        let size = operation.batch_size().and_then(|size| i64::try_from(size).ok());
        let attributes = [KeyValue::new("db.system.name", "redis"), KeyValue::new("db.operation.name", name.clone())];
        let span = traces
            .tracer()
            .span_builder(name)
            .with_kind(SpanKind::Client)
            .with_attributes(
                attributes.into_iter().chain(size.map(|size| KeyValue::new("db.operation.batch.size", size))),
            )
            .start_with_context(traces.tracer(), context);
        RedisSpan(Some(span))
    }
}

impl RedisSpan {
    /// Ends the span with the error of the call, if it failed.
    pub(crate) fn end(self, error: Option<&RequestError>) {
        let Some(mut span) = self.0 else { return };
        if let Some(error) = error {
            let kind = match error {
                RequestError::Refused(text) => {
                    let code = error_code(text);
                    span.set_attribute(KeyValue::new("db.response.status_code", code.to_owned()));
                    code.to_owned()
                }
                error => error.status().as_str().to_owned(),
            };
            span.set_attribute(KeyValue::new("error.type", kind));
            span.set_status(Status::error(""));
        }
        span.end();
    }
}

/// Returns the path without the arguments of its command. Only a name that Redis knows remains.
fn path(route: Route, path: &str) -> String {
    if route != Route::Path {
        return route.template().to_owned();
    }
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let name: Vec<u8> = percent_decode_str(first).collect();
    format!("/{}/REDACTED", command_name(&name).unwrap_or("other"))
}

/// Returns the method, or `_OTHER` for one that only the client knows.
fn method(method: &Method) -> &'static str {
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH];
    let names = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    known.iter().zip(names).find(|(known, _)| *known == method).map_or("_OTHER", |(_, name)| name)
}

/// Returns the code of an error reply, such as `NOSCRIPT`, or `ERR` if its first word may be something else.
fn error_code(text: &str) -> &str {
    let word = text.split(' ').next().unwrap_or_default();
    let is_code = (1..=MAX_CODE).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code { word } else { "ERR" }
}

/// The headers from which the parent of a span is read.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}

/// Longer than any code of Redis.
const MAX_CODE: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_contain_no_key() {
        for (given, expected) in [
            ("/", "/"),
            ("/pipeline", "/pipeline"),
            ("/multi-exec", "/multi-exec"),
            ("/get/secret", "/get/REDACTED"),
            ("/G%45T/secret", "/get/REDACTED"),
            ("/secret", "/other/REDACTED"),
            ("//secret", "/other/REDACTED"),
        ] {
            assert_eq!(path(Route::of(given), given), expected, "{given}");
        }
    }

    #[test]
    fn error_codes_contain_no_text() {
        assert_eq!(error_code("NOSCRIPT No matching script."), "NOSCRIPT");
        assert_eq!(error_code("WRONGTYPE"), "WRONGTYPE");
        for text in ["", "secret", "sgk_KEY failed", "A-KEY", "AVERYLONGSECRETWORD no"] {
            assert_eq!(error_code(text), "ERR", "{text}");
        }
    }

    #[test]
    fn unknown_methods_have_one_name() {
        assert_eq!(method(&Method::POST), "POST");
        assert_eq!(method(&Method::from_bytes(b"SECRET").unwrap()), "_OTHER");
    }
}
