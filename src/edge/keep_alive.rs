//! Keeps a request alive after its client has disconnected.

use std::future::{Future, poll_fn};
use std::pin::pin;

use js_sys::Function;
use wasm_bindgen::JsValue;
use worker::Context;

use super::glue;

/// Keeps a request alive until the value is dropped. Without it, the runtime abandons the request when the client
/// disconnects: its future is neither polled again nor dropped. Its memory would never be freed, and a lease taken in Redis
/// meanwhile would stay until it expires.
pub(super) struct KeepAlive {
    end: Function,
}

impl KeepAlive {
    /// Runs `future` and keeps the request of `context` alive until it is complete. If it never waits, nothing can interrupt
    /// it, and nothing is done.
    pub(super) async fn during<F: Future>(context: &Context, future: F) -> F::Output {
        let mut kept = None;
        let mut future = pin!(future);
        poll_fn(|task| {
            let result = future.as_mut().poll(task);
            if result.is_pending() && kept.is_none() {
                kept = Some(KeepAlive { end: glue::keep_alive(context.as_ref()) });
            }
            result
        })
        .await
    }
}

impl Drop for KeepAlive {
    fn drop(&mut self) {
        // It resolves a promise, which cannot fail.
        let _ = self.end.call0(&JsValue::UNDEFINED);
    }
}
