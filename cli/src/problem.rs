//! A problem document of the API (RFC 9457).

use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use sluicegate_validate::printable;

/// A problem document: the reason why the API refused a request.
#[derive(Debug)]
pub(crate) struct Problem {
    /// The document as received.
    pub(crate) json: Value,
    fields: Fields,
    remedy: Option<&'static str>,
}

#[derive(Debug, Deserialize)]
struct Fields {
    #[serde(rename = "type", default)]
    kind: String,
    title: String,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    errors: Vec<FieldError>,
}

#[derive(Debug, Deserialize)]
struct FieldError {
    path: String,
    problem: String,
}

impl Problem {
    /// Parses a problem document. Returns `None` if `json` has another form.
    pub(crate) fn new(json: Value) -> Option<Self> {
        let fields = Fields::deserialize(&json).ok()?;
        let remedy = fields.kind.strip_prefix(TYPE).and_then(remedy);
        Some(Problem { json, fields, remedy })
    }

    /// Returns the last part of its type, for example `tenant-not-found`; empty if the type is not one of ours.
    pub(crate) fn name(&self) -> &str {
        self.fields.kind.strip_prefix(TYPE).unwrap_or_default()
    }
}

/// Formats the title and the detail, a line for each invalid field, and the remedy.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fields { title, detail, errors, .. } = &self.fields;
        f.write_str(&printable(title))?;
        if let Some(detail) = detail.as_ref().filter(|detail| *detail != title) {
            write!(f, ": {}", printable(detail))?;
        }
        for FieldError { path, problem } in errors {
            write!(f, "\n  {}: {}", printable(path), printable(problem))?;
        }
        if let Some(remedy) = self.remedy {
            write!(f, "\n  ({remedy})")?;
        }
        Ok(())
    }
}

/// Returns the remedy for problems that the API's own text does not explain.
fn remedy(name: &str) -> Option<&'static str> {
    Some(match name {
        "unauthorized" => WRONG_TOKEN,
        "not-found" => NO_API,
        "lost-race" => "someone else changed it meanwhile: look at it with `tenants show`, then try again",
        "too-many-keys" => "revoke a key first: `keys list`, `keys revoke`",
        "redis-unavailable" => "run `sluicegate doctor`",
        _ => return None,
    })
}

/// The remedy if the Worker rejects the token.
pub(crate) const WRONG_TOKEN: &str = "SLUICEGATE_ADMIN_TOKEN is not the token of this Worker; set a new one with `wrangler secret put SLUICEGATE_ADMIN_TOKEN`";
/// The remedy if the API does not exist.
pub(crate) const NO_API: &str = "the API exists only if the Worker has the secret: `wrangler secret put SLUICEGATE_ADMIN_TOKEN`; check --url as well";

const TYPE: &str = "urn:sluicegate:problem:";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn text_has_title_detail_fields_and_remedy() {
        let problem = Problem::new(json!({
            "type": "urn:sluicegate:problem:invalid-request", "title": "the request is invalid", "status": 400,
            "detail": "two fields are wrong",
            "errors": [
                { "path": "overrides.day.limit", "problem": "expected 1 to 9007199254740991, found 0" },
                { "path": "plan", "problem": "no plan is named \"x\u{1b}[31m\"" },
            ],
        }))
        .unwrap();
        assert_eq!(
            problem.to_string(),
            "the request is invalid: two fields are wrong\n  overrides.day.limit: expected 1 to 9007199254740991, \
             found 0\n  plan: no plan is named \"x\\u{1b}[31m\"",
        );
        assert_eq!(problem.name(), "invalid-request");

        let problem = Problem::new(json!({ "type": "urn:sluicegate:problem:unauthorized", "title": "no" })).unwrap();
        assert_eq!(problem.to_string(), format!("no\n  ({WRONG_TOKEN})"));
        assert!(Problem::new(json!({ "error": "no" })).is_none());
        assert!(Problem::new(json!("no")).is_none());
    }
}
