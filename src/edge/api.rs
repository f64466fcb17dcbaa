//! Serves the admin and check API: reads the request, and builds the response.

use std::rc::Rc;

use wasm_bindgen::JsValue;
use web_sys::{Request, Response};
use worker::Context;

use super::explain::IsolateTokens;
use super::facts::ClientRequest;
use super::isolate::Isolate;
use super::js::{now, random_bytes};
use super::{events, glue, js, jwt, log, overview, prefetch, response, source};
use crate::admin::{Admin, Call, MAX_BODY, TokenCheck};
use crate::config::source::ConfigSource;
use crate::http::problem::Problem;
use crate::http::push_field;
use crate::redis::Token;
use crate::time::Millis;

/// Responds to a request for `path` below `/_sluicegate/v1`.
pub(super) async fn respond(
    isolate: &Rc<Isolate>,
    context: &Context,
    token: &Token,
    client: &ClientRequest<'_>,
    path: &str,
) -> Result<Response, JsValue> {
    let mut call = Call {
        method: &client.facts.method,
        path,
        query: client.url.query(),
        authorization: client.fields.get("authorization"),
        content_type: client.fields.get("content-type"),
        if_match: client.fields.get("if-match"),
        body: &[],
    };
    // A check has a deadline like that of a request to the origin; each call of another operation has one of its own.
    let deadline = call.is_check().then(|| isolate.deadline());
    let limiter = deadline.as_ref().map_or_else(|| isolate.limiter(), |deadline| isolate.limiter_until(deadline));
    let (rejected, events) = (source::rejected(), events::ring());
    let source = source::found().unwrap_or(ConfigSource::Variable);
    let tokens = isolate.jwt.as_ref().map(|jwt| IsolateTokens { isolate, jwt, context });
    let mut admin = Admin {
        config: &isolate.config,
        origin: &isolate.origin,
        limiter: &limiter,
        token,
        clock: &now,
        token_keys: None,
        rejected_config: rejected.as_deref(),
        url: Some(&client.url),
        breaker: Some(isolate.breaker_state(now())),
        source: &source,
        tokens: tokens.as_ref().map(|tokens| tokens as &dyn TokenCheck),
        events: &events,
        sightings: &isolate.sightings,
    };
    let (bytes, token_keys);
    // The body of an unauthorized request is not read: its client could send it as slowly as it likes.
    if admin.is_authorized(&call) {
        let Ok(read) = read_body(client.request).await else { return response::problem(&Problem::unreadable_body()) };
        bytes = read;
        call.body = &bytes;
        if let (true, Some(jwt)) = (call.is_diagnosis(), &isolate.jwt) {
            token_keys = jwt::probe(jwt).await;
            admin.token_keys = Some(&token_keys);
        }
    }
    let reply = admin.answer(&call, random_bytes()).await;
    overview::report_later(isolate, context, now());
    if let Some(changed) = &reply.changed {
        isolate.authenticator.forget(changed);
        for lot in limiter.subject_changed(&changed.subject(), now()) {
            prefetch::give_back_later(isolate, context, lot, Millis::ZERO);
        }
    }
    if let Some(failure) = &reply.failure {
        log::failure("admin API", failure);
    }
    let mut headers = String::new();
    for (name, value) in &reply.headers {
        push_field(&mut headers, name, value);
    }
    glue::make_response(reply.status, (!reply.body.is_empty()).then_some(reply.body.as_str()), &headers)
}

/// Reads the body. The rest of one that is too long is read up to [`MAX_DROPPED`]: a client that still sends its request may
/// not see the response.
async fn read_body(request: &Request) -> Result<Vec<u8>, JsValue> {
    match request.body() {
        Some(body) => js::read_body(&body, MAX_BODY, MAX_DROPPED).await,
        None => Ok(Vec::new()),
    }
}

/// In bytes: far more than a client sends by mistake.
const MAX_DROPPED: usize = 1 << 20;
