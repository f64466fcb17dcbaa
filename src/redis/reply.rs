//! Parses an HTTP response into a command's result or a [`RedisError`].

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::RedisError;
use super::transport::Response;

/// Parses a response as the result `T` of a command.
///
/// # Errors
/// Returns any [`RedisError`] except [`RedisError::Unreachable`], [`RedisError::Timeout`] and
/// [`RedisError::Length`].
pub fn parse<T: DeserializeOwned>(response: &Response) -> Result<T, RedisError> {
    let mismatch = if response.status == 200 && is_object(&response.body) {
        match serde_json::from_slice(&response.body) {
            Ok(Success { result }) => return Ok(result),
            Err(error) => error.to_string(),
        }
    } else {
        "expected an object".to_owned()
    };
    Err(failure(response, &mismatch))
}

/// The body of a successful response. Unknown members are ignored: a server may add some.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
struct Success<T> {
    /// Without `deserialize_with`, serde takes a missing member for the `None` of an `Option`.
    #[serde(deserialize_with = "Deserialize::deserialize")]
    result: T,
}

/// Returns whether the JSON text is an object. Serde also reads a struct from an array.
fn is_object(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"{")
}

/// Returns the error of a response without the expected result. `mismatch` says why it is not a successful one.
fn failure(response: &Response, mismatch: &str) -> RedisError {
    let body = serde_json::from_slice::<Value>(&response.body);
    let text = body.as_ref().ok().and_then(|body| body.get("error")).and_then(Value::as_str);
    match (response.status, text) {
        // Servers and proxies send `NOSCRIPT` with different statuses, so only the text counts.
        (_, Some(text)) if text.contains("NOSCRIPT") => RedisError::UnknownScript,
        (401, text) => RedisError::Unauthorized { reason: text.map_or_else(|| beginning(&response.body), shorten) },
        (429, _) => RedisError::RateLimited,
        (_, Some(text)) if is_exhausted(text) => RedisError::Exhausted { reason: shorten(text) },
        (200 | 400, Some(text)) => RedisError::Command { reason: shorten(text) },
        (200, None) => match body {
            Err(_) => RedisError::NotJson { body: beginning(&response.body) },
            // The mismatch may quote a text of any length.
            Ok(_) => RedisError::Shape { reason: format!("{} in {}", shorten(mismatch), beginning(&response.body)) },
        },
        (status, text) => {
            RedisError::Server { status, reason: text.map_or_else(|| beginning(&response.body), shorten) }
        }
    }
}

/// Returns whether the text is Upstash's `ERR max daily request limit exceeded` or `ERR max requests limit
/// exceeded`.
fn is_exhausted(text: &str) -> bool {
    text.contains("max") && text.contains("limit exceeded")
}

fn beginning(body: &[u8]) -> String {
    shorten(&String::from_utf8_lossy(body))
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

/// Characters of a server's text in an error: enough to recognize it in a log.
const LONGEST_TEXT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Result<Vec<i64>, RedisError> {
        parse(&Response { status, body: body.into() })
    }

    fn reason(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn result_is_parsed_and_unknown_members_are_ignored() {
        assert_eq!(read(200, r#"{"result":[1,-1,1700000000123]}"#), Ok(vec![1, -1, 1_700_000_000_123]));
        assert_eq!(read(200, r#"{"took_ms":3,"result":[1]}"#), Ok(vec![1]));
    }

    #[test]
    fn noscript_is_recognized_at_any_status() {
        for status in [200, 400, 404, 500, 503] {
            for text in ["NOSCRIPT No matching script. Please use EVAL.", "ERR pipeline: NOSCRIPT No matching script."]
            {
                assert_eq!(read(status, &format!(r#"{{"error":"{text}"}}"#)), Err(RedisError::UnknownScript));
            }
        }
    }

    #[test]
    fn each_failure_has_its_error() {
        for (status, body, error) in [
            (
                401,
                r#"{"error":"WRONGPASS invalid token"}"#,
                RedisError::Unauthorized { reason: reason("WRONGPASS invalid token") },
            ),
            (401, "denied", RedisError::Unauthorized { reason: reason("denied") }),
            (400, r#"{"error":"ERR unknown command"}"#, RedisError::Command { reason: reason("ERR unknown command") }),
            (200, r#"{"error":"ERR odd"}"#, RedisError::Command { reason: reason("ERR odd") }),
            (
                400,
                r#"{"error":"ERR max daily request limit exceeded. Limit: 10000"}"#,
                RedisError::Exhausted { reason: reason("ERR max daily request limit exceeded. Limit: 10000") },
            ),
            (
                400,
                r#"{"error":"ERR max requests limit exceeded"}"#,
                RedisError::Exhausted { reason: reason("ERR max requests limit exceeded") },
            ),
            (429, "slow down", RedisError::RateLimited),
            (500, "oops", RedisError::Server { status: 500, reason: reason("oops") }),
            (503, r#"{"error":"down"}"#, RedisError::Server { status: 503, reason: reason("down") }),
            (302, "", RedisError::Server { status: 302, reason: reason("") }),
            (200, "<html>", RedisError::NotJson { body: reason("<html>") }),
            (200, "", RedisError::NotJson { body: reason("") }),
            (200, r#"{"result":[1,"#, RedisError::NotJson { body: reason(r#"{"result":[1,"#) }),
        ] {
            assert_eq!(read(status, body), Err(error), "{status} {body}");
        }
    }

    #[test]
    fn shape_error_quotes_the_body() {
        for body in ["[]", "{}", "null", r#"{"result":null}"#, r#"{"result":[1.5]}"#, r#"{"result":["1"]}"#] {
            let error = read(200, body).unwrap_err();
            assert!(matches!(&error, RedisError::Shape { reason } if reason.ends_with(body)), "{error}");
        }
    }

    #[test]
    fn long_texts_are_truncated() {
        let RedisError::NotJson { body } = read(200, &"é".repeat(500)).unwrap_err() else { panic!() };
        assert_eq!(body.chars().count(), LONGEST_TEXT + 1);
        let RedisError::Shape { reason } = read(200, &format!(r#"{{"result":"{}"}}"#, "é".repeat(500))).unwrap_err()
        else {
            panic!()
        };
        assert!(reason.chars().count() <= 2 * LONGEST_TEXT + 6, "{reason}");
    }

    #[test]
    fn optional_result_may_be_null() {
        let response = Response { status: 200, body: br#"{"result":null}"#.into() };
        assert_eq!(parse::<Option<String>>(&response), Ok(None));
    }

    #[test]
    fn optional_result_must_be_there() {
        let read = |body: &str| parse::<Option<String>>(&Response { status: 200, body: body.into() });
        assert_eq!(read(r#"{"error":"ERR odd"}"#), Err(RedisError::Command { reason: reason("ERR odd") }));
        for body in ["{}", r#"{"message":"hello"}"#, "[null]", r#"["text"]"#] {
            assert!(matches!(read(body), Err(RedisError::Shape { .. })), "{body}");
        }
    }

    #[test]
    fn array_is_not_a_response() {
        for body in ["[[1,2]]", " [[1]]"] {
            let error = read(200, body).unwrap_err();
            assert_eq!(error, RedisError::Shape { reason: format!("expected an object in {body}") });
        }
    }
}
