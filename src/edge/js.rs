//! Bindings to the Workers runtime that the crate `worker` lacks, and helpers for JavaScript values.

use js_sys::futures::JsFuture;
use js_sys::{Array, Date, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ReadableStream, ReadableStreamDefaultReader, Response, WritableStream};

use crate::time::Millis;

#[wasm_bindgen]
extern "C" {
    /// Returns a version 4 UUID: 122 random bits in 36 characters (Web Cryptography API).
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    pub(super) fn random_uuid() -> String;

    /// Fills `bytes` with secure random bytes (Web Cryptography API).
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues)]
    fn get_random_values(bytes: &mut [u8]);

    /// Imports a key (Web Cryptography API).
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = importKey)]
    pub(super) fn import_key(
        format: &str,
        key: &JsValue,
        algorithm: &JsValue,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    /// Verifies a signature (Web Cryptography API). The promise resolves to a boolean.
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = verify)]
    pub(super) fn verify_signature(
        algorithm: &JsValue,
        key: &JsValue,
        signature: &Uint8Array,
        message: &Uint8Array,
    ) -> Result<Promise, JsValue>;

    /// Sends a `GET` (Fetch standard).
    pub(super) fn fetch(url: &str, options: &Object) -> Promise;

    /// A stream that passes its bytes on unchanged, inside the runtime (Cloudflare documentation, "`TransformStream`").
    pub(super) type IdentityTransformStream;
    #[wasm_bindgen(constructor)]
    pub(super) fn new() -> IdentityTransformStream;
    #[wasm_bindgen(method, getter)]
    pub(super) fn readable(this: &IdentityTransformStream) -> ReadableStream;
    #[wasm_bindgen(method, getter)]
    pub(super) fn writable(this: &IdentityTransformStream) -> WritableStream;

    /// An identity stream of known length in bytes, so that the response keeps its `Content-Length`.
    #[wasm_bindgen(extends = IdentityTransformStream)]
    pub(super) type FixedLengthStream;
    #[wasm_bindgen(constructor)]
    pub(super) fn new(length: f64) -> FixedLengthStream;

    /// A rate limit binding (`[[ratelimits]]`).
    pub(super) type RateLimitBinding;
    #[wasm_bindgen(method)]
    pub(super) fn limit(this: &RateLimitBinding, options: &JsValue) -> Promise;

    /// A KV namespace.
    pub(super) type KvNamespace;
    /// Returns a promise of the text of a key, or of null. Fails if the binding is not a namespace.
    #[wasm_bindgen(catch, method)]
    pub(super) fn get(this: &KvNamespace, key: &str) -> Result<Promise, JsValue>;

    /// A data set of Analytics Engine.
    pub(super) type AnalyticsEngine;
    #[wasm_bindgen(method, js_name = writeDataPoint)]
    fn write_data_point(this: &AnalyticsEngine, point: &JsValue);
}

/// Writes a data point: an index, texts and numbers (Cloudflare documentation, "Workers Analytics Engine").
pub(super) fn write_point(set: &AnalyticsEngine, index: &str, blobs: &[&str], doubles: &[f64]) {
    let list = |values: &mut dyn Iterator<Item = JsValue>| JsValue::from(values.collect::<Array>());
    let point = object([
        ("indexes", list(&mut [index.into()].into_iter())),
        ("blobs", list(&mut blobs.iter().map(|text| (*text).into()))),
        ("doubles", list(&mut doubles.iter().map(|number| (*number).into()))),
    ]);
    set.write_data_point(&point);
}

/// Makes an object with these properties.
pub(super) fn object<const N: usize>(properties: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    for (name, value) in properties {
        // Cannot fail: a new object accepts any property.
        let _ = Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}

/// Returns a property of an object; `None` if it is missing, undefined or null.
pub(super) fn property(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &JsValue::from_str(name)).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// Returns a binding by its name, if the Worker has it.
pub(super) fn binding<T: JsCast>(env: &JsValue, name: &str) -> Option<T> {
    property(env, name).map(JsCast::unchecked_into)
}

/// Reads a body. Of one that is longer than `most` bytes, returns only enough to exceed it. The rest is read up to `dropped`
/// bytes more, and dropped.
///
/// # Errors
/// Fails if the body is cut.
pub(super) async fn read_body(body: &ReadableStream, most: usize, dropped: usize) -> Result<Vec<u8>, JsValue> {
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let (mut bytes, mut left) = (Vec::new(), dropped);
    while bytes.len() <= most || left > 0 {
        let step = JsFuture::from(reader.read()).await?;
        let Some(chunk) = property(&step, "value") else { return Ok(bytes) };
        let chunk = Uint8Array::new(&chunk);
        if bytes.len() <= most {
            bytes.extend(chunk.to_vec());
        } else {
            left = left.saturating_sub(chunk.length() as usize);
        }
    }
    // The rest is not needed, and neither is the result of the cancellation.
    let _ = JsFuture::from(reader.cancel()).await;
    Ok(bytes)
}

/// Frees the connection of a response whose body nobody reads.
pub(super) fn discard_body(response: &Response) {
    if let Some(body) = response.body() {
        // The result does not matter.
        let _ = body.cancel();
    }
}

/// Returns the first line of an error's message, without the stack, in at most [`MAX_MESSAGE`] characters.
pub(super) fn error_message(error: &JsValue) -> String {
    let message = property(error, "message").unwrap_or_else(|| error.clone()).as_string().unwrap_or_default();
    let line = message.lines().next().unwrap_or_default().trim().trim_end_matches('.');
    if line.is_empty() { "an error without a message".to_owned() } else { line.chars().take(MAX_MESSAGE).collect() }
}

/// Returns secure random bytes.
pub(super) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    get_random_values(&mut bytes);
    bytes
}

/// Returns the time of the edge's clock. In the Workers runtime it advances only after I/O.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds since 1970, whole")]
pub(super) fn now() -> Millis {
    Millis::new(Date::now() as u64)
}

/// Characters of an error message in a log line.
const MAX_MESSAGE: usize = 200;
