//! A reply of the REST server: a line with the status, then the body.
//!
//! A result is accepted only with status 200, and only if it is what the body says. The text of an error is short,
//! because it is logged.

use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde_json::Value;
use sluicegate::redis::{Response, parse};

use crate::fake_redis::result;
use crate::input::Lines;

pub(super) fn run(input: &[u8]) {
    let mut lines = Lines::new(input);
    let status = lines.text().trim().parse().unwrap_or(200);
    let response = Response { status, body: lines.rest().to_vec() };
    let expected = result(&response.body).filter(|_| status == 200);
    assert_agrees(&response, expected.as_ref(), Value::as_u64);
    assert_agrees(&response, expected.as_ref(), |value| match value {
        Value::Null => Some(None),
        value => value.as_str().map(|text| Some(text.to_owned())),
    });
    assert_agrees(&response, expected.as_ref(), |value| list(value, Value::as_i64));
    assert_agrees(&response, expected.as_ref(), |value| {
        list(value, Value::as_u64)?.try_into().ok().map(|it: [u64; 2]| it)
    });
    assert_agrees(&response, expected.as_ref(), |value| list(value, |item| item.as_str().map(str::to_owned)));
    assert_agrees(&response, expected.as_ref(), |value| Some(value.clone()));
}

fn list<T>(value: &Value, item: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.as_array()?.iter().map(item).collect()
}

/// Asserts that the response is read as what `read` makes of its result.
fn assert_agrees<T>(response: &Response, result: Option<&Value>, read: impl Fn(&Value) -> Option<T>)
where
    T: Debug + PartialEq + DeserializeOwned,
{
    match parse::<T>(response) {
        Ok(found) => assert_eq!(Some(found), result.and_then(read)),
        Err(error) => {
            assert!(error.to_string().chars().count() < LONGEST_ERROR, "{error}");
            assert!(result.and_then(read).is_none(), "{error} in {response:?}");
        }
    }
}

/// Characters of an error: twice 200 of the server's text, and what is said around them.
const LONGEST_ERROR: usize = 600;
