//! Errors in the configuration.

use super::json::InvalidInput;
use crate::limit::InvalidLimit;

/// An error in the configuration, with the path of its field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct ConfigError {
    /// The field's path, for example `plans.pro.limits[1].window`.
    pub path: String,
    /// The problem.
    pub problem: String,
}

impl ConfigError {
    pub(super) fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        ConfigError { path: path.into(), problem: problem.into() }
    }

    /// Moves this error below `path`.
    pub(super) fn below(mut self, path: &str) -> Self {
        self.path = joined(path, &self.path);
        self
    }

    /// Sets the path to `path` if it is empty.
    pub(super) fn or_at(mut self, path: &str) -> Self {
        if self.path.is_empty() {
            path.clone_into(&mut self.path);
        }
        self
    }
}

impl From<InvalidInput> for ConfigError {
    /// Keeps the first problem.
    fn from(input: InvalidInput) -> Self {
        let first = input.problems().first();
        first.map_or_else(|| ConfigError::new("", ""), |first| ConfigError::new(&*first.path, &*first.problem))
    }
}

impl InvalidLimit {
    /// Converts this error, with the field's path below `path`.
    pub(super) fn below(self, path: &str) -> ConfigError {
        ConfigError::new(joined(path, self.field), self.problem)
    }
}

/// Joins `path` and `field`; either may be empty.
pub(super) fn joined(path: &str, field: &str) -> String {
    let dot = if path.is_empty() || field.is_empty() { "" } else { "." };
    format!("{path}{dot}{field}")
}
