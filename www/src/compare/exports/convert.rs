//! Numbers and errors of JavaScript.

use std::error::Error;

use wasm_bindgen::prelude::*;

/// Converts an error to one that JavaScript throws.
#[expect(clippy::needless_pass_by_value, reason = "map_err passes by value")]
pub(super) fn thrown(error: Box<dyn Error>) -> JsError {
    JsError::new(&error.to_string())
}

/// Converts to a JavaScript number. Exact: all numbers here are below 2^53.
#[expect(clippy::cast_precision_loss, reason = "below 2^53, see above")]
pub(super) fn number(value: u64) -> f64 {
    value as f64
}

/// Converts a whole number of JavaScript.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time or a count; others are clamped")]
pub(super) fn whole(value: f64) -> u64 {
    value as u64
}
