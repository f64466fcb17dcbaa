//! The outcome of the validation of a file: a list of findings for each environment.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sluicegate::config::environment::{ADMIN_TOKEN, REDIS_TOKEN};

use super::config_text::ConfigText;
use super::finding::Finding;
use super::printable::printable;
use super::validation::Validation;

/// What was found in one environment.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The environment's name; `None` for the top level of the file.
    pub(crate) environment: Option<String>,
    /// The Worker would not serve.
    pub(crate) problems: Vec<Finding>,
    /// The Worker would serve, but probably not as intended.
    pub(crate) warnings: Vec<Finding>,
    /// The names of the plans; empty if there is a problem.
    pub(crate) plans: Vec<String>,
    /// The names of the secrets that routes send to their origins.
    pub(crate) secrets: BTreeSet<String>,
    /// The configuration, if it was found.
    pub(crate) config: Option<ConfigText>,
    /// Whether the file contains a configuration alone, without anything for wrangler.
    pub(crate) is_alone: bool,
}

/// Returns what was found in `file`.
pub(crate) fn validation(file: &str, outcomes: &[Outcome]) -> Validation {
    Validation {
        valid: outcomes.iter().all(Outcome::is_valid),
        text: text(file, outcomes),
        json: json(file, outcomes),
        modules: outcomes.iter().filter_map(|one| Some(one.config.as_ref()?.module())).collect(),
    }
}

impl Outcome {
    fn is_valid(&self) -> bool {
        self.problems.is_empty()
    }

    /// Returns the verdict in words, for example `valid, with the plans free, pro`.
    fn verdict(&self) -> String {
        if !self.is_valid() {
            return format!("invalid, {}", count(self.problems.len(), "problem"));
        }
        if self.config == Some(ConfigText::Kv) {
            return "valid, with the configuration in KV".to_owned();
        }
        let plural = if self.plans.len() == 1 { "" } else { "s" };
        format!("valid, with the plan{plural} {}", self.plans.join(", "))
    }

    fn place(&self) -> String {
        self.environment.as_ref().map_or_else(|| "top level".to_owned(), |name| format!("env.{}", printable(name)))
    }

    fn json(&self) -> Value {
        json!({ "name": self.environment, "valid": self.is_valid(), "plans": self.plans })
    }
}

fn text(file: &str, outcomes: &[Outcome]) -> String {
    let (problems, warnings) = (problems(outcomes), warnings(outcomes));
    let mut lines: Vec<String> = problems.iter().map(|problem| problem.line(file, "")).collect();
    lines.extend(warnings.iter().map(|warning| warning.line(file, "warning: ")));
    match outcomes {
        [only] if !only.is_valid() => (),
        [only] if only.environment.is_none() => lines.push(format!("{file}: {}", only.verdict())),
        _ => lines.extend(outcomes.iter().map(|one| format!("{file}: {}: {}", one.place(), one.verdict()))),
    }
    lines.push(match problems.len() {
        0 => format!("not checked: {}", not_checked(outcomes).join("; ")),
        total => count(total, "problem"),
    });
    lines.join("\n")
}

fn json(file: &str, outcomes: &[Outcome]) -> Value {
    let list = |findings: &[&Finding]| findings.iter().map(|finding| finding.json()).collect::<Vec<_>>();
    let (problems, warnings) = (problems(outcomes), warnings(outcomes));
    json!({
        "file": file,
        "valid": problems.is_empty(),
        "environments": outcomes.iter().map(Outcome::json).collect::<Vec<_>>(),
        "problems": list(&problems),
        "warnings": list(&warnings),
        "not_checked": not_checked(outcomes),
    })
}

fn problems(outcomes: &[Outcome]) -> Vec<&Finding> {
    outcomes.iter().flat_map(|outcome| &outcome.problems).collect()
}

/// Returns each warning once: a setting that several environments inherit gives the same warning for each.
fn warnings(outcomes: &[Outcome]) -> Vec<&Finding> {
    let mut warnings = Vec::new();
    for warning in outcomes.iter().flat_map(|outcome| &outcome.warnings) {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
    warnings
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Returns what the file does not show.
fn not_checked(outcomes: &[Outcome]) -> Vec<String> {
    if outcomes.iter().all(|outcome| outcome.is_alone) {
        return vec![WORKER_NOT_CHECKED.to_owned()];
    }
    let has_kv = outcomes.iter().any(|outcome| outcome.config == Some(ConfigText::Kv));
    let own: BTreeSet<&str> = outcomes.iter().flat_map(|outcome| &outcome.secrets).map(String::as_str).collect();
    let secrets = [REDIS_TOKEN].into_iter().chain(own).collect::<Vec<_>>().join(", ");
    let rest = [
        format!("the secrets {secrets} and {ADMIN_TOKEN}, which are not in the file"),
        "whether the origin and Redis are reachable (after the deployment, run `sluicegate doctor`)".to_owned(),
    ];
    has_kv.then(|| KV_NOT_CHECKED.to_owned()).into_iter().chain(rest).collect()
}

const WORKER_NOT_CHECKED: &str =
    "everything else that the Worker needs (`sluicegate validate wrangler.production.toml`)";

const KV_NOT_CHECKED: &str = "the configuration in KV, which `sluicegate config push` validates";
