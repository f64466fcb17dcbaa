//! The query of a call.

use crate::config::json::{Problems, join};

/// The parameters of a query: known ones only, each at most once.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Parses a query without its question mark.
    pub(super) fn parse(query: Option<&str>, known: &[&str], problems: &mut Problems) -> Self {
        let mut found: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            let path = join("", &name);
            if !known.contains(&&*name) {
                problems.push(path, "is not a parameter of this path");
            } else if found.iter().any(|(other, _)| *other == name) {
                problems.push(path, "is given twice");
            } else {
                found.push((name.into_owned(), value.into_owned()));
            }
        }
        Query(found)
    }

    /// Returns the value of a parameter.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_repeated_parameters_are_refused() {
        let mut problems = Problems::default();
        let query = Query::parse(Some("limit=5&cursor=a%2Db"), &["cursor", "limit"], &mut problems);
        assert_eq!((query.get("limit"), query.get("cursor")), (Some("5"), Some("a-b")));
        assert!(problems.finish(Some(())).is_ok());
        for bad in ["x=1", "limit=1&limit=2", "=", "Limit=1", "%00"] {
            let mut problems = Problems::default();
            Query::parse(Some(bad), &["limit"], &mut problems);
            assert!(problems.finish(Some(())).is_err(), "{bad}");
        }
    }
}
