//! `sluicegate validate`: checks the configuration of a Worker before it is deployed.

mod config;
mod file;
mod finding;
mod origins;
mod outcome;
mod variables;
mod wrangler;

use crate::failure::Failure;
use crate::options::Validate;
use crate::report::Report;
use file::File;
use finding::Finding;
use outcome::Outcome;

pub(crate) fn run(options: &Validate) -> Result<Report, Failure> {
    let name = options.file.display().to_string();
    let text = std::fs::read_to_string(&options.file)
        .map_err(|error| Failure::Usage(format!("{name}: cannot be read: {error}")))?;
    let outcomes = check(&name, &text, options.env.as_deref())
        .unwrap_or_else(|problem| vec![Outcome { problems: vec![problem], ..Outcome::default() }]);
    Ok(outcome::report(&name, &outcomes))
}

/// Checks every environment, or the selected one. As for wrangler, the empty name selects the top level.
fn check(name: &str, text: &str, selected: Option<&str>) -> Result<Vec<Outcome>, Finding> {
    let file = File::parse(name, text)?;
    Ok(match selected {
        None => file.environments().map(|environment| check_one(&file, environment)).collect(),
        Some("") => vec![check_one(&file, None)],
        Some(_) => vec![check_one(&file, selected)],
    })
}

fn check_one(file: &File, environment: Option<&str>) -> Outcome {
    let mut outcome = Outcome { environment: environment.map(str::to_owned), ..Outcome::default() };
    match file.variables(environment) {
        Ok(variables) => {
            let (plans, valid) = variables.check(&mut outcome.problems);
            outcome.plans = plans;
            if let Some(valid) = &valid {
                origins::check(file, environment, &variables, valid, &mut outcome);
            }
            wrangler::check(file, environment, &variables, &mut outcome.warnings);
        }
        Err(problem) => outcome.problems.push(problem),
    }
    outcome
}
