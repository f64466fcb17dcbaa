//! Keeps a request alive after its client has disconnected.

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
    /// Keeps the request of `context` alive from now on.
    pub(super) fn start(context: &Context) -> Self {
        KeepAlive { end: glue::keep_alive(context.as_ref()) }
    }
}

impl Drop for KeepAlive {
    fn drop(&mut self) {
        // It resolves a promise, which cannot fail.
        let _ = self.end.call0(&JsValue::UNDEFINED);
    }
}
