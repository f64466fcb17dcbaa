//! Refuses a document in which a key appears twice: two parsers may read two documents there.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Whether the keys of a document's objects are unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keys {
    Unique,
    /// An object has a key twice, as far as the text is JSON.
    Duplicate,
    /// Nobody knows: the text is not JSON, or has something that this parser does not read, such as a number above 1.8e308.
    Unknown,
}

/// Looks for duplicate keys in a JSON document. The memory is that of the keys of the open objects.
pub(super) fn keys_of(text: &[u8]) -> Keys {
    let mut duplicate = false;
    let read = Place { duplicate: &mut duplicate }.deserialize(&mut serde_json::Deserializer::from_slice(text));
    match read {
        _ if duplicate => Keys::Duplicate,
        Ok(()) => Keys::Unique,
        Err(_) => Keys::Unknown,
    }
}

struct Place<'d> {
    duplicate: &'d mut bool,
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any valid JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        while access.next_element_seed(Place { duplicate: self.duplicate })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        // A tree: a client could choose keys that have the same hash.
        let mut keys = BTreeSet::new();
        while let Some(key) = access.next_key::<String>()? {
            if !keys.insert(key) {
                *self.duplicate = true;
                return Err(A::Error::custom("duplicate key"));
            }
            access.next_value_seed(Place { duplicate: self.duplicate })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicate_keys_are_found_wherever_they_are() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"x":[{"a":1,"\u0061":2}],"y":{}}"#, r#"[[{"":{},"b":0,"":{}}]]"#] {
            assert_eq!(keys_of(text.as_bytes()), Keys::Duplicate, "{text}");
        }
        for text in [r#"{"a":{"a":1},"b":{"a":1}}"#, r#"[{"a":1},{"a":1}]"#, r#"{"a":1,"A":1}"#, "1", "null"] {
            assert_eq!(keys_of(text.as_bytes()), Keys::Unique, "{text}");
        }
    }

    #[test]
    fn keys_of_what_is_not_json_are_unknown() {
        for text in ["", "a=1&a=1", r#"{"a":1,"b":}"#, r#"{"a":1 "a":1}"#, "{\"a\":\"\u{1}\",\"a\":1}"] {
            assert_eq!(keys_of(text.as_bytes()), Keys::Unknown, "{text}");
        }
        assert_eq!(keys_of(br#"{"a":1,"a":1} and more"#), Keys::Duplicate, "some parsers read it");
        assert_eq!(keys_of(&b"[".repeat(1 << 20)), Keys::Unknown);
    }

    #[test]
    fn keys_behind_what_is_not_read_are_unknown() {
        let deep = format!(r#"{{"x":{}{},"a":1,"a":2}}"#, "[".repeat(200), "]".repeat(200));
        for text in [r#"{"x":1e999,"a":1,"a":2}"#.as_bytes(), deep.as_bytes(), b"{\"x\":\"\xff\",\"a\":1,\"a\":2}"] {
            assert_eq!(keys_of(text), Keys::Unknown);
        }
    }
}
