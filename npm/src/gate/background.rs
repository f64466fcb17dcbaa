//! Work that goes on after its caller has its answer.

use std::future::Future;

use js_sys::futures::future_to_promise;
use wasm_bindgen::JsValue;

use super::js::keep_alive;

/// Runs `work` to its end, also if the request that began it ends before.
pub(super) fn run(work: impl Future<Output = ()> + 'static) {
    keep_alive(&future_to_promise(async move {
        work.await;
        Ok(JsValue::UNDEFINED)
    }));
}
