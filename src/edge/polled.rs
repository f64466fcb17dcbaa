//! Spares the abort of a call to Redis that is complete.

use std::future::{Future, poll_fn};
use std::pin::pin;

use super::glue::set_polling;
use crate::redis::{HttpTransport, RedisError, Response, Transport};

/// A transport that lets `AbortController.abort` do nothing while a call is polled.
///
/// `reqwest` aborts its fetch whenever it drops a response. If that happens inside a poll, the response has been read
/// to its end or there is none, and the abort would only take time. If the caller drops the call, for example at its
/// deadline, that is outside, and the abort ends the fetch.
#[derive(Clone, Copy)]
pub(super) struct Polled<'a>(pub(super) &'a HttpTransport);

impl Transport for Polled<'_> {
    async fn post(&self, body: String) -> Result<Response, RedisError> {
        let mut call = pin!(self.0.post(body));
        poll_fn(|context| {
            set_polling(true);
            let result = call.as_mut().poll(context);
            set_polling(false);
            result
        })
        .await
    }
}
