//! `sluicegate validate`: checks the configuration of a Worker before it is deployed.

mod config;
mod config_text;
mod file;
mod finding;
mod origins;
mod outcome;
mod source;
mod variables;
mod wrangler;

use std::path::Path;

use sluicegate::config::environment::ORIGIN;

use crate::failure::Failure;
use crate::options::Validate;
use crate::report::Report;
use config_text::ConfigText;
use file::File;
use finding::Finding;
use outcome::Outcome;

pub(crate) fn run(options: &Validate) -> Result<Report, Failure> {
    let (name, text) = read(&options.file)?;
    let folder = options.file.parent().unwrap_or(Path::new(""));
    let outcomes = check(&name, &text, options.env.as_deref(), folder)
        .unwrap_or_else(|problem| vec![Outcome { problems: vec![problem], ..Outcome::default() }]);
    let report = outcome::report(&name, &outcomes);
    if let (Some(path), true) = (&options.bundle, report.success) {
        let modules: Vec<String> = outcomes.iter().filter_map(|one| Some(one.config.as_ref()?.module())).collect();
        let [module] = &modules[..] else {
            return Err(Failure::Usage(
                "--bundle needs --env (each environment may have a file of its own)".to_owned(),
            ));
        };
        let written = std::fs::write(path, module);
        written.map_err(|error| Failure::Usage(format!("{}: cannot be written: {error}", path.display())))?;
    }
    Ok(report)
}

/// Reads a file that contains a configuration alone. Returns the report on it and, if it is valid, the configuration as JSON.
pub(crate) fn configuration_file(path: &Path) -> Result<(Report, Option<String>), Failure> {
    let (name, text) = read(path)?;
    let mut outcome = Outcome::default();
    let text = match file::members(&name, &text) {
        Ok(members) => {
            let text = serde_json::Value::Object(members).to_string();
            outcome = check_configuration(&text);
            Some(text)
        }
        Err(problem) => {
            outcome.problems.push(problem);
            None
        }
    };
    let report = outcome::report(&name, &[outcome]);
    Ok(text.filter(|_| report.success).map_or((report, None), |text| (Report::empty(), Some(text))))
}

/// What a Worker is deployed with.
pub(crate) struct Deployed {
    /// The configuration as JSON.
    pub(crate) config: String,
    /// The variable `ORIGIN`; `None` if the file contains a configuration alone.
    pub(crate) origin: Option<String>,
}

/// Reads what an environment of a file is deployed with, or the report if it is invalid. Without a name, that is the top level.
pub(crate) fn deployed(path: &Path, environment: Option<&str>) -> Result<Result<Deployed, Report>, Failure> {
    let (name, text) = read(path)?;
    let environment = environment.filter(|environment| !environment.is_empty());
    let invalid = |outcome| Ok(Err(outcome::report(&name, &[outcome])));
    let file = match File::parse(&name, &text) {
        Ok(file) => file,
        Err(problem) => return invalid(Outcome { problems: vec![problem], ..Outcome::default() }),
    };
    let mut origin = None;
    let (outcome, config) = if let Some(config) = file.as_configuration() {
        (check_configuration(&config), Some(config))
    } else {
        let outcome = check_one(&file, environment, path.parent().unwrap_or(Path::new("")));
        origin = file.variables(environment).ok().and_then(|variables| variables.text(ORIGIN));
        let config = outcome.config.as_ref().and_then(ConfigText::json).map(str::to_owned);
        (outcome, config)
    };
    if !outcome.problems.is_empty() {
        return invalid(outcome);
    }
    let remedy = "run `sluicegate config pull` and name the file with its output";
    let in_kv = || Failure::Usage(format!("{name}: the configuration is in KV ({remedy})"));
    Ok(Ok(Deployed { config: config.ok_or_else(in_kv)?, origin }))
}

fn read(path: &Path) -> Result<(String, String), Failure> {
    let name = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((name, text)),
        Err(error) => Err(Failure::Usage(format!("{name}: cannot be read: {error}"))),
    }
}

/// Checks every environment, or the selected one. As for wrangler, the empty name selects the top level.
fn check(name: &str, text: &str, selected: Option<&str>, folder: &Path) -> Result<Vec<Outcome>, Finding> {
    let file = File::parse(name, text)?;
    if let Some(text) = file.as_configuration() {
        return Ok(vec![check_configuration(&text)]);
    }
    Ok(match selected {
        None => file.environments().map(|environment| check_one(&file, environment, folder)).collect(),
        Some("") => vec![check_one(&file, None, folder)],
        Some(_) => vec![check_one(&file, selected, folder)],
    })
}

/// Checks a configuration alone, as JSON.
fn check_configuration(text: &str) -> Outcome {
    let mut outcome = Outcome { is_alone: true, ..Outcome::default() };
    match config::check(text) {
        Ok(config) => outcome.plans = config.plans.into_keys().collect(),
        Err(errors) => {
            outcome.problems = errors.into_iter().map(|error| Finding::new(error.path, error.problem)).collect();
        }
    }
    outcome
}

fn check_one(file: &File, environment: Option<&str>, folder: &Path) -> Outcome {
    let mut outcome = Outcome { environment: environment.map(str::to_owned), ..Outcome::default() };
    match file.variables(environment) {
        Ok(variables) => {
            let config = source::find(file, environment, &variables, folder);
            let (plans, valid) = variables.check(config.as_ref(), &mut outcome.problems);
            outcome.plans = plans;
            if let Some(valid) = &valid {
                origins::check(file, environment, &variables, valid, &mut outcome);
            }
            let config = config.ok();
            let text = config.as_ref().and_then(ConfigText::json);
            wrangler::check(file, environment, text, &mut outcome.warnings);
            outcome.config = config;
        }
        Err(problem) => outcome.problems.push(problem),
    }
    outcome
}
