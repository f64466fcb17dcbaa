//! Validates a configuration before it is deployed: a file for wrangler, TOML or JSON, or a configuration of sluicegate
//! alone.
//!
//! It does no I/O: the caller reads the files. The command line does so in Rust, `npx sluicegate` in Node.

mod config_text;
mod deployed;
mod every_problem;
mod file;
mod finding;
mod origins;
mod outcome;
mod printable;
mod source;
mod validation;
mod variables;
mod wrangler;

use serde_json::Value;
use sluicegate::config::environment::ORIGIN;

use config_text::ConfigText;
use file::File;
use finding::Finding;
use outcome::Outcome;

pub use deployed::Deployed;
pub use printable::printable;
pub use validation::{ReadFile, Validation};

/// Validates the text of a file: JSON if its name ends in `.json` or `.jsonc`, TOML otherwise.
///
/// Checks every environment, or the selected one. As for wrangler, the empty name selects the top level.
#[must_use]
pub fn validate(name: &str, text: &str, environment: Option<&str>, read: ReadFile<'_>) -> Validation {
    let outcomes = check(name, text, environment, read)
        .unwrap_or_else(|problem| vec![Outcome { problems: vec![problem], ..Outcome::default() }]);
    outcome::validation(name, &outcomes)
}

/// Validates the text of a file that contains a configuration alone. Also returns the configuration as JSON, if it is valid.
#[must_use]
pub fn validate_alone(name: &str, text: &str) -> (Validation, Option<String>) {
    let mut outcome = Outcome::default();
    let json = match file::members(name, text) {
        Ok(members) => {
            let text = Value::Object(members).to_string();
            outcome = check_alone(&text);
            Some(text)
        }
        Err(problem) => {
            outcome.problems.push(problem);
            None
        }
    };
    let validation = outcome::validation(name, &[outcome]);
    let json = json.filter(|_| validation.valid);
    (validation, json)
}

/// Reads what an environment of a file is deployed with. Without a name, that is the top level.
///
/// # Errors
/// Returns what was found if the file is not valid.
pub fn deployed(
    name: &str,
    text: &str,
    environment: Option<&str>,
    read: ReadFile<'_>,
) -> Result<Deployed, Box<Validation>> {
    let environment = environment.filter(|environment| !environment.is_empty());
    let invalid = |outcome| Err(Box::new(outcome::validation(name, &[outcome])));
    let file = match File::parse(name, text) {
        Ok(file) => file,
        Err(problem) => return invalid(Outcome { problems: vec![problem], ..Outcome::default() }),
    };
    let mut origin = None;
    let (outcome, config) = if let Some(config) = file.as_configuration() {
        (check_alone(&config), Some(config))
    } else {
        let outcome = check_one(&file, environment, read);
        origin = file.variables(environment).ok().and_then(|variables| variables.text(ORIGIN));
        let config = outcome.config.as_ref().and_then(ConfigText::json).map(str::to_owned);
        (outcome, config)
    };
    if outcome.problems.is_empty() { Ok(Deployed { config, origin }) } else { invalid(outcome) }
}

fn check(name: &str, text: &str, selected: Option<&str>, read: ReadFile<'_>) -> Result<Vec<Outcome>, Finding> {
    let file = File::parse(name, text)?;
    if let Some(text) = file.as_configuration() {
        return Ok(vec![check_alone(&text)]);
    }
    Ok(match selected {
        None => file.environments().map(|environment| check_one(&file, environment, read)).collect(),
        Some("") => vec![check_one(&file, None, read)],
        Some(_) => vec![check_one(&file, selected, read)],
    })
}

/// Checks a configuration alone, as JSON.
fn check_alone(text: &str) -> Outcome {
    let mut outcome = Outcome { is_alone: true, ..Outcome::default() };
    match every_problem::check(text) {
        Ok(config) => outcome.plans = config.plans.into_keys().collect(),
        Err(errors) => {
            outcome.problems = errors.into_iter().map(|error| Finding::new(error.path, error.problem)).collect();
        }
    }
    outcome
}

fn check_one(file: &File, environment: Option<&str>, read: ReadFile<'_>) -> Outcome {
    let mut outcome = Outcome { environment: environment.map(str::to_owned), ..Outcome::default() };
    match file.variables(environment) {
        Ok(variables) => {
            let config = source::find(file, environment, &variables, read);
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
