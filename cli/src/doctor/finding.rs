//! The result of one check.

use std::fmt::Write as _;

use clap::builder::styling::{AnsiColor, Style};
use serde::Deserialize;
use serde_json::{Value, json};
use sluicegate_validate::printable;

use crate::report::Report;

/// The result of one check.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding {
    what: String,
    level: Level,
    found: String,
    remedy: Option<String>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Ok,
    /// The check had no data.
    Unknown,
    /// It works, but a setting should change.
    Warning,
    /// It does not work, or will stop working.
    Failure,
}

impl Finding {
    pub(super) fn new(what: String, level: Level, found: String, remedy: Option<String>) -> Self {
        Finding { what, level, found, remedy }
    }

    pub(super) fn ok(what: &str, found: impl Into<String>) -> Self {
        Finding::new(what.to_owned(), Level::Ok, found.into(), None)
    }

    pub(super) fn warning(what: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding::new(what.to_owned(), Level::Warning, found.into(), Some(remedy.into()))
    }

    pub(super) fn failure(what: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Finding::new(what.to_owned(), Level::Failure, found.into(), Some(remedy.into()))
    }

    /// Returns whether this is the result of the check of that name.
    pub(super) fn is_of(&self, check: &str) -> bool {
        self.what == check
    }

    fn json(&self) -> Value {
        json!({ "check": self.what, "level": self.level.name(), "found": self.found, "remedy": self.remedy })
    }
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Unknown => "unknown",
            Level::Warning => "warning",
            Level::Failure => "failure",
        }
    }

    fn style(self) -> Style {
        match self {
            Level::Ok => AnsiColor::Green.on_default(),
            Level::Unknown => Style::new().dimmed(),
            Level::Warning => AnsiColor::Yellow.on_default(),
            Level::Failure => AnsiColor::Red.on_default().bold(),
        }
    }
}

/// Returns a report: a line for each check, its remedy below, then the number of failures and warnings.
pub(super) fn report(findings: &[Finding]) -> Report {
    let mut text = String::new();
    for Finding { what, level, found, remedy } in findings {
        let style = level.style();
        let found: Vec<_> = found.lines().map(printable).collect();
        let _ = writeln!(text, "{style}{:<8}{style:#} {}: {}", level.name(), printable(what), found.join("\n"));
        if let Some(remedy) = remedy {
            let _ = writeln!(text, "         → {}", printable(remedy));
        }
    }
    let count = |level: Level| findings.iter().filter(|finding| finding.level == level).count();
    let (failures, warnings) = (count(Level::Failure), count(Level::Warning));
    let _ = match (failures, warnings) {
        (0, 0) => write!(text, "no problems found"),
        _ => write!(text, "failures: {failures}, warnings: {warnings}"),
    };
    let checks: Vec<_> = findings.iter().map(Finding::json).collect();
    let json = json!({ "failures": failures, "warnings": warnings, "checks": checks });
    Report { success: failures == 0, ..Report::new(text, json) }
}
