//! Brings a request to the admin and check API, and its answer back.

use js_sys::Uint8Array;
use js_sys::futures::JsFuture;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Headers, ReadableStreamDefaultReader, Request, Response, ResponseInit};

use super::isolate::Isolate;
use super::js::{now, property, random_bytes};
use super::{log, response};
use crate::admin::{Admin, Call, MAX_BODY};
use crate::http::problem::Problem;
use crate::redis::Token;

/// Answers what came for `path` below `/_sluicegate/v1`.
pub(super) async fn answer(
    isolate: &Isolate,
    token: &Token,
    request: &Request,
    path: &str,
    query: Option<&str>,
) -> Result<Response, JsValue> {
    let header = |name| request.headers().get(name).ok().flatten();
    let (authorization, content_type, if_match) = (header("authorization"), header("content-type"), header("if-match"));
    let method = request.method();
    let mut call = Call {
        method: &method,
        path,
        query,
        authorization: authorization.as_deref(),
        content_type: content_type.as_deref(),
        if_match: if_match.as_deref(),
        body: &[],
    };
    let admin = Admin { config: &isolate.config, limiter: &isolate.limiter, token, clock: &now };
    let read;
    // Nobody else may keep us waiting for a body.
    if admin.is_authorized(&call) {
        let Ok(body) = body(request).await else { return response::problem(&Problem::unreadable_body()) };
        read = body;
        call.body = &read;
    }
    let answer = admin.answer(&call, random_bytes()).await;
    if let Some(changed) = &answer.changed {
        isolate.directory.forget(changed);
    }
    if let Some(failure) = &answer.failure {
        log::failure("admin API", failure);
    }
    let headers = Headers::new()?;
    for (name, value) in &answer.headers {
        headers.append(name, value)?;
    }
    let init = ResponseInit::new();
    init.set_status(answer.status);
    init.set_headers(&headers);
    let body = (!answer.body.is_empty()).then_some(answer.body.as_str());
    Response::new_with_opt_str_and_init(body, &init)
}

/// The body, or as much of one that is too long as shows that it is.
async fn body(request: &Request) -> Result<Vec<u8>, JsValue> {
    let mut bytes = Vec::new();
    let Some(stream) = request.body() else { return Ok(bytes) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    while bytes.len() <= MAX_BODY {
        let step = JsFuture::from(reader.read()).await?;
        match property(&step, "value") {
            Some(chunk) => bytes.extend(Uint8Array::new(&chunk).to_vec()),
            None => return Ok(bytes),
        }
    }
    // Nobody reads the rest.
    let _ = JsFuture::from(reader.cancel()).await;
    Ok(bytes)
}
