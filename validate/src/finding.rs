//! One problem or warning, with the path of the field it is about.

use serde_json::{Value, json};

use super::printable::printable;

/// A problem or a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The path of the field in the file; empty for the file as a whole.
    path: String,
    problem: String,
}

impl Finding {
    pub(crate) fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Finding { path: path.into(), problem: problem.into() }
    }

    /// Moves this finding below a path.
    pub(crate) fn below(mut self, path: &str) -> Self {
        self.path = if self.path.is_empty() { path.to_owned() } else { format!("{path}.{}", self.path) };
        self
    }

    /// Moves this finding into another file.
    pub(crate) fn within(mut self, file: &str) -> Self {
        self.path = if self.path.is_empty() { file.to_owned() } else { format!("{file}: {}", self.path) };
        self
    }

    pub(crate) fn json(&self) -> Value {
        json!({ "path": self.path, "problem": self.problem })
    }

    /// Returns the line to print: the file, a mark such as `warning: `, the path and the problem.
    pub(crate) fn line(&self, file: &str, mark: &str) -> String {
        let path = if self.path.is_empty() { String::new() } else { format!("{}: ", printable(&self.path)) };
        let problem: Vec<_> = self.problem.lines().map(printable).collect();
        format!("{file}: {mark}{path}{}", problem.join("\n"))
    }
}
