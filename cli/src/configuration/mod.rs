//! `sluicegate config …`: the configuration in KV.

mod difference;
mod wrangler;

use std::path::Path;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::options::{Config, Namespace};
use crate::report::Report;
use crate::validate::configuration_file;

pub(crate) async fn run(options: &Config) -> Result<Report, Failure> {
    match options {
        Config::Push { file, namespace } => push(file, namespace).await,
        Config::Pull { namespace } => pull(namespace).await,
        Config::Diff { file, namespace } => diff(file, namespace).await,
    }
}

/// Writes a file to KV, if it is valid.
async fn push(file: &Path, namespace: &Namespace) -> Result<Report, Failure> {
    let (report, text) = configuration_file(file)?;
    let Some(text) = text else { return Ok(report) };
    wrangler::put(namespace, &text).await?;
    Ok(Report::done(format!("{} is in KV; Workers use it within about two minutes", file.display())))
}

/// Prints what is in KV.
async fn pull(namespace: &Namespace) -> Result<Report, Failure> {
    let value = parsed(&wrangler::get(namespace).await?)?;
    Ok(Report::new(format!("{value:#}"), value))
}

/// Compares a valid file with what is in KV.
async fn diff(file: &Path, namespace: &Namespace) -> Result<Report, Failure> {
    let (report, text) = configuration_file(file)?;
    let Some(text) = text else { return Ok(report) };
    let (stored, own) = (parsed(&wrangler::get(namespace).await?)?, parsed(&text)?);
    let differences = difference::between(&stored, &own);
    let text = if differences.is_empty() { "no difference".to_owned() } else { differences.join("\n") };
    Ok(Report { success: differences.is_empty(), ..Report::new(text, json!(differences)) })
}

fn parsed(text: &str) -> Result<Value, Failure> {
    let problem = |error| Failure::NoAnswer(format!("the value in KV is not JSON: {error}"));
    serde_json::from_str(text).map_err(problem)
}
