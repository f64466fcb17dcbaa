//! Refuses a document in which a key appears twice: two parsers may read two documents there.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

/// Returns whether an object of a JSON document has a key twice, as far as the text is JSON. The memory is that of the keys of
/// the open objects.
pub(super) fn has_duplicate_key(text: &[u8]) -> bool {
    let mut duplicate = false;
    // Fails if there is one, or if the text is not JSON.
    let _ = Place { duplicate: &mut duplicate }.deserialize(&mut serde_json::Deserializer::from_slice(text));
    duplicate
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
            assert!(has_duplicate_key(text.as_bytes()), "{text}");
        }
        for text in [r#"{"a":{"a":1},"b":{"a":1}}"#, r#"[{"a":1},{"a":1}]"#, r#"{"a":1,"A":1}"#, "1", "null"] {
            assert!(!has_duplicate_key(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_has_none() {
        for text in ["", "a=1&a=1", r#"{"a":1,"b":}"#, r#"{"a":1 "a":1}"#, "{\"a\":\"\u{1}\",\"a\":1}"] {
            assert!(!has_duplicate_key(text.as_bytes()), "{text}");
        }
        assert!(has_duplicate_key(br#"{"a":1,"a":1} and more"#), "some parsers read it");
        assert!(!has_duplicate_key(&b"[".repeat(1 << 20)));
    }
}
