//! The result of one check of a deployment.

use serde_json::{Value, json};

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    /// What was checked.
    pub(super) name: &'static str,
    level: Level,
    found: String,
    remedy: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Ok,
    /// The check had no data.
    Unknown,
    /// It works, but a setting should change.
    Warning,
    /// It does not work, or will stop working.
    Failure,
}

impl Check {
    pub(super) fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Check { name, level: Level::Ok, found: found.into(), remedy: None }
    }

    pub(super) fn unknown(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Check { level: Level::Unknown, remedy: Some(remedy.into()), ..Check::ok(name, found) }
    }

    pub(super) fn warning(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Check { level: Level::Warning, remedy: Some(remedy.into()), ..Check::ok(name, found) }
    }

    pub(super) fn failure(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Check { level: Level::Failure, remedy: Some(remedy.into()), ..Check::ok(name, found) }
    }

    pub(super) fn json(&self) -> Value {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Unknown => "unknown",
            Level::Warning => "warning",
            Level::Failure => "failure",
        };
        json!({ "check": self.name, "level": level, "found": self.found, "remedy": self.remedy })
    }

    /// Returns the check as a problem, if it is a warning or a failure.
    pub(super) fn problem(&self) -> Option<Value> {
        let is_problem = matches!(self.level, Level::Warning | Level::Failure);
        is_problem.then(|| json!({ "check": self.name, "what": self.found, "remedy": self.remedy }))
    }
}
