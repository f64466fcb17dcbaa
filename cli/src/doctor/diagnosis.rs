//! The Worker's diagnosis of itself and of its Redis.

use serde::Deserialize;

use super::finding::{Finding, Level};

/// The response of `GET /_sluicegate/v1/diagnosis`.
#[derive(Debug, Deserialize)]
pub(super) struct Diagnosis {
    version: String,
    checks: Vec<Check>,
}

/// What the Worker found. It knows its configuration, so the judgement is its own.
#[derive(Debug, Deserialize)]
struct Check {
    #[serde(rename = "check")]
    name: String,
    level: Level,
    found: String,
    remedy: Option<String>,
}

impl Diagnosis {
    /// Returns what the Worker found, without the checks that are among the `known`.
    pub(super) fn findings(self, known: &[Finding]) -> Vec<Finding> {
        let new = self.checks.into_iter().filter(|check| !known.iter().any(|finding| finding.is_of(&check.name)));
        let new = new.map(|check| Finding::new(check.name, check.level, check.found, check.remedy));
        std::iter::once(version(&self.version)).chain(new).collect()
    }
}

fn version(version: &str) -> Finding {
    let own = env!("CARGO_PKG_VERSION");
    if version == own {
        return Finding::ok("version", version);
    }
    Finding::warning("version", format!("the Worker has {version}, this program {own}"), "use the same version of both")
}
