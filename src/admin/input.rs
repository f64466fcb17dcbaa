//! Readers of the fields that a client sends, in addition to those of [`json`](crate::config::json).

use serde_json::Value;

use crate::config::Config;
use crate::config::json::{InvalidInput, Object, Problems, expected, text};
use crate::limit::{MAX_INTEGER, Plan};

/// Reads the body as an object with the `known` fields, and collects all its problems.
pub(super) fn read<'v, I>(
    body: &'v Value,
    known: &[&str],
    mut problems: Problems,
    fields: impl FnOnce(&Object<'v>, &mut Problems) -> Option<I>,
) -> Result<I, InvalidInput> {
    let input = Object::open(body, "", known, &mut problems).and_then(|object| fields(&object, &mut problems));
    problems.finish(input)
}

/// Replaces every `5.0` by `5`: in JSON Schema both are the same integer.
pub(super) fn with_integers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and within bounds")]
            let whole = |float: f64| (float.fract() == 0.0 && float.abs() < TWO_53).then_some(float as i64);
            if let Some(whole) = number.as_f64().filter(|_| number.is_f64()).and_then(whole) {
                *value = whole.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(with_integers),
        Value::Object(fields) => fields.values_mut().for_each(with_integers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// Refuses null in these optional fields.
pub(super) fn refuse_null(body: &Value, fields: &[&str], problems: &mut Problems) {
    for field in fields.iter().filter(|field| body.get(field).is_some_and(Value::is_null)) {
        problems.push(*field, "is null (leave it out)");
    }
}

/// Checks a name in the path: it has 1 to 64 of `A-Z a-z 0-9 _ - .` and is neither `.` nor `..`, which have another
/// meaning in a path.
pub(super) fn check_name(path: &str, name: &str, problems: &mut Problems) {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let valid = (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(allowed) && ![".", ".."].contains(&name);
    if !valid {
        problems.push(path, "expected 1 to 64 of A-Z a-z 0-9 _ - . , and neither . nor ..");
    }
}

/// Reads an id of a request, lease or owner: 1 to 200 visible ASCII characters.
pub(super) fn id(value: &Value) -> Result<&str, String> {
    let valid = |id: &&str| (1..=MAX_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    value.as_str().filter(valid).ok_or_else(|| expected("1 to 200 visible ASCII characters", value))
}

/// Reads a text of up to 4096 characters.
pub(super) fn small_text(value: &Value) -> Result<&str, String> {
    let short = |text: &&str| text.chars().count() <= MAX_VALUE;
    value.as_str().filter(short).ok_or_else(|| expected("a text of at most 4096 characters", value))
}

/// Reads a whole number from 0 to 2^53 - 1.
pub(super) fn count(value: &Value) -> Result<u64, String> {
    let number = value.as_u64().filter(|number| *number <= MAX_INTEGER);
    number.ok_or_else(|| expected(&format!("a whole number from 0 to {MAX_INTEGER}"), value))
}

/// Reads the name of a plan, and returns it with the plan.
pub(super) fn plan<'c>(value: &Value, config: &'c Config) -> Result<(&'c String, &'c Plan), String> {
    let name = text(value)?;
    let known: Vec<_> = config.plans.keys().map(String::as_str).collect();
    let unknown = || format!("no plan is named {name:?} (plans: {})", known.join(", "));
    config.plans.get_key_value(&name).ok_or_else(unknown)
}

/// Reads true or false.
pub(super) fn boolean(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| expected("true or false", value))
}

const MAX_NAME: usize = 64;
const MAX_ID: usize = 200;
/// Characters of the longest value.
const MAX_VALUE: usize = 4096;
const TWO_53: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn readers_enforce_their_bounds() {
        assert!(id(&json!("!~")).is_ok() && id(&json!("x".repeat(200))).is_ok());
        for bad in [json!(""), json!("a b"), json!("é"), json!("x".repeat(201)), json!(1), json!(null)] {
            assert!(id(&bad).is_err(), "{bad}");
        }
        assert!(small_text(&json!("é".repeat(4096))).is_ok() && small_text(&json!("")).is_ok());
        assert!(small_text(&json!("é".repeat(4097))).is_err());
        assert_eq!((count(&json!(0)), count(&json!(MAX_INTEGER))), (Ok(0), Ok(MAX_INTEGER)));
        for bad in [json!(-1), json!(1.5), json!("1"), json!(MAX_INTEGER + 1)] {
            assert!(count(&bad).is_err(), "{bad}");
        }
        assert!(boolean(&json!(0)).is_err());
    }

    #[test]
    fn whole_floats_become_integers() {
        let mut value = json!({ "a": [5.0, -0.0, 1e15, 1.5, 1e16, "5.0", null], "b": 7 });
        with_integers(&mut value);
        assert_eq!(value, json!({ "a": [5, 0, 1_000_000_000_000_000_u64, 1.5, 1e16, "5.0", null], "b": 7 }));
    }

    #[test]
    fn names_have_only_plain_characters() {
        let problems = |name: &str| {
            let mut problems = Problems::default();
            check_name("name", name, &mut problems);
            problems.finish(Some(())).map_err(|invalid| invalid.to_string())
        };
        assert_eq!((problems("Ci_2.a-b"), problems("...")), (Ok(()), Ok(())));
        for bad in ["", ".", "..", "a b", "a/b", "a:b", "é", &"x".repeat(65)] {
            assert!(problems(bad).unwrap_err().starts_with("name: expected 1 to 64 of"), "{bad}");
        }
    }
}
