//! What is wrong with a configuration, and where.

use super::json::InvalidInput;
use crate::limit::InvalidLimit;

/// What is wrong with a configuration, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct ConfigError {
    /// The path of the field, for example `plans.pro.limits[1].window`.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

impl ConfigError {
    pub(super) fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        ConfigError { path: path.into(), problem: problem.into() }
    }

    /// This error, of something inside what stands at `path`.
    pub(super) fn below(mut self, path: &str) -> Self {
        self.path = joined(path, &self.path);
        self
    }

    /// This error, at `path` if it has no place.
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
    /// This error, of a field of what stands at `path`.
    pub(super) fn below(self, path: &str) -> ConfigError {
        ConfigError::new(joined(path, self.field), self.problem)
    }
}

/// The path of `field` in what stands at `path`; either may be empty.
pub(super) fn joined(path: &str, field: &str) -> String {
    let dot = if path.is_empty() || field.is_empty() { "" } else { "." };
    format!("{path}{dot}{field}")
}
