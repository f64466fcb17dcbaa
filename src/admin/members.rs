//! JSON objects and lists of texts. Each line of `json!` becomes far more code in the Worker.

use serde_json::Value;

/// Returns an object with these members.
pub(super) fn object(members: Vec<(&str, Value)>) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Returns a list of texts.
pub(super) fn texts(texts: Vec<String>) -> Value {
    Value::Array(texts.into_iter().map(Value::String).collect())
}

/// Returns a list of things as texts.
pub(super) fn printed<T: ToString>(list: &[T]) -> Value {
    texts(list.iter().map(ToString::to_string).collect())
}
