//! The transport to the REST server, on `fetch`.
//!
//! Not `reqwest`: in wasm it cannot refuse redirects, it aborts every call that it has read to the end, and it doubles what a
//! call costs. The Worker patches `AbortController` against that; a library must not change the globals of others.

use std::cell::Cell;

use js_sys::futures::JsFuture;
use sluicegate::config::environment::RedisServer;
use sluicegate::redis::{RedisError, Response, Transport};
use wasm_bindgen::JsCast;

use super::js::{Answer, Post};

/// A client of one REST server. Its calls have no timeout of their own.
pub(super) struct FetchTransport {
    url: String,
    authorization: String,
}

impl FetchTransport {
    pub(super) fn new(server: &RedisServer) -> Self {
        FetchTransport { url: server.url.to_string(), authorization: format!("Bearer {}", server.token.reveal()) }
    }
}

impl Transport for FetchTransport {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        let call = Call { post: Post::new(&self.url, &self.authorization, &body), ended: Cell::new(false) };
        let answer = JsFuture::from(call.post.answer()).await;
        call.ended.set(true);
        match answer {
            Ok(answer) => {
                let answer: Answer = answer.unchecked_into();
                Ok(Response { status: answer.status(), body: answer.body().to_vec() })
            }
            Err(reason) => Err(RedisError::Unreachable { reason: reason.as_string().unwrap_or_default() }),
        }
    }
}

/// A call. Dropping it before its end, at a deadline, gives it up.
struct Call {
    post: Post,
    ended: Cell<bool>,
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.ended.get() {
            self.post.abort();
        }
    }
}
