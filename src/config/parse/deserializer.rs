//! JSON values as input of serde, with messages that fit the rest of the configuration.
//!
//! Unlike the deserializer of `serde_json`, this one knows the path of a problem, suggests the nearest known name for an
//! unknown one, and does not accept an array in place of a struct.

use std::fmt;
use std::iter::Enumerate;
use std::slice;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, Expected, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value, map};

use crate::config::suggestion::unknown;

/// A JSON value to deserialize from.
#[derive(Clone, Copy)]
pub(super) struct Input<'de>(pub(super) &'de Value);

/// A problem with a value.
#[derive(Debug)]
pub(super) struct Problem {
    /// The path from the input, empty for the input itself.
    pub(super) path: String,
    pub(super) text: String,
}

impl Problem {
    fn new(text: String) -> Self {
        Problem { path: String::new(), text }
    }

    /// The same problem, seen from the array or object above it: `step` is a key, or an index in brackets.
    fn below(mut self, step: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{step}{dot}{}", self.path);
        self
    }
}

/// The items of an array.
struct Items<'de>(Enumerate<slice::Iter<'de, Value>>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Problem;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        let Some((index, item)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Input(item)).map(Some).map_err(|problem| problem.below(&format!("[{index}]")))
    }
}

/// The fields of an object, and the one whose key was read last.
struct Fields<'de> {
    rest: map::Iter<'de>,
    current: Option<(&'de String, &'de Value)>,
}

impl<'de> Fields<'de> {
    fn new(fields: &'de Map<String, Value>) -> Self {
        Fields { rest: fields.iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Fields<'de> {
    type Error = Problem;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Problem> {
        self.current = self.rest.next();
        let Some((key, _)) = self.current else { return Ok(None) };
        seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some).map_err(|problem: Problem| problem.below(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        let Some((key, value)) = self.current else { return Err(de::Error::custom("a value before its key")) };
        seed.deserialize(Input(value)).map_err(|problem| problem.below(key))
    }
}

impl<'de> Deserializer<'de> for Input<'de> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => visitor.visit_u64(number),
                (None, Some(number)) => visitor.visit_i64(number),
                (None, None) => visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Value::Object(fields) => visitor.visit_map(Fields::new(fields)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        if !self.0.is_object() {
            return Err(de::Error::invalid_type(unexpected(self.0), &"an object"));
        }
        self.deserialize_any(visitor)
    }

    /// The name of the enum is the noun of the message: `unknown algorithm "…"`.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let Value::String(found) = self.0 else {
            return Err(de::Error::invalid_type(unexpected(self.0), &"a text"));
        };
        if !variants.contains(&found.as_str()) {
            return Err(Problem::new(unknown(name, found, variants)));
        }
        visitor.visit_enum(found.as_str().into_deserializer())
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

impl de::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Problem::new(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = if found == Unexpected::Unit { Unexpected::Other("null") } else { found };
        Problem::new(format!("invalid type: {found}, expected {expected}"))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Problem::new(unknown("field", field, known))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Problem {}

/// Returns the type and, of scalars, the value, for an error message.
pub(super) fn unexpected(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Number(number) => number
            .as_u64()
            .map(Unexpected::Unsigned)
            .or_else(|| number.as_i64().map(Unexpected::Signed))
            .or_else(|| number.as_f64().map(Unexpected::Float))
            .unwrap_or(Unexpected::Other("number")),
        Value::Bool(bool) => Unexpected::Bool(*bool),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
        Value::String(text) => Unexpected::Str(text),
        Value::Null => Unexpected::Unit,
    }
}
