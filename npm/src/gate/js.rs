//! What the limiter needs of JavaScript.

use js_sys::{Date, Promise, Uint8Array};
use sluicegate::time::Millis;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "../lib/glue.js")]
extern "C" {
    /// A `POST` on its way.
    pub(super) type Post;
    /// Sends it.
    #[wasm_bindgen(constructor)]
    pub(super) fn new(url: &str, authorization: &str, body: &str) -> Post;
    /// Resolves to an [`Answer`] when the body is complete; rejects with a text.
    #[wasm_bindgen(method, getter)]
    pub(super) fn answer(this: &Post) -> Promise;
    /// Gives it up.
    #[wasm_bindgen(method)]
    pub(super) fn abort(this: &Post);

    /// A complete response.
    pub(super) type Answer;
    #[wasm_bindgen(method, getter)]
    pub(super) fn status(this: &Answer) -> u16;
    #[wasm_bindgen(method, getter)]
    pub(super) fn body(this: &Answer) -> Uint8Array;

    /// A timer.
    pub(super) type Timeout;
    #[wasm_bindgen(constructor)]
    pub(super) fn start(milliseconds: f64) -> Timeout;
    #[wasm_bindgen(method, getter)]
    pub(super) fn passed(this: &Timeout) -> Promise;
    #[wasm_bindgen(method)]
    pub(super) fn cancel(this: &Timeout);

    /// Keeps the request alive until the promise ends, where the runtime would not.
    #[wasm_bindgen(js_name = keepAlive)]
    pub(super) fn keep_alive(promise: &Promise);

    /// Makes the `Error` to throw. `kind` is its class.
    #[wasm_bindgen(js_name = makeError)]
    pub(super) fn make_error(kind: &str, message: &str, path: &str) -> JsValue;
}

#[wasm_bindgen]
extern "C" {
    /// Returns a version 4 UUID (Web Cryptography API).
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    pub(super) fn random_uuid() -> String;

    /// Fills `bytes` with secure random bytes (Web Cryptography API).
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]);
}

/// Returns 64 random bits.
pub(super) fn random() -> u64 {
    let mut bytes = [0; 8];
    get_random_values(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// Returns the time of the runtime's clock. In a Worker it advances only after I/O.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds since 1970, whole")]
pub(super) fn now() -> Millis {
    Millis::new(Date::now() as u64)
}
