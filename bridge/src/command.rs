//! A command as the client sent it.

use std::borrow::Cow;

use axum::http::Uri;
use percent_encoding::percent_decode;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::query;

/// The name and the arguments of a command as bytes. May be empty.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Command<'a>(pub(crate) Vec<Cow<'a, [u8]>>);

impl<'a> Command<'a> {
    /// Parses a JSON array of strings, numbers and booleans.
    ///
    /// # Errors
    ///
    /// Returns a message for the client if the body is not such an array.
    pub(crate) fn from_json(body: &'a [u8]) -> Result<Self, String> {
        from_values(serde_json::from_slice(body).map_err(|error| error.to_string())?)
    }

    /// Parses several commands from a JSON array of arrays.
    ///
    /// # Errors
    ///
    /// Returns a message for the client if any of the commands is invalid.
    pub(crate) fn batch_from_json(body: &'a [u8]) -> Result<Vec<Self>, String> {
        let batch: Vec<Vec<&RawValue>> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        batch.into_iter().map(from_values).collect()
    }

    /// Parses the segments of the path, then appends the body if there is one, then the parameters of the
    /// query.
    pub(crate) fn from_path(uri: &'a Uri, body: &'a [u8]) -> Self {
        let path = uri.path().strip_prefix('/').unwrap_or(uri.path());
        let mut args: Vec<_> = path.split('/').map(|segment| percent_decode(segment.as_bytes()).into()).collect();
        if !body.is_empty() {
            args.push(body.into());
        }
        for (name, value) in query::parameters(uri).filter(|(name, _)| **name != *query::TOKEN) {
            args.push(name);
            if !value.is_empty() {
                args.push(value);
            }
        }
        Self(args)
    }
}

fn from_values(values: Vec<&RawValue>) -> Result<Command<'_>, String> {
    let args = values.into_iter().enumerate().map(|(index, value)| argument(index, value));
    Ok(Command(args.collect::<Result<_, _>>()?))
}

/// Numbers are passed on as the client wrote them: Redis reads them as text, and a float can be written in
/// several ways.
fn argument(index: usize, value: &RawValue) -> Result<Cow<'_, [u8]>, String> {
    let text = value.get();
    match text.as_bytes() {
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => Ok(Cow::Borrowed(inner)),
        [b'"', ..] => {
            let unescaped = String::deserialize(value).map_err(|error| format!("argument {index}: {error}"))?;
            Ok(Cow::Owned(unescaped.into_bytes()))
        }
        [b'-' | b'0'..=b'9' | b't' | b'f', ..] => Ok(Cow::Borrowed(text.as_bytes())),
        [b'[', ..] => Err(not_an_argument(index, "an array")),
        [b'{', ..] => Err(not_an_argument(index, "an object")),
        _ => Err(not_an_argument(index, "null")),
    }
}

fn not_an_argument(index: usize, found: &str) -> String {
    format!("argument {index} is {found} (expected a string, a number or a boolean)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_json(body: &str, expected: &[&[u8]]) {
        let command = Command::from_json(body.as_bytes()).unwrap();
        assert_eq!(command.0, expected, "{body}");
    }

    fn check_path(uri: &'static str, body: &[u8], expected: &[&[u8]]) {
        assert_eq!(Command::from_path(&Uri::from_static(uri), body).0, expected, "{uri}");
    }

    #[test]
    fn parses_json_arguments() {
        check_json(r#"["SET","key","value"]"#, &[b"SET", b"key", b"value"]);
        check_json(r#"["a","",true,false]"#, &[b"a", b"", b"true", b"false"]);
        check_json(r#"[ "a\n\"\u00e9" , "é" ]"#, &[b"a\n\"\xc3\xa9", b"\xc3\xa9"]);
        check_json("[]", &[]);
    }

    #[test]
    fn numbers_are_passed_on_unchanged() {
        check_json(
            r"[1,-7,1.10,1e3,123456789012345678901234567890]",
            &[b"1", b"-7", b"1.10", b"1e3", b"123456789012345678901234567890"],
        );
    }

    #[test]
    fn rejects_invalid_arguments() {
        for (body, expected) in [
            ("[1,null]", "argument 1 is null"),
            ("[[1]]", "argument 0 is an array"),
            (r#"["a",{"b":1}]"#, "argument 1 is an object"),
            (r#"["\ud800"]"#, "argument 0: "),
            ("{}", "invalid type: map"),
            ("", "EOF"),
            ("[1", "EOF"),
            ("[1] x", "trailing characters"),
        ] {
            let error = Command::from_json(body.as_bytes()).unwrap_err();
            assert!(error.contains(expected), "{body}: {error}");
        }
        assert!(Command::from_json(b"[\"\xff\"]").is_err());
    }

    #[test]
    fn parses_a_batch() {
        let batch = Command::batch_from_json(br#"[["GET","a"],["GET",1]]"#).unwrap();
        assert_eq!(batch.len(), 2);
        assert!(Command::batch_from_json(br#"["GET","a"]"#).is_err());
        assert!(Command::batch_from_json(br#"[["GET",null]]"#).is_err());
    }

    #[test]
    fn arguments_come_from_path_then_body_then_query() {
        check_path("/set/foo/bar", b"", &[b"set", b"foo", b"bar"]);
        check_path("/set/foo?EX=100", b"body", &[b"set", b"foo", b"body", b"EX", b"100"]);
        check_path("/set/foo/bar?EX=100&NX&_token=t", b"", &[b"set", b"foo", b"bar", b"EX", b"100", b"NX"]);
        check_path("/set/a%2Fb/%ff/x+y", b"", &[b"set", b"a/b", b"\xff", b"x+y"]);
        check_path("/set/k/", b"\x00\xff", &[b"set", b"k", b"", b"\x00\xff"]);
        check_path("/echo?a+b=%2B", b"", &[b"echo", b"a b", b"+"]);
    }
}
