//! `sluicegate validate`: what the Worker would say of its configuration, before it is deployed.

mod config;
mod file;
mod variables;
mod wrangler;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::options::Validate;
use crate::report::Report;
use crate::table::printable;
use file::File;

/// What was found in a file.
#[derive(Debug, Default)]
struct Findings {
    /// With these the Worker would not serve.
    problems: Vec<Finding>,
    /// The Worker would serve, but hardly as it was meant.
    warnings: Vec<Finding>,
    /// The names of the plans, if all is well.
    plans: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    /// Of the field in the file; empty for the file as a whole.
    path: String,
    problem: String,
}

pub(crate) fn run(options: &Validate) -> Result<Report, Failure> {
    let name = options.file.display().to_string();
    let text = std::fs::read_to_string(&options.file)
        .map_err(|error| Failure::Usage(format!("{name}: cannot be read: {error}")))?;
    let findings = find(&name, &text, options.env.as_deref());
    let report = Report::new(findings.text(&name), findings.json(&name));
    Ok(Report { fine: findings.problems.is_empty(), ..report })
}

/// Everything that can be told of the text of a file of this name.
fn find(name: &str, text: &str, environment: Option<&str>) -> Findings {
    let mut findings = Findings::default();
    match File::parse(name, text).and_then(|file| Ok((file.variables(environment)?, file))) {
        Ok((variables, file)) => {
            findings.plans = variables.check(&mut findings.problems);
            wrangler::check(&file, environment, &variables, &mut findings.warnings);
        }
        Err(problem) => findings.problems.push(problem),
    }
    findings
}

impl Finding {
    fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Finding { path: path.into(), problem: problem.into() }
    }

    fn json(&self) -> Value {
        json!({ "path": self.path, "problem": self.problem })
    }

    fn line(&self, name: &str, mark: &str) -> String {
        let path = if self.path.is_empty() { String::new() } else { format!("{}: ", printable(&self.path)) };
        let problem: Vec<_> = self.problem.lines().map(printable).collect();
        format!("{name}: {mark}{path}{}", problem.join("\n"))
    }
}

impl Findings {
    fn text(&self, name: &str) -> String {
        let problems = self.problems.iter().map(|problem| problem.line(name, ""));
        let warnings = self.warnings.iter().map(|warning| warning.line(name, "warning: "));
        let mut text = problems.chain(warnings).map(|line| line + "\n").collect::<String>();
        match self.problems.len() {
            0 => {
                let plural = if self.plans.len() == 1 { "" } else { "s" };
                let _ = writeln!(text, "{name}: valid, with the plan{plural} {}", self.plans.join(", "));
                let _ = write!(text, "not checked: {}", NOT_CHECKED.join("; "));
            }
            1 => text.push_str("1 problem"),
            count => drop(write!(text, "{count} problems")),
        }
        text
    }

    fn json(&self, name: &str) -> Value {
        let list = |findings: &[Finding]| findings.iter().map(Finding::json).collect::<Vec<_>>();
        json!({
            "file": name,
            "valid": self.problems.is_empty(),
            "problems": list(&self.problems),
            "warnings": list(&self.warnings),
            "not_checked": NOT_CHECKED,
        })
    }
}

/// What no file can tell.
const NOT_CHECKED: [&str; 2] = [
    "the secrets UPSTASH_REDIS_REST_TOKEN and SLUICEGATE_ADMIN_TOKEN, which stand in no file",
    "whether the origin and Redis answer (once it is deployed, `sluicegate doctor` asks)",
];
