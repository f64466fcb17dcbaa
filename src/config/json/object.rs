//! Reads JSON objects field by field and collects all problems, each with the path of its field.

use std::fmt;

use serde_json::{Map, Value};

use crate::config::suggestion::remedy;
use crate::limit::MAX_INTEGER;
use crate::time::Timestamp;

/// A problem with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field's path, for example `overrides.day.limit`. Empty for the value as a whole.
    pub path: String,
    /// The problem.
    pub problem: String,
}

impl fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.problem)
    }
}

/// An invalid input, with its first 32 problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidInput {
    problems: Vec<FieldProblem>,
}

impl InvalidInput {
    /// Creates an error with one problem. An empty `path` is the input as a whole.
    #[must_use]
    pub fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        InvalidInput { problems: vec![FieldProblem { path: path.into(), problem: problem.into() }] }
    }

    /// Returns the problems, in the order in which they were found.
    #[must_use]
    pub fn problems(&self) -> &[FieldProblem] {
        &self.problems
    }
}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            write!(f, "{}{problem}", if i == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidInput {}

/// The problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<FieldProblem>);

impl Problems {
    pub(crate) fn push(&mut self, path: impl Into<String>, problem: impl Into<String>) {
        if self.0.len() < MAX_PROBLEMS {
            self.0.push(FieldProblem { path: path.into(), problem: problem.into() });
        }
    }

    /// Returns the value if there are no problems. If `value` is `None`, a problem must have been pushed.
    pub(crate) fn finish<T>(self, value: Option<T>) -> Result<T, InvalidInput> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(InvalidInput { problems: self.0 }),
        }
    }
}

/// An object whose fields are all known.
#[derive(Debug)]
pub(crate) struct Object<'v> {
    path: String,
    fields: &'v Map<String, Value>,
}

impl<'v> Object<'v> {
    /// Opens the object at `path`, which is empty at the root. Fields that are not `known` are problems.
    pub(crate) fn open(value: &'v Value, path: &str, known: &[&str], problems: &mut Problems) -> Option<Self> {
        let object = Object { path: path.to_owned(), fields: members(value, path, problems)? };
        for name in object.fields.keys().filter(|name| !known.contains(&name.as_str())).take(MAX_PROBLEMS) {
            let remedy = remedy(name, "known", known.iter().copied());
            problems.push(object.path_of(name), format!("unknown field ({remedy})"));
        }
        Some(object)
    }

    /// Returns the field's value. A JSON null counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&'v Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    /// Returns the path of a field of this object.
    pub(crate) fn path_of(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// Reads a required field. Pushes a problem if it returns `None`.
    pub(crate) fn required<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'v Value) -> Result<T, String>,
        problems: &mut Problems,
    ) -> Option<T> {
        if self.get(name).is_none() {
            problems.push(self.path_of(name), "is missing");
        }
        self.optional(name, read, problems)
    }

    /// Reads a field that may be absent or null. Pushes a problem if it is present and invalid.
    pub(crate) fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'v Value) -> Result<T, String>,
        problems: &mut Problems,
    ) -> Option<T> {
        match read(self.get(name)?) {
            Ok(value) => Some(value),
            Err(problem) => {
                problems.push(self.path_of(name), problem);
                None
            }
        }
    }
}

/// Returns the members of an object with arbitrary names.
pub(crate) fn members<'v>(value: &'v Value, path: &str, problems: &mut Problems) -> Option<&'v Map<String, Value>> {
    let members = value.as_object();
    if members.is_none() {
        problems.push(path, expected("an object", value));
    }
    members
}

/// Returns the path of a member. A long name is cut.
pub(crate) fn join(path: &str, name: &str) -> String {
    let name = shortened(name);
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

/// Returns the first 64 characters of a name.
pub(super) fn shortened(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}

/// Reads a string.
pub(crate) fn text(value: &Value) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| expected("a text", value))
}

/// Reads a whole number from 1 to 2^53 - 1.
pub(crate) fn integer(value: &Value) -> Result<u64, String> {
    let number = value.as_u64().filter(|number| (1..=MAX_INTEGER).contains(number));
    number.ok_or_else(|| expected(&format!("a whole number from 1 to {MAX_INTEGER}"), value))
}

/// Reads a timestamp.
pub(crate) fn timestamp(value: &Value) -> Result<Timestamp, String> {
    text(value)?.parse().map_err(|error: crate::time::InvalidTimestamp| error.to_string())
}

/// Describes a value of the wrong type. Numbers are shown, other values are named by their type.
pub(crate) fn expected(what: &str, found: &Value) -> String {
    match found {
        Value::Null => format!("expected {what}, found null"),
        Value::Bool(_) => format!("expected {what}, found a boolean"),
        Value::Number(number) => format!("expected {what}, found {number}"),
        Value::String(_) => format!("expected {what}, found a text"),
        Value::Array(_) => format!("expected {what}, found a list"),
        Value::Object(_) => format!("expected {what}, found an object"),
    }
}

/// The most problems reported. An input may have thousands, and nobody reads more.
const MAX_PROBLEMS: usize = 32;

/// The most characters of a name that a path shows.
const MAX_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<(u64, Option<String>), InvalidInput> {
        let mut problems = Problems::default();
        let value = Object::open(value, "a", &["number", "text"], &mut problems).and_then(|object| {
            let text = object.optional("text", text, &mut problems);
            Some((object.required("number", integer, &mut problems)?, text))
        });
        problems.finish(value)
    }

    fn check(value: &Value, message: &str) {
        assert_eq!(read(value).unwrap_err().to_string(), message);
    }

    #[test]
    fn null_counts_as_absent() {
        assert_eq!(read(&json!({ "number": 1 })), Ok((1, None)));
        assert_eq!(read(&json!({ "number": MAX_INTEGER, "text": null })), Ok((MAX_INTEGER, None)));
        assert_eq!(read(&json!({ "number": 1, "text": "" })), Ok((1, Some(String::new()))));
    }

    #[test]
    fn all_problems_are_reported_with_their_paths() {
        check(&json!([]), "a: expected an object, found a list");
        check(
            &json!({ "b": 1, "text": true }),
            "a.b: unknown field (known: number, text); a.text: expected a text, found a boolean; a.number: is missing",
        );
        let number = "a.number: expected a whole number from 1 to 9007199254740991";
        for (value, found) in [
            (json!(0), "0"),
            (json!(-1), "-1"),
            (json!(1.5), "1.5"),
            (json!(MAX_INTEGER + 1), "9007199254740992"),
            (json!("1"), "a text"),
            (json!({}), "an object"),
        ] {
            check(&json!({ "number": value }), &format!("{number}, found {found}"));
        }
        assert_eq!(InvalidInput::new("", "is not JSON").to_string(), "is not JSON");
    }

    #[test]
    fn problems_and_names_are_bounded() {
        let fields: Map<String, Value> = (0..1000).map(|i| ("x".repeat(1000) + &i.to_string(), json!(1))).collect();
        let error = read(&fields.into()).unwrap_err();
        assert_eq!(error.problems().len(), MAX_PROBLEMS);
        assert_eq!(error.problems()[0].path, format!("a.{}", "x".repeat(64)));
    }
}
