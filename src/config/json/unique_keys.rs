//! JSON text to a [`Value`], with duplicate keys refused.
//!
//! `serde_json` itself keeps the last value of a key and drops the others without a word.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::object::{InvalidInput, join, shortened};

/// Parses JSON text. The result is that of [`serde_json::from_slice`] if no object has a key twice.
///
/// # Errors
/// Returns [`InvalidInput`] if the text is not JSON, with an empty path, or if an object has a key twice, with the path
/// of that object.
pub(crate) fn parse(text: &[u8]) -> Result<Value, InvalidInput> {
    let duplicate = Cell::new(None);
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let root = Place { parent: None, duplicate: &duplicate };
    let value = root.deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| duplicate.take().unwrap_or_else(|| InvalidInput::new("", format!("is not JSON: {error}"))))
}

/// A place in the text, where a value is expected.
#[derive(Clone, Copy)]
struct Place<'p> {
    /// The place of the array or object that has the value, and the step from there. `None` at the root.
    parent: Option<(&'p Place<'p>, Step<'p>)>,
    /// The first duplicate key. An error of `serde_json` has no room for a path.
    duplicate: &'p Cell<Option<InvalidInput>>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

impl Place<'_> {
    fn child<'c>(&'c self, step: Step<'c>) -> Place<'c> {
        Place { parent: Some((self, step)), duplicate: self.duplicate }
    }

    fn path(&self) -> String {
        match self.parent {
            None => String::new(),
            Some((parent, Step::Key(key))) => join(&parent.path(), key),
            Some((parent, Step::Index(index))) => format!("{}[{index}]", parent.path()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(self.child(Step::Index(items.len())))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if fields.contains_key(&key) {
                let problem = format!("the key {:?} appears twice", shortened(&key));
                self.duplicate.set(Some(InvalidInput::new(self.path(), problem)));
                return Err(A::Error::custom("duplicate key"));
            }
            let value = access.next_value_seed(self.child(Step::Key(&key)))?;
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problem(text: &str) -> String {
        parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn duplicate_keys_are_refused_with_their_path() {
        for (text, message) in [
            (r#"{"a":1,"b":2,"a":3}"#, r#"the key "a" appears twice"#),
            (r#"{"a":{"b":[{},[{"c":1,"c":1}]]}}"#, r#"a.b[1][0]: the key "c" appears twice"#),
            (r#"[{"a":null,"\u0061":null}]"#, r#"[0]: the key "a" appears twice"#),
            (r#"{"":1,"":1}"#, r#"the key "" appears twice"#),
        ] {
            assert_eq!(problem(text), message);
        }
        let long = "x".repeat(100);
        assert_eq!(
            problem(&format!(r#"{{"{long}":1,"{long}":1}}"#)),
            format!("the key {:?} appears twice", &long[..64])
        );
    }

    #[test]
    fn one_key_may_appear_in_several_objects() {
        for text in [r#"{"a":{"a":1},"b":{"a":1}}"#, r#"[{"a":1},{"a":1}]"#, r#"{"a":1,"A":1}"#] {
            assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        }
    }

    #[test]
    fn numbers_and_errors_are_those_of_serde_json() {
        for text in [
            "0",
            "-0",
            "-1",
            "9007199254740993",
            "18446744073709551615",
            "18446744073709551616",
            "-9223372036854775808",
            "-9223372036854775809",
            "1.0",
            "1e3",
            "0.1",
            "1e400",
            "01",
            "+1",
            "NaN",
            "{",
            "[1,]",
            "{\"a\"}",
            "",
            "1 2",
            "\"\\ud800\"",
            "\"\u{1}\"",
            "nul",
        ] {
            check(text);
        }
        check(&("[".repeat(127) + &"]".repeat(127)));
        check(&("[".repeat(128) + &"]".repeat(128)));
        check(&(r#"{"a":"#.repeat(200) + "1" + &"}".repeat(200)));
        assert!(parse(b"\"\xff\"").is_err());
    }

    /// Expects the outcome of `serde_json`, to the last digit and word.
    fn check(text: &str) {
        let expected = serde_json::from_str::<Value>(text).map_err(|error| format!("is not JSON: {error}"));
        let found = parse(text.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(format!("{found:?}"), format!("{expected:?}"), "{text:?}");
    }

    fn value() -> impl Strategy<Value = Value> {
        let number = prop_oneof![
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
        ];
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            number,
            any::<String>().prop_map(Value::from)
        ];
        scalar.prop_recursive(5, 40, 6, |value| {
            prop_oneof![
                prop::collection::vec(value.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), value, 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn without_duplicates_the_value_is_that_of_serde_json(value in value()) {
            check(&value.to_string());
            check(&serde_json::to_string_pretty(&value).unwrap());
        }

        #[test]
        fn broken_text_fails_as_in_serde_json(value in value(), cut in any::<prop::sample::Index>()) {
            let text = value.to_string();
            let end = (0..=cut.index(text.len() + 1)).rev().find(|end| text.is_char_boundary(*end)).unwrap();
            check(&text[..end]);
        }
    }
}
