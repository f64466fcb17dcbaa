//! `sluicegate validate`: checks the configuration of a Worker before it is deployed.

use std::path::Path;

use sluicegate_validate::Validation;

use crate::failure::Failure;
use crate::host;
use crate::options::Validate;
use crate::report::Report;

pub(crate) fn run(options: &Validate) -> Result<Report, Failure> {
    let (name, text) = read(&options.file)?;
    let environment = options.env.as_deref();
    let validation = sluicegate_validate::validate(&name, &text, environment, &next_to(&options.file));
    if let (Some(path), true) = (&options.bundle, validation.valid) {
        let [module] = &validation.modules[..] else {
            return Err(Failure::Usage(
                "--bundle needs --env (each environment may have a file of its own)".to_owned(),
            ));
        };
        let written = host::write(path, module);
        written.map_err(|error| Failure::Usage(format!("{}: cannot be written: {error}", path.display())))?;
    }
    Ok(report(validation))
}

/// Reads a file that contains a configuration alone. Returns the report on it and, if it is valid, the configuration as JSON.
pub(crate) fn configuration_file(path: &Path) -> Result<(Report, Option<String>), Failure> {
    let (name, text) = read(path)?;
    Ok(match sluicegate_validate::validate_alone(&name, &text) {
        (_, Some(json)) => (Report::empty(), Some(json)),
        (validation, None) => (report(validation), None),
    })
}

/// What a Worker is deployed with.
pub(crate) struct Deployed {
    /// The configuration as JSON.
    pub(crate) config: String,
    /// The variable `ORIGIN`; `None` if the file contains a configuration alone.
    pub(crate) origin: Option<String>,
}

/// Reads what an environment of a file is deployed with, or the report if it is invalid. Without a name, that is the
/// top level.
pub(crate) fn deployed(path: &Path, environment: Option<&str>) -> Result<Result<Deployed, Report>, Failure> {
    let (name, text) = read(path)?;
    let sluicegate_validate::Deployed { config, origin } =
        match sluicegate_validate::deployed(&name, &text, environment, &next_to(path)) {
            Ok(deployed) => deployed,
            Err(validation) => return Ok(Err(report(*validation))),
        };
    let remedy = "run `sluicegate config pull` and name the file with its output";
    let in_kv = || Failure::Usage(format!("{name}: the configuration is in KV ({remedy})"));
    Ok(Ok(Deployed { config: config.ok_or_else(in_kv)?, origin }))
}

/// Returns a function that reads the files next to one.
fn next_to(path: &Path) -> impl Fn(&str) -> Result<String, String> + use<'_> {
    let folder = path.parent().unwrap_or(Path::new(""));
    move |name| host::read(&folder.join(name))
}

fn read(path: &Path) -> Result<(String, String), Failure> {
    Ok((path.display().to_string(), host::read_named(path)?))
}

fn report(validation: Validation) -> Report {
    Report { success: validation.valid, ..Report::new(validation.text, validation.json) }
}
