//! Redis's replies as JSON.

use axum::http::HeaderMap;
use base64::{Engine, prelude::BASE64_STANDARD};
use redis::Value;
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::request_error::server_error;

/// The encoding of strings in a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// JSON strings. Bytes that are not UTF-8 become U+FFFD.
    Text,
    /// Base64, except for a status `OK` that is the whole result.
    Base64,
}

impl Encoding {
    /// Returns the encoding that the header `Upstash-Encoding` requests.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        match headers.get("upstash-encoding") {
            Some(value) if value.as_bytes().eq_ignore_ascii_case(b"base64") => Self::Base64,
            _ => Self::Text,
        }
    }
}

/// A reply that serializes to `{"result": …}`, or to `{"error": "…"}` if it is an error.
pub(crate) struct Reply {
    pub(crate) value: Value,
    pub(crate) encoding: Encoding,
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match &self.value {
            Value::ServerError(error) => map.serialize_entry("error", &server_error(error))?,
            // A status inside an array is encoded: clients decode every string there.
            Value::Okay => map.serialize_entry("result", "OK")?,
            value => map.serialize_entry("result", &Item(value, self.encoding))?,
        }
        map.end()
    }
}

struct Item<'a>(&'a Value, Encoding);

impl Item<'_> {
    fn string<S: Serializer>(&self, bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        match self.1 {
            Encoding::Base64 => serializer.serialize_str(&BASE64_STANDARD.encode(bytes)),
            Encoding::Text => serializer.serialize_str(&String::from_utf8_lossy(bytes)),
        }
    }
}

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let items = |values: &mut dyn Iterator<Item = &Value>, serializer: S| {
            serializer.collect_seq(values.map(|value| Item(value, self.1)))
        };
        match self.0 {
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::BulkString(bytes) => self.string(bytes, serializer),
            Value::SimpleString(text) => self.string(text.as_bytes(), serializer),
            Value::Okay => self.string(b"OK", serializer),
            Value::Array(values) => items(&mut values.iter(), serializer),
            // The cluster client merges the replies of several nodes into a map. Flat, as in RESP2.
            Value::Map(pairs) => items(&mut pairs.iter().flat_map(|(key, value)| [key, value]), serializer),
            Value::ServerError(error) => self.string(server_error(error).as_bytes(), serializer),
            // Nil. The other kinds exist in RESP3 only, and connections use RESP2.
            _ => serializer.serialize_unit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &Value, text: &str, base64: &str) {
        for (encoding, expected) in [(Encoding::Text, text), (Encoding::Base64, base64)] {
            let reply = Reply { value: value.clone(), encoding };
            assert_eq!(serde_json::to_string(&reply).unwrap(), expected);
        }
    }

    fn bulk(bytes: &[u8]) -> Value {
        Value::BulkString(bytes.to_vec())
    }

    #[test]
    fn serializes_every_kind_of_value() {
        check(&Value::Nil, r#"{"result":null}"#, r#"{"result":null}"#);
        check(&Value::Int(-7), r#"{"result":-7}"#, r#"{"result":-7}"#);
        check(&Value::Okay, r#"{"result":"OK"}"#, r#"{"result":"OK"}"#);
        check(&bulk(b"OK"), r#"{"result":"OK"}"#, r#"{"result":"T0s="}"#);
        check(&Value::SimpleString("PONG".into()), r#"{"result":"PONG"}"#, r#"{"result":"UE9ORw=="}"#);
        check(&bulk(b""), r#"{"result":""}"#, r#"{"result":""}"#);
        check(&bulk(b"\x00\xff"), "{\"result\":\"\\u0000\u{fffd}\"}", r#"{"result":"AP8="}"#);
    }

    #[test]
    fn serializes_nested_arrays() {
        let value = Value::Array(vec![Value::Int(1), Value::Array(vec![bulk(b"a"), Value::Nil]), Value::Array(vec![])]);
        check(&value, r#"{"result":[1,["a",null],[]]}"#, r#"{"result":[1,["YQ==",null],[]]}"#);
        let oks = Value::Array(vec![bulk(b"OK"), Value::Okay, Value::Array(vec![bulk(b"OK")])]);
        check(&oks, r#"{"result":["OK","OK",["OK"]]}"#, r#"{"result":["T0s=","T0s=",["T0s="]]}"#);
        let map = Value::Map(vec![(bulk(b"node"), Value::Int(1))]);
        check(&map, r#"{"result":["node",1]}"#, r#"{"result":["bm9kZQ==",1]}"#);
    }

    #[test]
    fn errors_are_passed_on_unchanged() {
        let parsed = redis::parse_redis_value(b"-NOSCRIPT No matching script. Please use EVAL.\r\n").unwrap();
        let expected = r#"{"error":"NOSCRIPT No matching script. Please use EVAL."}"#;
        check(&parsed, expected, expected);
        let inside = Value::Array(vec![redis::parse_redis_value(b"-ERR no\r\n").unwrap()]);
        check(&inside, r#"{"result":["ERR no"]}"#, r#"{"result":["RVJSIG5v"]}"#);
    }
}
