//! Durations like `10s`.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Value;

use super::deserializer::unexpected;
use crate::time::Millis;

/// Deserializes a duration like `10s`.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
    text(deserializer)?.parse().map_err(D::Error::custom)
}

/// Deserializes the text of a duration, without parsing it.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        other => Err(D::Error::invalid_type(unexpected(&other), &"a duration like \"10s\"")),
    }
}
