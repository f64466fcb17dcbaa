//! Serves the admin and check API: reads the request, and builds the response.

use std::rc::Rc;

use js_sys::Uint8Array;
use js_sys::futures::JsFuture;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ReadableStreamDefaultReader, Request, Response};
use worker::Context;

use super::facts::ClientRequest;
use super::isolate::Isolate;
use super::js::{now, property, random_bytes};
use super::{glue, jwt, log, prefetch, response, source};
use crate::admin::{Admin, Call, MAX_BODY};
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
    let rejected = source::rejected();
    let mut admin = Admin {
        config: &isolate.config,
        origin: &isolate.origin,
        limiter: &limiter,
        token,
        clock: &now,
        token_keys: None,
        rejected_config: rejected.as_deref(),
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

/// Reads the body. Of a body longer than [`MAX_BODY`], returns only enough to exceed it. The rest is read up to
/// [`MAX_DROPPED`]: a client that still sends its request may not see the response.
async fn read_body(request: &Request) -> Result<Vec<u8>, JsValue> {
    let (mut bytes, mut dropped) = (Vec::new(), 0);
    let Some(stream) = request.body() else { return Ok(bytes) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    while dropped <= MAX_DROPPED {
        let step = JsFuture::from(reader.read()).await?;
        let Some(chunk) = property(&step, "value") else { return Ok(bytes) };
        let chunk = Uint8Array::new(&chunk);
        if bytes.len() <= MAX_BODY {
            bytes.extend(chunk.to_vec());
        } else {
            dropped += chunk.length();
        }
    }
    // The rest is not needed, and neither is the result of the cancellation.
    let _ = JsFuture::from(reader.cancel()).await;
    Ok(bytes)
}

/// In bytes: far more than a client sends by mistake.
const MAX_DROPPED: u32 = 1 << 20;
